/** The timeline of one call, for programs and, as text, for people. */
import type { Code } from '../core/code.ts'
import type { BlobwireError, Sent, TransportName } from '../core/error.ts'
import type { AttemptEventName, CallEventName, CallOutcome, EventFacts, Observer, StartedCall } from './observer.ts'

/** One step of a call. */
export interface TimelineStep extends EventFacts {
  /** `attempt` = an attempt begins, `failed` = it failed; for the others see `CallEventName` and `AttemptEventName`. */
  readonly name: CallEventName | AttemptEventName | 'attempt' | 'failed' | 'ended'
  /** Number of the attempt, from 1; 0 = the step is of the call as a whole. */
  readonly attempt: number
  /** Time since the call began, in milliseconds. */
  readonly atMs: number
}

/** A call that has ended: `ClientOptions.onCall` and `Client.explain` give it. `String(timeline)` is readable text. */
export interface CallTimeline {
  /** Such as `storeBlob`; see `StartedCall.method`. */
  readonly method: string
  readonly repository: string | undefined
  /** Number of operations in it. */
  readonly operations: number
  /** When it began, on the client's clock (`performance.now()`). */
  readonly startedAtMs: number
  readonly durationMs: number
  /** `ok`, or the code of its error. */
  readonly code: 'ok' | Code
  /** Undefined = the call succeeded. */
  readonly error: BlobwireError | undefined
  readonly attempts: number
  readonly sent: Sent
  readonly endpoint: string | undefined
  readonly transport: TransportName | undefined
  readonly requestId: string | undefined
  /** In the order of time. */
  readonly steps: readonly TimelineStep[]
  toString(): string
}

/** Takes the timeline of each call when the call ends. */
export type CallListener = (timeline: CallTimeline) => void

/** Most steps that are kept of one call: a transfer may be retried for days. */
const maxSteps = 1000

class Timeline implements CallTimeline {
  readonly method: string
  readonly repository: string | undefined
  readonly operations: number
  readonly startedAtMs: number
  readonly durationMs: number
  readonly code: 'ok' | Code
  readonly error: BlobwireError | undefined
  readonly attempts: number
  readonly sent: Sent
  readonly endpoint: string | undefined
  readonly transport: TransportName | undefined
  readonly requestId: string | undefined
  readonly steps: readonly TimelineStep[]

  constructor(call: StartedCall, outcome: CallOutcome, steps: readonly TimelineStep[]) {
    this.method = call.method
    this.repository = call.repository
    this.operations = call.operations
    this.startedAtMs = call.startedAtMs
    this.durationMs = outcome.durationMs
    this.code = outcome.error?.code ?? 'ok'
    this.error = outcome.error
    this.attempts = outcome.attempts
    this.sent = outcome.sent
    this.endpoint = outcome.endpoint
    this.transport = outcome.transport
    this.requestId = outcome.requestId
    this.steps = steps
  }

  toString(): string {
    const { method, repository, durationMs, code, error, endpoint, transport, requestId } = this
    const where = endpoint === undefined ? [] : [`${transport} ${endpoint}`]
    const id = requestId === undefined ? [] : [`request id ${requestId}`]
    const end = code === 'ok' ? 'ok' : `${code}${error?.reason ? ` (${error.reason})` : ''}`
    const head = [
      `${method}${repository === undefined ? '' : ` ${repository}`}: ${end} in ${ms(durationMs)}`,
      ...where,
      ...id
    ]
    let before = 0
    const lines = this.steps.map((step) => {
      const line = `${ms(step.atMs).padStart(12)} ${`+${ms(step.atMs - before)}`.padStart(12)}  ${textOf(step)}`
      before = step.atMs
      return line
    })
    return [head.join(', '), ...lines].join('\n')
  }
}

const ms = (value: number) => `${value.toFixed(value < 100 ? 2 : 0)} ms`

/** The words for each step. */
const words: Readonly<Record<TimelineStep['name'], string>> = {
  queued: 'waits: concurrency.maxCalls calls are under way',
  admitted: 'its turn has come',
  blocked: 'waits: the circuit breakers of all endpoints are open',
  retry: 'waits for the next attempt',
  attempt: 'attempt',
  connected: 'connected',
  encoded: 'encoded',
  compressed: 'compressed',
  sent: 'sent',
  answered: 'the answer begins',
  decoded: 'decoded',
  failed: 'attempt failed',
  ended: 'ended'
}

function textOf({ name, attempt, bytes, operations, delayMs, serverMs, error }: TimelineStep): string {
  const facts = [
    ...(bytes === undefined ? [] : [`${bytes} bytes`]),
    ...(operations === undefined || operations === 1 ? [] : [`${operations} operations in the frame`]),
    ...(delayMs === undefined ? [] : [`for ${ms(delayMs)}`]),
    ...(serverMs === undefined ? [] : [`the server took ${ms(serverMs)}`]),
    ...(error === undefined ? [] : [error.message])
  ]
  const what = name === 'attempt' ? `attempt ${attempt}` : words[name]
  return facts.length === 0 ? what : `${what}: ${facts.join(', ')}`
}

/** An observer that gives each call's timeline to a function when the call ends. */
export function timelineObserver(onCall: CallListener, isWanted: () => boolean = () => true): Observer {
  return {
    callStarted(call) {
      if (!isWanted()) return undefined
      const steps: TimelineStep[] = []
      const add = (name: TimelineStep['name'], atMs: number, attempt: number, facts?: EventFacts) => {
        if (steps.length < maxSteps) steps.push({ name, attempt, atMs: atMs - call.startedAtMs, ...facts })
      }
      return {
        event: (name, atMs, facts) => add(name, atMs, 0, facts),
        attemptStarted({ number, startedAtMs }) {
          add('attempt', startedAtMs, number)
          return {
            event: (name, atMs, facts) => add(name, atMs, number, facts),
            ended({ atMs, error }) {
              if (error !== undefined) add('failed', atMs, number, { error })
            }
          }
        },
        ended(outcome) {
          add('ended', outcome.atMs, 0)
          // A promise goes back with it, so that its failure is told as that of an observer.
          return onCall(new Timeline(call, outcome, steps))
        }
      }
    }
  }
}
