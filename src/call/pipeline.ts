import { EndpointChannel } from '../balance/endpoint-channel.ts'
import { Picker } from '../balance/picker.ts'
import { TransportSelector } from '../balance/transport-selector.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import { RetryBudget } from '../retry/budget.ts'
import { RetryPolicy } from '../retry/policy.ts'
import { Retrier } from '../retry/retrier.ts'
import type { Call, Sink } from '../transport/transport.ts'
import { Bulkhead } from './bulkhead.ts'
import { Credentials } from './credentials.ts'
import { DeadlineTimers } from './deadline-timers.ts'
import { type Changeable, forward, methodName, passThrough, type RequestInterceptor } from './interceptor.ts'
import type { PipelineContext } from './pipeline-context.ts'
import { Deadline, type UnstartedCall } from './running-call.ts'

/** Sends calls through all layers. */
export interface Pipeline {
  readonly selector: TransportSelector
  readonly limit: Bulkhead
  /** For what is sent again in parts. */
  readonly retries: RetryPolicy
  /** Those that were made so far. */
  readonly channels: () => readonly EndpointChannel[]
  /** The response message. @throws BlobwireError */
  run(unstarted: UnstartedCall): Promise<object>
  /** Ends all calls with `cancelled`, reason `client_closed`, and lets go of all connections. */
  close(): Promise<void>
}

/** Builds the layers once. */
export function createPipeline(context: PipelineContext): Pipeline {
  const { clock, counters, latency, transports, retry, random } = context
  const budget = new RetryBudget(clock, retry)
  const credentials = context.token === undefined ? undefined : new Credentials(context.token, clock, context.timeoutMs)
  const made = new Map<TransportName, Picker<EndpointChannel>>()
  const lanesOf = (transport: TransportName): Picker<EndpointChannel> => {
    let channels = made.get(transport)
    if (channels === undefined) {
      const all = context.endpoints.map(
        (endpoint) => new EndpointChannel(endpoint, transport, { ...context, credentials, budget })
      )
      channels = new Picker(all, clock, random)
      made.set(transport, channels)
    }
    return channels
  }
  const allLanes = () => [...made.values()].flatMap(({ all }) => all)
  const selector = new TransportSelector({ clock, transports, channels: lanesOf })
  lanesOf(selector.transport)
  const timers = new DeadlineTimers(clock)
  const attempts = { clock, timers, counters, timeoutMs: context.attemptTimeoutMs }
  const decision = new RetryPolicy(retry, budget, random)
  const retrier = new Retrier({
    clock,
    counters,
    options: retry,
    hedge: context.hedge,
    budget,
    selector,
    attempts,
    decision
  })
  const limit = new Bulkhead(context.concurrency)
  const deadline = new Deadline({
    clock,
    limit,
    start: entrance(context.interceptors, retrier),
    failed(error) {
      counters.failures++
      const told = asBlobwireError(error)
      if (told.code === 'deadline_exceeded' && told.reason !== 'attempt_timeout') counters.timeouts++
      return told
    },
    succeeded: (durationMs) => latency.record(durationMs)
  })
  return {
    selector,
    limit,
    retries: decision,
    channels: allLanes,
    run(unstarted) {
      counters.calls++
      return deadline.run(unstarted)
    },
    async close() {
      deadline.close()
      timers.close()
      await Promise.all(allLanes().map((channel) => channel.close()))
    }
  }
}

type Entrance = (call: Call, sink: Sink) => void

/** What is below the deadline. Without interceptors a call needs no promises of its own there. */
function entrance(interceptors: readonly RequestInterceptor[], retrier: Retrier): Entrance {
  if (interceptors.length === 0) return (call, sink) => retrier.submit(call, sink)
  return (call, sink) => {
    const { method, request: message, headers, signal } = call
    const name = methodName(method)
    const remainingMs = () => call.remainingMs()
    const answer = passThrough<Changeable>(
      interceptors,
      { message, headers },
      {
        show: (changed) => ({ method: name, message: changed.message, headers: changed.headers, signal, remainingMs }),
        innermost: (changed) => submitted(retrier, changedCall(call, changed))
      }
    )
    forward(answer as Promise<object>, sink)
  }
}

function submitted(retrier: Retrier, call: Call): Promise<object> {
  return new Promise((succeed, fail) => retrier.submit(call, { succeed, fail }))
}

/** Calls that nobody changed stay the same object; only those with the client's own headers travel in frames. */
function changedCall(call: Call, { message, headers }: Changeable): Call {
  if (message === call.request && headers === call.headers) return call
  const { method, transport, signal } = call
  return {
    method,
    request: message,
    headers,
    transport,
    signal,
    remainingMs: () => call.remainingMs(),
    onCancel: (listener) => call.onCancel(listener)
  }
}

function asBlobwireError(exception: unknown): BlobwireError {
  if (exception instanceof BlobwireError) return exception
  // Only an application's own interceptor gets here.
  const message = `an interceptor failed: ${exception instanceof Error ? exception.message : String(exception)}`
  return new BlobwireError({ code: 'unknown', reason: 'interceptor', message, cause: exception })
}
