/** One endpoint over one transport: batches, then a request id and the bearer token for each request, then the transport. */
import { fromApply, toApply } from '../batch/apply.ts'
import { Batcher } from '../batch/batcher.ts'
import { requestError } from '../batch/older-server.ts'
import { watchNeedsSession } from '../batch/session-watches.ts'
import type { Call, KeyedCall, Sink } from '../call/call.ts'
import type { Credentials } from '../call/credentials.ts'
import { forward } from '../call/interceptor.ts'
import type { Codec } from '../codec/codec.ts'
import { AnswerTimes } from '../core/answer-times.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import { FailureCounts } from '../core/failure-counts.ts'
import type { LatencyHistogram } from '../core/latency-histogram.ts'
import type {
  ResolvedAdaptiveOptions,
  ResolvedBatchOptions,
  ResolvedBreakerOptions,
  ResolvedConcurrencyOptions
} from '../options/types.ts'
import type { RetryBudget } from '../retry/budget.ts'
import type { Messages } from '../schema/messages.ts'
import { type ClientEventFacts, type ClientEventName, factsOfError } from '../telemetry/client-event.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Transport } from '../transport/transport.ts'
import { AdaptiveLimits } from './adaptive-limits.ts'
import { CircuitBreaker, type Permit } from './circuit-breaker.ts'
import type { Outcome } from './outcome.ts'
import type { Channel, ChannelWatch, OpenedTransfer } from './picker.ts'
import { Reliability } from './reliability.ts'
import { TokenBatchers } from './token-batchers.ts'

/** The limits of one endpoint. */
export interface OwnLimits {
  readonly weight: number
  readonly attemptTimeoutMs: number | 'adaptive' | undefined
}

/** Shared by all channels of a client. Limits may change: see `EndpointChannel.applyLimits`. */
export interface EndpointChannelContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly telemetry: Telemetry
  /** The header `user-agent` of every request. */
  readonly userAgent: string
  /** Headers of every call. */
  readonly headers: Readonly<Record<string, string>>
  /** False = every call is a request of its own. */
  readonly batch: ResolvedBatchOptions | false
  readonly breaker: ResolvedBreakerOptions | false
  /** Milliseconds for one attempt at an endpoint that has no time of its own. */
  readonly attemptTimeoutMs: number | 'adaptive' | undefined
  readonly concurrency: ResolvedConcurrencyOptions
  readonly adaptive: ResolvedAdaptiveOptions
  /** What endpoints have of their own. */
  readonly endpointOptions?: ReadonlyMap<string, OwnLimits>
  /** The limit on attempts of a channel has changed. */
  readonly onLimitChange: () => void
  readonly limits: () => Messages['Limits']
  /** A new id for a request or a session. */
  readonly newRequestId: () => string
  readonly codecOf: (transport: TransportName) => Codec
  readonly connect: (endpoint: string, transport: TransportName) => Promise<Transport>
  readonly credentials: Credentials | undefined
  readonly budget: RetryBudget
  /** From 0 up to 1. */
  readonly random: () => number
}

/** A channel with everything that belongs to it. */
export class EndpointChannel implements Channel {
  readonly endpoint: string
  readonly transport: TransportName
  readonly breaker: CircuitBreaker | undefined
  readonly batcher: Batcher | undefined
  readonly #tokenBatchers: TokenBatchers | undefined
  readonly #context: EndpointChannelContext
  #ownWeight = 1
  readonly reliability = new Reliability()
  readonly #answers = new AnswerTimes((nowMs, durationMs) => this.reliability.answered(nowMs, durationMs))
  #opened: Promise<Transport> | undefined
  readonly failures = new FailureCounts()
  attempts = 0
  inFlight = 0
  recoveredAtMs = Number.NEGATIVE_INFINITY
  verified = false
  lastFailure: BlobwireError | undefined
  weight = 1
  attemptTimeoutMs: number | undefined
  adaptive: AdaptiveLimits | undefined

  constructor(endpoint: string, transport: TransportName, context: EndpointChannelContext) {
    this.endpoint = endpoint
    this.transport = transport
    this.#context = context
    const { batch, breaker, clock, random } = context
    this.applyLimits()
    this.breaker = breaker ? new CircuitBreaker(clock, breaker, random) : undefined
    if (this.breaker !== undefined) this.breaker.onState = (state) => this.#breakerChanged(state)
    this.batcher = batch ? this.#newBatcher(batch, undefined) : undefined
    this.#tokenBatchers = batch ? new TokenBatchers((token) => this.#newBatcher(batch, token)) : undefined
  }

  /** Takes over the limits of the context as they are now. Measurements are kept where they are still wanted. */
  applyLimits(): void {
    const { clock, concurrency, adaptive: options, random, onLimitChange: onChange } = this.#context
    const own = this.#context.endpointOptions?.get(this.endpoint) ?? { weight: 1, ...this.#context }
    const timeoutMs = own.attemptTimeoutMs
    this.attemptTimeoutMs = timeoutMs === 'adaptive' ? undefined : timeoutMs
    const wanted = { timeout: timeoutMs === 'adaptive', concurrency: concurrency.adaptive }
    const bounds = { maxCalls: concurrency.maxCalls, leastCalls: options.leastCalls }
    const context = { clock, options, bounds, random, onChange }
    this.adaptive =
      wanted.timeout || wanted.concurrency ? new AdaptiveLimits(wanted, context, this.adaptive) : undefined
    this.#ownWeight = own.weight
    this.weigh()
  }

  /** An endpoint that can take more gets more. */
  weigh(): void {
    this.weight = this.#ownWeight * (this.adaptive?.concurrency?.limit ?? 1)
  }

