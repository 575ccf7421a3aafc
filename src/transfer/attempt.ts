/** One attempt of a transfer: a permit of the endpoint's breaker, and the time in which bytes have to move. */
import { outcomeOf } from '../balance/outcome.ts'
import type { Pick } from '../balance/picker.ts'
import type { WatchListener } from '../batch/session-watches.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import type { Init, Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { ObservedAttempt, ObservedCall } from '../telemetry/observed-call.ts'
import type { Transport } from '../transport/transport.ts'
import type { Transfer, TransferAttempt } from './transfer.ts'
import type { TransferContext } from './transfer-context.ts'

/** Of the transfer that the attempt belongs to. */
export interface AttemptContext extends TransferContext {
  /** Milliseconds to the deadline of the transfer; infinite = none. */
  readonly remainingMs: () => number
  readonly progressed: () => void
  readonly observed: ObservedCall | undefined
}

/** The windows and the buffers of a connection hold less: of more, the server has read some. */
const bufferedBytes = 32 * 1024 * 1024

export class AttemptAtEndpoint implements TransferAttempt {
  readonly #transfer: Transfer
  readonly #pick: Pick
  readonly #context: AttemptContext
  readonly #controller = new AbortController()
  readonly #events: ObservedAttempt | undefined
  #beganAtMs: number
  #transport: Transport | undefined
  #headers: Readonly<Record<string, string>> = {}
  #movedAtMs: number
  /** The server may be busy until then, while no byte moves. */
  #busyUntilMs = Number.NEGATIVE_INFINITY
  /** Bytes that have moved since that was said. */
  #movedBytes = 0
  /** Waits for the application. */
  #idle = 0
  #cancelTimer: (() => void) | undefined
  #isOver = false

  constructor(transfer: Transfer, pick: Pick, context: AttemptContext) {
    this.#transfer = transfer
    this.#pick = pick
    this.#context = context
    this.#beganAtMs = context.clock.now()
    this.#movedAtMs = this.#beganAtMs
    this.#events = context.observed?.attemptStarted(pick.channel)
    pick.channel.attempts++
    pick.channel.inFlight++
  }

  /** Runs it to its end; the breaker gets its permit back. @throws BlobwireError */
  async run<Result>(run: (attempt: TransferAttempt) => Promise<Result>): Promise<Result> {
    const ended = new Promise<never>((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true })
    })
    this.#setTimer(this.#transfer.stallTimeoutMs)
    try {
      const result = await Promise.race([this.#begun(run), ended])
      this.#events?.ended(undefined)
      this.#release('success')
      this.#pick.channel.verified = true
      return result
    } catch (exception) {
      throw this.#failed(exception)
    }
  }

  get transport(): Transport {
    if (this.#transport === undefined) throw new Error('the attempt has no transport yet')
    return this.#transport
  }

  /** The server may have heard of it, and has not answered. */
  get isUnderWay(): boolean {
    return this.#transport !== undefined && !this.#isOver
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  unary<Request, Response>(method: Method<Request, Response>, request: Init<Request>): Promise<Response> {
    const { stallTimeoutMs } = this.#transfer
    const sent = this.transport.unary({
      method: method as Method,
      request: request as object,
      headers: this.#headers,
      signal: this.signal,
      mayReplay: () => false,
      remainingMs: () => Math.min(stallTimeoutMs, this.#context.remainingMs())
    })
    return sent as Promise<Response>
  }

  watch(request: Init<Messages['WatchRefsRequest']>, listener: WatchListener): () => void {
    return this.#pick.channel.watch({ request, listener, token: this.#transfer.token })
  }

  moved(bytes: number): void {
    const { counters, clock } = this.#context
    if (this.#transfer.direction === 'up') counters.transfers.bytesSent += bytes
    else counters.transfers.bytesReceived += bytes
    this.#movedAtMs = clock.now()
    this.#movedBytes += bytes
  }

  progressed(): void {
    this.#movedAtMs = this.#context.clock.now()
    this.#context.progressed()
  }

  allow(ms: number): void {
    this.#busyUntilMs = this.#context.clock.now() + ms
    this.#movedBytes = 0
  }

  async idle<Value>(wait: PromiseLike<Value>): Promise<Value> {
    this.#idle++
    try {
      return await wait
    } finally {
      this.#idle--
      this.#movedAtMs = this.#context.clock.now()
    }
  }

  /** Ends it early. */
  end(error: BlobwireError): void {
    if (!this.#isOver) this.#controller.abort(error)
  }

  async #begun<Result>(run: (attempt: TransferAttempt) => Promise<Result>): Promise<Result> {
    const { channel } = this.#pick
    const isProbe = channel.breaker?.state === 'half_open'
    const { headers, token } = this.#transfer
    const added = this.#events?.headers?.map(({ name, value }) => [name, value])
    const opened = await channel.openTransfer(added ? { ...Object.fromEntries(added), ...headers } : headers, token)
    this.#transport = opened.transport
    this.#headers = opened.headers
    this.#events?.event('connected', { requestId: opened.headers['x-request-id'] })
    // Calls wait for the outcome of a probe, and a transfer takes long.
    if (isProbe) await this.#probe(opened.transport)
    this.signal.throwIfAborted()
    return run(this)
  }

  async #probe(transport: Transport): Promise<void> {
    if (!(await transport.canConnect())) {
      const message = 'the server does not answer on a new connection'
      throw new BlobwireError({ code: 'unavailable', message, sent: 'never', transport: transport.name })
    }
    const { channel, permit } = this.#pick
    channel.attemptEnded(permit, 'success', this.#beganAtMs)
    channel.inFlight++
    this.#beganAtMs = this.#context.clock.now()
  }

  #failed(exception: unknown): BlobwireError {
    const error = asBlobwireError(exception)
    const { channel } = this.#pick
    const outcome = outcomeOf(error, channel.isSilentSince(this.#beganAtMs))
    if (outcome === 'failure') channel.lastFailure = error
    channel.failures.add(error)
    this.#events?.ended(error)
    this.#release(outcome)
    // Nothing of it goes on without the runner.
    this.#controller.abort(error)
    return error.transport === undefined && error.sent !== 'never'
      ? error.with({ transport: channel.transport })
      : error
  }

  #release(outcome: 'success' | 'failure' | 'none'): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimer?.()
    this.#pick.channel.attemptEnded(this.#pick.permit, outcome, this.#beganAtMs)
  }

  /** Looks again when the last byte is `stallTimeoutMs` old: one timer, however many bytes move. */
  #setTimer(delayMs: number): void {
    const { clock } = this.#context
    const { stallTimeoutMs } = this.#transfer
    this.#cancelTimer = clock.schedule(delayMs, () => {
      if (this.#idle > 0) return this.#setTimer(stallTimeoutMs)
      const waitsFromMs =
        this.#movedBytes > bufferedBytes ? this.#movedAtMs : Math.max(this.#movedAtMs, this.#busyUntilMs)
      const leftMs = waitsFromMs + stallTimeoutMs - clock.now()
      if (leftMs > 0) return this.#setTimer(leftMs)
      const message = `no byte moved for ${stallTimeoutMs} ms`
      const { channel } = this.#pick
      const { endpoint, transport } = channel
      this.#context.telemetry.report('transfer_stalled', { endpoint, transport, problem: message })
      this.end(new BlobwireError({ reason: 'stalled', message, sent: 'maybe', attempts: 1 }))
    })
  }
}
