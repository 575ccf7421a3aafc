import { BlobwireError, type TransportName } from '../core/error.ts'
import type { Call, Settle } from '../transport/transport.ts'
import { ConcurrencyLimit } from './concurrency.ts'
import { Credentials } from './credentials.ts'
import { Deadline, type Draft } from './deadline.ts'
import { EndpointLane } from './lane.ts'
import { Lanes } from './lanes.ts'
import { compose, forward, type Interceptor } from './layer.ts'
import type { PipelineParts } from './parts.ts'
import { RetryBudget } from './retry/budget.ts'
import { RetryDecision } from './retry/decision.ts'
import { Retrier } from './retry/retry.ts'
import { Routes } from './routes.ts'
import { SharedTimers } from './shared-timers.ts'

/** Sends calls through all layers. */
export interface Pipeline {
  readonly routes: Routes
  readonly limit: ConcurrencyLimit
  /** For what is sent again in parts. */
  readonly retries: RetryDecision
  /** Those that were made so far. */
  readonly lanes: () => readonly EndpointLane[]
  /** The response message. @throws BlobwireError */
  run(draft: Draft): Promise<object>
  /** Ends all calls with `cancelled`, reason `client_closed`, and lets go of all connections. */
  close(): Promise<void>
}

/** Builds the layers once. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { clock, counters, latency, transports, retry, random } = parts
  const budget = new RetryBudget(clock, retry)
  const credentials = parts.token === undefined ? undefined : new Credentials(parts.token, clock, parts.timeoutMs)
  const made = new Map<TransportName, Lanes<EndpointLane>>()
  const lanesOf = (transport: TransportName): Lanes<EndpointLane> => {
    let lanes = made.get(transport)
    if (lanes === undefined) {
      const all = parts.endpoints.map(
        (endpoint) => new EndpointLane(endpoint, transport, { ...parts, credentials, budget })
      )
      lanes = new Lanes(all, clock, random)
      made.set(transport, lanes)
    }
    return lanes
  }
  const allLanes = () => [...made.values()].flatMap(({ all }) => all)
  const routes = new Routes({ clock, transports, lanes: lanesOf })
  lanesOf(routes.transport)
  const timers = new SharedTimers(clock)
  const attempts = { clock, timers, counters, timeoutMs: parts.attemptTimeoutMs }
  const decision = new RetryDecision(retry, budget, random)
  const retrier = new Retrier({
    clock,
    counters,
    options: retry,
    hedge: parts.hedge,
    budget,
    routes,
    attempts,
    decision
  })
  const limit = new ConcurrencyLimit(parts.concurrency)
  const deadline = new Deadline({
    clock,
    limit,
    start: entrance(parts.interceptors, retrier),
    failed(error) {
      counters.failures++
      const told = asBlobwireError(error)
      if (told.code === 'deadline_exceeded' && told.reason !== 'attempt_timeout') counters.timeouts++
      return told
    },
    succeeded: (durationMs) => latency.record(durationMs)
  })
  return {
    routes,
    limit,
    retries: decision,
    lanes: allLanes,
    run(draft) {
      counters.calls++
      return deadline.run(draft)
    },
    async close() {
      deadline.close()
      timers.close()
      await Promise.all(allLanes().map((lane) => lane.close()))
    }
  }
}

type Entrance = (call: Call, settle: Settle) => void

/** What is below the deadline. Without interceptors a call needs no promises of its own there. */
function entrance(interceptors: readonly Interceptor[], retrier: Retrier): Entrance {
  if (interceptors.length === 0) return (call, settle) => retrier.submit(call, settle)
  const next = compose(interceptors, (call) => submitted(retrier, call))
  // An application's own functions may spread a call, which must then have all its parts for itself.
  return (call, settle) => forward(next(plainCall(call)), settle)
}

function submitted(retrier: Retrier, call: Call): Promise<object> {
  return new Promise((succeed, fail) => retrier.submit(call, { succeed, fail }))
}

function plainCall(call: Call): Call {
  const { method, request, headers, signal, transport } = call
  return {
    method,
    request,
    headers,
    signal,
    transport,
    remainingMs: () => call.remainingMs(),
    whenEnded: (listener) => call.whenEnded(listener)
  }
}

function asBlobwireError(exception: unknown): BlobwireError {
  if (exception instanceof BlobwireError) return exception
  // Only an application's own interceptor gets here.
  const message = `an interceptor failed: ${exception instanceof Error ? exception.message : String(exception)}`
  return new BlobwireError({ code: 'unknown', reason: 'interceptor', message, cause: exception })
}
