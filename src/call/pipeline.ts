/**
 * The order of the pipeline: every call of a client passes these layers, top to bottom, and its answer comes back up.
 *
 *     caller
 *       │  runCall            one settlement: answer, deadline, abort or close()          call/running-call.ts
 *       │  bulkhead           at most concurrency.maxCalls under way; the rest wait       call/bulkhead.ts
 *       │  interceptors       the application's own, first = outermost                    call/interceptor.ts
 *       │  retrier            once per attempt from here on; budget, back-off, hedging    retry/retrier.ts
 *       │  transport selector which transport: the chosen one, or the first of 'auto'     balance/transport-selector.ts
 *       │  picker + breaker   which endpoint: least request, and a permit of its breaker; balance/picker.ts
 *       │                     without one, the call waits                                 balance/waiting-room.ts
 *       │  attempt            returns the permit with the outcome                         retry/attempt.ts
 *       │  batcher            a frame on the session, shared with other calls;            batch/batcher.ts
 *       │                     or a request of its own, with request id and token          balance/endpoint-channel.ts
 *       ▼
 *     transport               JSON or MessagePack over HTTP/2, or gRPC                    transport/
 *
 * Large content goes past the upper layers, as a stream of its own: `transfer/transfer-runner.ts` stands in the place of the
 * retrier, above the transport selector.
 *
 * A worked example: two endpoints, A down, `storeBlob` with the defaults. The call enters runCall (30 s begin) and the
 * bulkhead, passes the interceptors once, and the retrier asks for a pick: msgpack, A (an even load, A's turn). A's
 * breaker gives a permit; the attempt joins the frame for A; the connection is refused. The attempt returns the permit as
 * a failure, which A's breaker counts once however many calls shared the frame. The retrier takes one token from the
 * budget and returns it, because nothing was sent; after 0 to 100 ms it asks for another pick, avoiding A: B. The second
 * attempt may share B's next frame with other calls. Its answer goes up through the same interceptors; the caller sees one
 * answer, `stats()` one call and two attempts. test/call/pipeline.test.ts pins this.
 */
import type { EndpointChannel } from '../balance/endpoint-channel.ts'
import { HealthChecks, type HealthCheckTimes } from '../balance/health-check.ts'
import type { Picker } from '../balance/picker.ts'
import { Pickers, type PickersContext } from '../balance/pickers.ts'
import { TransportSelector } from '../balance/transport-selector.ts'
import { newCounters } from '../core/counters.ts'
import { asBlobwireError, interceptorError, type TransportName } from '../core/error.ts'
import type { Latency } from '../core/latency.ts'
import type { ResolvedConcurrencyOptions, ResolvedRetryOptions } from '../options/types.ts'
import type { Work } from '../platform/platform.ts'
import { RetryBudget } from '../retry/budget.ts'
import { RetryPolicy } from '../retry/policy.ts'
import { Retrier } from '../retry/retrier.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { TransferRunner } from '../transfer/transfer-runner.ts'
import { Bulkhead } from './bulkhead.ts'
import type { Call, Sink } from './call.ts'
import { endpointsInWords, rejection } from './caller.ts'
import { bearerTokenOf, Credentials, type Token } from './credentials.ts'
import { DeadlineTimers } from './deadline-timers.ts'
import { type Changeable, forward, methodName, passThrough, type RequestInterceptor } from './interceptor.ts'
import { closeCalls, type RunningCallContext, runCall, type UnstartedCall } from './running-call.ts'

