/** The part of the program that watches its client's calls, and the refs of a repository. */
import {
  type AttemptEventName,
  type AttemptObserver,
  type AttemptOutcome,
  type CallEventName,
  type CallListener,
  type CallObserver,
  type CallOutcome,
  type CallTimeline,
  type Client,
  type ClientEvent,
  type ClientEventFacts,
  type ClientEventName,
  createClient,
  type EventFacts,
  type Explanation,
  type FailureCount,
  type GetCommitResponse,
  type LatencyBuckets,
  type Logger,
  type MethodStats,
  type MovedRef,
  type Observer,
  type Repository,
  type StartedAttempt,
  type StartedCall,
  type TimelineStep,
  type WatchOptions,
  type WatchState,
  type WatchUpdate
} from 'blobwire'
import { seen } from './interceptors.ts'

const events: (CallEventName | AttemptEventName)[] = []

function attemptObserver({ endpoint, number }: StartedAttempt): AttemptObserver {
  return {
    headers: { 'x-attempt': `${endpoint} ${number}` },
    event: (name: AttemptEventName, _atMs: number, { bytes }: EventFacts) => void (bytes === 0 || events.push(name)),
    ended: ({ error }: AttemptOutcome) => void seen.push(error?.message ?? 'answered')
  }
}

const observer: Observer = {
  callStarted({ method, repository }: StartedCall): CallObserver | undefined {
    if (repository === undefined) return undefined
    return {
      attemptStarted: attemptObserver,
      event: (name: CallEventName) => void events.push(name),
      ended: ({ durationMs, requestId }: CallOutcome) => void seen.push(`${method} ${requestId}: ${durationMs} ms`)
    }
  }
}

const onCall: CallListener = (timeline: CallTimeline) => {
  const last: TimelineStep | undefined = timeline.steps.at(-1)
  seen.push(`${timeline}`, `${last?.name} at ${last?.atMs}`)
}

const log = (fields: object, message: string) => void seen.push(message, ...Object.keys(fields))
const logger: Logger = { debug: log, info: log, warn: log, error: log }

/** An event as `diagnostics_channel` has it. */
export function onEvent(event: ClientEvent): string {
  const name: ClientEventName = event.event
  const { endpoint = '' }: ClientEventFacts = event
  return `${name} ${endpoint}`
}

export function observed(endpoint: string): Client {
  return createClient({ endpoint, observers: [observer], onCall, logger, slowCallMs: 500 })
}

/** Failures of each method, and how many of its calls took at most 10 ms. */
export function counts(client: Client): string[] {
  return client.stats().methods.map(({ method, latency, failures }: MethodStats) => {
    const { boundsMs, counts }: LatencyBuckets = latency
    const quick = counts.filter((_, index) => (boundsMs[index] ?? Number.POSITIVE_INFINITY) <= 10)
    const first: FailureCount | undefined = failures[0]
    return `${method}: ${quick.join()}, ${first?.code} ${first?.count}`
  })
}

export async function explained(client: Client): Promise<GetCommitResponse | undefined> {
  const explanation: Explanation<GetCommitResponse> = await client.explain(() => client.getCommit('demo', 'main'))
  return explanation.ok ? explanation.value : undefined
}

export async function watched(repo: Repository, since: WatchState, signal: AbortSignal): Promise<void> {
  const options: WatchOptions = { prefix: 'refs/heads', since, signal }
  for await (const update of repo.watch(options)) {
    const { kind, moves, cursor }: WatchUpdate = update
    const move: MovedRef | undefined = moves[0]
    seen.push(`${kind} ${cursor} ${move?.name} ${move?.newOid}`)
  }
}