  submit(call: Call, sink: Sink): void {
    const { token } = call
    const batcher = token === undefined ? this.batcher : this.#tokenBatchers?.of(token)
    if (batcher) return batcher.submit(call, sink)
    if (this.batcher) this.#context.counters.unframed.tokens++
    forward(this.#unary(call, token), sink)
  }

  /** Sends a call of the client's own, past the batches. */
  request(call: Call): Promise<object> {
    return this.#unary(call, undefined)
  }

  /** Round trips of frames and requests. */
  get latency(): LatencyHistogram {
    return this.#answers.latency
  }

  async openTransfer(given: Readonly<Record<string, string>>, token: string | undefined): Promise<OpenedTransfer> {
    const [transport, headers] = await Promise.all([this.#open(), this.#headers(given, token)])
    return { transport, headers }
  }

  watch({ request, listener, token }: ChannelWatch): () => void {
    const batcher = token === undefined ? this.batcher : this.#tokenBatchers?.of(token)
    if (batcher === undefined) throw watchNeedsSession()
    return batcher.watch(request, listener)
  }

  attemptEnded(permit: Permit, outcome: Outcome, beganAtMs: number): void {
    this.inFlight--
    if (outcome === 'success') this.reliability.successes++
    else if (outcome === 'failure') this.reliability.failed(this.#context.clock.now())
    const { breaker } = this
    if (breaker === undefined) return
    const { closings } = breaker
    breaker.record(permit, outcome, beganAtMs)
    if (breaker.closings > closings) this.recoveredAtMs = this.#context.clock.now()
  }

  isSilentSince(beganAtMs: number): boolean {
    return this.#answers.isSilence(beganAtMs, this.#context.clock.now())
  }

  async canConnect(): Promise<boolean> {
    try {
      return await (await this.#open()).canConnect()
    } catch {
      return false
    }
  }

  /** Ends the sessions, and closes the connections, on which nothing is under way. */
  async closeIdle(): Promise<void> {
    await Promise.all([this.batcher?.endIdle(), this.#tokenBatchers?.endIdle()])
    await this.#opened?.then((transport) => transport.closeIdle()).catch(() => undefined)
  }

  /** The limits of its connections have changed. */
  async connectionLimitsChanged(): Promise<void> {
    await this.#opened?.then((transport) => transport.limitsChanged?.()).catch(() => undefined)
  }

  /** Closes the session and the connection. */
  async close(): Promise<void> {
    this.batcher?.close()
    this.#tokenBatchers?.close()
    await this.#opened?.then((transport) => transport.close()).catch(() => undefined)
  }

  /** Opens the transport once. A failure is that of the call that asked; the next call tries again. */
  #open(): Promise<Transport> {
    this.#opened ??= this.#context.connect(this.endpoint, this.transport).catch((error) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  #report(event: ClientEventName, facts: ClientEventFacts): void {
    const { endpoint, transport } = this
    this.#context.telemetry.report(event, { ...facts, endpoint, transport })
  }

  #breakerChanged(state: 'open' | 'closed'): void {
    if (state === 'open') this.#report('breaker_opened', factsOfError(this.lastFailure))
    else this.#report('breaker_closed', {})
  }

  #newBatcher(options: ResolvedBatchOptions, token: string | undefined): Batcher {
    const { clock, counters, limits, headers, codecOf, credentials, budget } = this.#context
    return new Batcher({
      clock,
      counters,
      options,
      limits,
      operations: { headers, codec: codecOf(this.transport) },
      unary: (call) => this.#unary(call, token),
      refreshable: token === undefined && (credentials?.refreshable ?? false),
      budget,
      answers: this.#answers,
      report: (event, facts) => this.#report(event, facts),
      open: async (opening) => {
        const [transport, all] = await Promise.all([this.#open(), this.#headers(headers, token)])
        return transport.openSession({ ...opening, headers: all })
      }
    })
  }

  async #headers(given: Readonly<Record<string, string>>, token: string | undefined): Promise<Record<string, string>> {
    const { credentials, newRequestId, userAgent } = this.#context
    const named = { 'x-request-id': newRequestId(), 'user-agent': userAgent, ...given }
    if (token !== undefined) return { ...named, authorization: `Bearer ${token}` }
    return credentials ? credentials.addTo(named) : named
  }

  /** A request that the transport sends again is a retry like any other. */
  #mayReplay({ maxSends = 2, callCount = 1 }: KeyedCall): boolean {
    const { budget, counters } = this.#context
    if (maxSends < 2 || !budget.take(callCount)) return false
    counters.attempts += callCount
    counters.retries += callCount
    return true
  }

  async #unary(call: KeyedCall, token: string | undefined): Promise<object> {
    const headers = await this.#headers(headersOf(call), token)
    const { clock } = this.#context
    const { signal, events } = call
    const { method, request } = toApply(call)
    const remainingMs = () => call.remainingMs()
    try {
      const transport = await this.#open()
      const sentAtMs = clock.now()
      const mayReplay = () => this.#mayReplay(call)
      const response = await transport.unary({ method, request, headers, signal, mayReplay, remainingMs, events })
      const now = clock.now()
      this.#answers.note(now, now - sentAtMs)
      return fromApply(call, response)
    } catch (exception) {
      if (!(exception instanceof BlobwireError)) throw exception
      if (exception.sent === 'processed') this.#answers.lastAtMs = clock.now()
      const error = requestError(exception, call)
      throw error.requestId === undefined ? error.with({ requestId: headers['x-request-id'] }) : error
    }
  }
}

/** The headers of a call and those that observers add, among which the call's own have precedence. */
function headersOf({ headers, observerHeaders }: KeyedCall): Readonly<Record<string, string>> {
  if (observerHeaders === undefined) return headers
  return { ...Object.fromEntries(observerHeaders.map(({ name, value }) => [name, value])), ...headers }
}