/** Everything that the layers are made from. */
export interface PipelineContext extends Omit<PickersContext, 'credentials' | 'budget' | 'onLimitChange'> {
  readonly latency: Latency
  readonly telemetry: Telemetry
  /** Around each request. */
  readonly interceptors: readonly RequestInterceptor[]
  readonly token: Token | undefined
  /** Time for a call that does not say otherwise, in milliseconds. */
  readonly timeoutMs: number
  readonly retry: ResolvedRetryOptions
  /** Delay after which a slow read gets a second attempt; false = never. */
  readonly hedge: { readonly delayMs: number } | false
  /** Times of active health checks; undefined = there are none. */
  readonly healthCheck?: HealthCheckTimes | undefined
  /** In the order of preference. */
  readonly transports: readonly TransportName[]
  /** See `RunningCallContext`. */
  readonly recover?: RunningCallContext['recover']
  /** Told while calls are under way. */
  readonly work: Work
  /** From 0 up to 1. */
  readonly random: () => number
}

/** Sends calls through all layers. */
export interface Pipeline {
  readonly selector: TransportSelector
  readonly bulkhead: Bulkhead
  /** The bound of calls under way, also while an adaptive one is lower for its measurements. */
  readonly usualCalls: () => number
  /** Undefined = endpoints are not checked. */
  readonly healthChecks: HealthChecks | undefined
  /** Large content, which goes past the layers above the transport selector. */
  readonly transfers: TransferRunner
  /** Watches, which take the same way, and are counted for themselves. */
  readonly watches: TransferRunner
  /** For operations that are retried in parts. */
  readonly retries: RetryPolicy
  /** The channels in use. */
  readonly channels: () => readonly EndpointChannel[]
  /** The response message. @throws BlobwireError */
  run(unstarted: UnstartedCall): Promise<object>
  /** Changes limits while calls are under way. The breaker and batches stay switched on or off. */
  update(limits: PipelineLimits): void
  /** Ends all calls with `cancelled`, reason `client_closed`, and closes all connections. */
  close(): Promise<void>
}

/** The limits that may change while a client is open. */
export type PipelineLimits = Pick<
  PipelineContext,
  'retry' | 'breaker' | 'concurrency' | 'adaptive' | 'batch' | 'hedge' | 'attemptTimeoutMs' | 'endpointOptions'
>

/** Copies, which the layers keep, and which `update` changes in place. */
function ownLimits({ retry, breaker, concurrency, adaptive, batch }: PipelineLimits) {
  return {
    retry: { ...retry },
    breaker: breaker && { ...breaker },
    concurrency: { ...concurrency },
    adaptive: { ...adaptive },
    batch: batch && { ...batch }
  }
}

