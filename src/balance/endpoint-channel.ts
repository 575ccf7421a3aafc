/** One endpoint over one transport: batches, then a request id and the bearer token for each request, then the transport. */
import { fromApply, toApply } from '../batch/apply.ts'
import { Batcher } from '../batch/batcher.ts'
import { requestError } from '../batch/older-server.ts'
import { watchNeedsSession } from '../batch/session-watches.ts'
import type { Call, KeyedCall, Sink } from '../call/call.ts'
import { forward } from '../call/interceptor.ts'
import { AnswerTimes } from '../core/answer-times.ts'
import { BlobwireError, type TransportName } from '../core/error.ts'
import { FailureCounts } from '../core/failure-counts.ts'
import type { LatencyHistogram } from '../core/latency-histogram.ts'
import type { ResolvedBatchOptions } from '../options/types.ts'
import { type ClientEventFacts, type ClientEventName, factsOfError } from '../telemetry/client-event.ts'
import type { Transport } from '../transport/transport.ts'
import { AdaptiveLimits } from './adaptive-limits.ts'
import { CircuitBreaker, type Permit } from './circuit-breaker.ts'
import type { EndpointChannelContext } from './endpoint-channel-context.ts'
import type { Outcome } from './outcome.ts'
import type { Channel, ChannelWatch, OpenedTransfer } from './picker.ts'
import { Reliability } from './reliability.ts'
import { TokenBatchers } from './token-batchers.ts'

/** Of a channel of a name that may have a channel for each address. */
export interface ChannelOfName {
  /** The address of this one; undefined = any. */
  readonly address?: string | undefined
  /** The channel that the name began with. All channels of the name count there. */
  readonly first?: EndpointChannel | undefined
  /** The channel is about to be used for the first time. */
  readonly onOpen: () => void
  /** An attempt has failed for which the endpoint is to blame. */
  readonly onFailure: () => void
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
  readonly #answers: AnswerTimes
  #opened: Promise<Transport> | undefined
  readonly failures: FailureCounts
  attempts = 0
  inFlight = 0
  recoveredAtMs = Number.NEGATIVE_INFINITY
  verified: boolean
  lastFailure: BlobwireError | undefined
  weight = 1
  attemptTimeoutMs: number | undefined
  adaptive: AdaptiveLimits | undefined

  readonly #ofName: ChannelOfName | undefined
  /** The channel that counts for the endpoint as a whole: this one, or the first of its name. */
  readonly first: EndpointChannel
  /** Openings of the breakers of channels that are gone; their attempts are in `attempts`. */
  openingsBefore = 0

  constructor(endpoint: string, transport: TransportName, context: EndpointChannelContext, ofName?: ChannelOfName) {
    this.endpoint = endpoint
    this.#ofName = ofName
    const { first } = ofName ?? {}
    this.first = first ?? this
    this.failures = first?.failures ?? new FailureCounts()
    const answered = (nowMs: number, durationMs: number) => this.reliability.answered(nowMs, durationMs)
    this.#answers = new AnswerTimes(answered, first?.latency)
    // The transport of a name is that of its addresses.
    this.verified = first?.verified ?? false
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

  /** The address that its connections go to; undefined = any of the endpoint's. */
  get address(): string | undefined {
    return this.#ofName?.address
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
    else if (outcome === 'failure') {
      this.reliability.failed(this.#context.clock.now())
      this.#ofName?.onFailure()
    }
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

  /** Watches go elsewhere. */
  moveWatches(): void {
    this.batcher?.moveWatches()
    this.#tokenBatchers?.moveWatches()
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
    if (this.#opened === undefined) this.#ofName?.onOpen()
    this.#opened ??= this.#context.connect(this.endpoint, this.transport, this.address).catch((error) => {
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