/** Builds the layers once. */
export function createPipeline(given: PipelineContext): Pipeline {
  const context = { ...given, ...ownLimits(given) }
  const { clock, counters, latency, telemetry, transports, retry, random, healthCheck } = context
  const budget = new RetryBudget(clock, retry, () => counters.calls)
  const credentials = context.token === undefined ? undefined : new Credentials(context.token, clock, context.timeoutMs)
  const bulkhead = new Bulkhead(context.concurrency, context.work)
  const onLimitChange = () => {
    const picker = pickers.of(selector.transport)
    for (const channel of picker.channels) channel.weigh()
    picker.weigh()
    bulkhead.setLimit(callLimit(context.concurrency, picker, 'limit'))
  }
  const shared = Object.assign(context, { credentials, budget, onLimitChange })
  const pickers = new Pickers(shared)
  const channels = () => pickers.channels
  const selector = new TransportSelector({
    clock,
    transports,
    pickers: (transport) => pickers.of(transport),
    report: (...event) => telemetry.report(...event)
  })
  onLimitChange()
  const healthChecks =
    healthCheck &&
    new HealthChecks({ ...healthCheck, clock, random, channels: () => pickers.of(selector.transport).channels })
  const attemptTimers = new DeadlineTimers(clock)
  const policy = new RetryPolicy(retry, budget, random)
  const waits = {
    get breakerWaitMs(): number {
      return context.breaker ? context.breaker.waitMs : 0
    }
  }
  const streams = { clock, telemetry, selector, policy, waits, work: context.work }
  const transfers = new TransferRunner({ ...streams, counters })
  const watches = new TransferRunner({ ...streams, counters: newCounters() })
  const retries = {
    clock,
    counters,
    telemetry,
    options: retry,
    hedge: context.hedge,
    budget,
    waits,
    selector,
    attempts: { clock, timers: attemptTimers, counters },
    policy
  }
  const retrier = new Retrier(retries)
  const calls: RunningCallContext = {
    clock,
    bulkhead,
    telemetry,
    timers: new DeadlineTimers(clock),
    start: withInterceptors(context.interceptors, retrier),
    endpoint: endpointsInWords(context.endpoints),
    hasInterceptors: context.interceptors.length > 0,
    failed(error, method) {
      counters.failures++
      const found = asBlobwireError(error)
      if (found.is('shed')) counters.shed++
      if (found.code === 'deadline_exceeded' && !found.is('attempt_timeout')) counters.timeouts++
      telemetry.calls.failed(method, found)
      return found
    },
    recover: context.recover,
    succeeded(durationMs, method) {
      latency.record(durationMs)
      telemetry.calls.succeeded(method, durationMs)
    }
  }
  return {
    selector,
    bulkhead,
    healthChecks,
    transfers,
    watches,
    retries: policy,
    channels,
    usualCalls: () => callLimit(context.concurrency, pickers.of(selector.transport), 'usual'),
    run(unstarted) {
      counters.calls++
      return runCall(unstarted, calls)
    },
    update({ hedge, attemptTimeoutMs, endpointOptions, ...groups }) {
      for (const name of ['retry', 'breaker', 'concurrency', 'adaptive', 'batch'] as const) {
        if (context[name]) Object.assign(context[name], groups[name])
      }
      Object.assign(context, { hedge, attemptTimeoutMs, endpointOptions })
      retries.hedge = hedge
      for (const channel of channels()) channel.applyLimits()
      pickers.weigh()
      onLimitChange()
    },
    async close() {
      healthChecks?.close()
      closeCalls(calls)
      transfers.close()
      watches.close()
      attemptTimers.close()
      await pickers.close()
    }
  }
}

/** Calls that may be under way: as many attempts as the endpoints can take that get any, where that is measured. */
function callLimit(of: ResolvedConcurrencyOptions, picker: Picker<EndpointChannel>, which: 'limit' | 'usual'): number {
  if (!of.adaptive) return of.maxCalls
  const open = picker.channels.filter(({ breaker }) => breaker?.state !== 'open')
  const limits = (open.length > 0 ? open : picker.channels).map(
    (channel) => channel.adaptive?.concurrency?.[which] ?? 0
  )
  return Math.min(
    of.maxCalls,
    limits.reduce((sum, limit) => sum + limit, 0)
  )
}

/** The layers below the bulkhead. Without interceptors a call needs no promises of its own there. */
function withInterceptors(
  interceptors: readonly RequestInterceptor[],
  retrier: Retrier
): (call: Call, sink: Sink) => void {
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
    forward(
      (answer as Promise<object>).catch((error) => {
        throw interceptorError(error)
      }),
      sink
    )
  }
}

function submitted(retrier: Retrier, call: Call): Promise<object> {
  const method = methodName(call.method)
  const rejected = (error: unknown) => rejection(asBlobwireError(error), { method, endpoint: undefined })
  return new Promise((succeed) => retrier.submit(call, { succeed, fail: (error) => succeed(rejected(error)) }))
}

/** Calls that nobody changed stay the same object. A token that an interceptor set becomes that of the call. */
function changedCall(call: Call, { message, headers }: Changeable): Call {
  if (message === call.request && headers === call.headers) return call
  const { method, requestKey, transport, signal, isBackground, policy, observed } = call
  const { authorization, ...others } = headers
  const token = bearerTokenOf(authorization)
  return {
    method,
    requestKey,
    request: message,
    headers: token === undefined ? headers : others,
    transport,
    token: token ?? call.token,
    isBackground: isBackground === true,
    policy,
    observed,
    signal,
    remainingMs: () => call.remainingMs(),
    onCancel: (part) => call.onCancel(part)
  }
}
