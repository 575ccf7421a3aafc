/**
 * A transfer from its beginning to its end: attempts, one after the other, each at an endpoint with a permit of its
 * breaker. They are as many as `retry.maxAttempts` and the budget allow since the transfer last got further, so that a
 * long one survives any number of cuts.
 */
import { hadNoConnection } from '../balance/outcome.ts'
import type { Channel, Pick } from '../balance/picker.ts'
import type { Waiter } from '../balance/waiting-room.ts'
import { type Abortable, listen, stopListening } from '../core/abort-listeners.ts'
import { abortError, asBlobwireError, BlobwireError, moreSent, type Sent } from '../core/error.ts'
import type { RetryRefusal } from '../retry/policy.ts'
import type { Method } from '../schema/descriptor.ts'
import { methods, serviceName } from '../schema/methods.ts'
import { factsOfError } from '../telemetry/client-event.ts'
import type { ObservedCall } from '../telemetry/observed-call.ts'
import { AttemptAtEndpoint } from './attempt.ts'
import type { Transfer, TransferAttempt } from './transfer.ts'
import type { TransferContext } from './transfer-context.ts'

export class RunningTransfer<Result> implements Abortable, Waiter {
  readonly #transfer: Transfer
  readonly #context: TransferContext
  readonly #outcome = Promise.withResolvers<Result>()
  readonly #beganAtMs: number
  readonly #endsAtMs: number
  readonly #cancelDeadline: () => void
  readonly #observed: ObservedCall | undefined
  #isOver = false
  #attempt: AttemptAtEndpoint | undefined
  #channel: Channel | undefined
  #attempts = 0
  #failures = 0
  #sent: Sent = 'never'
  #hasProgressed = false
  #lastError: BlobwireError | undefined
  /** Ends a wait between two attempts. */
  #wake: (() => void) | undefined
  #pick: ((pick: Pick | BlobwireError) => void) | undefined
  waitsUntilMs = 0

  constructor(transfer: Transfer, context: TransferContext) {
    this.#transfer = transfer
    this.#context = context
    const { timeoutMs, signal } = transfer
    this.#observed = context.telemetry.isListening ? observe(transfer, context) : undefined
    this.#beganAtMs = context.clock.now()
    this.#endsAtMs = this.#beganAtMs + (timeoutMs ?? Number.POSITIVE_INFINITY)
    this.#cancelDeadline =
      timeoutMs === undefined ? () => undefined : context.clock.schedule(timeoutMs, () => this.#late())
    if (signal !== undefined) listen(signal, this)
  }

  /** Carries the work out, as long as nothing ends it. @throws BlobwireError */
  start(work: () => Promise<Result>): Promise<Result> {
    work().then(
      (result) => {
        if (!this.#settle()) return
        const { clock, telemetry } = this.#context
        telemetry.calls.succeeded(this.#method, clock.now() - this.#beganAtMs)
        this.#observed?.ended(this.#progress())
        this.#outcome.resolve(result)
      },
      (error) => this.end(error)
    )
    return this.#outcome.promise
  }

  /** Attempts, until one has a result. @throws BlobwireError */
  async attempts<Outcome>(run: (attempt: TransferAttempt) => Promise<Outcome>): Promise<Outcome> {
    this.#context.counters.transfers.started++
    for (;;) {
      const pick = await this.#nextPick()
      // Whoever ended the transfer has told its caller.
      if (pick instanceof BlobwireError) throw this.#isOver ? pick : this.#circuitOpen(pick)
      try {
        return await this.#attemptAt(pick, run)
      } catch (exception) {
        if (this.#isOver || !(exception instanceof BlobwireError)) throw exception
        this.#sent = moreSent(this.#sent, exception.sent)
        this.#lastError = exception
        await this.#beforeNext(exception, pick.channel)
      }
    }
  }

  /** Ends the transfer with an error, which gets the facts of all attempts. */
  end(found: unknown): void {
    if (!this.#settle()) return
    const { counters } = this.#context
    const error = asBlobwireError(found)
    if (this.#attempts > 0) counters.transfers.failures++
    if (error.code === 'deadline_exceeded') counters.timeouts++
    const told = this.#withFacts(error)
    this.#context.telemetry.calls.failed(this.#method, told)
    this.#observed?.ended(told, told)
    this.#outcome.reject(told)
    this.#attempt?.end(error)
    this.#wake?.()
    if (this.#pick !== undefined) this.#context.selector.waitingRoom(this.#transfer).leave(this)
    this.#pick?.(error)
  }

  /** Errors from before the first attempt have facts of their own. */
  #withFacts(error: BlobwireError): BlobwireError {
    if (this.#channel === undefined) return error
    const { transport, endpoint } = this.#channel
    const sent = this.#attempt?.isUnderWay ? 'maybe' : error.sent
    return error.with({ transport, endpoint, attempts: this.#attempts, sent: moreSent(this.#sent, sent) })
  }

  get #method(): Method {
    return methodOf(this.#transfer)
  }

  #progress() {
    const { transport, endpoint } = this.#channel ?? {}
    return { sent: 'processed', attempts: this.#attempts, transport, endpoint } as const
  }

  /** The caller's signal has aborted. */
  handleEvent(): void {
    this.end(abortError(this.#transfer.signal?.reason))
  }

  #late(): void {
    const message = `the transfer did not end within ${this.#transfer.timeoutMs} ms`
    this.end(new BlobwireError({ code: 'deadline_exceeded', message }))
  }

  /** False = it was over. */
  #settle(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#cancelDeadline()
    const { signal } = this.#transfer
    if (signal !== undefined) stopListening(signal, this)
    return true
  }

  async #attemptAt<Outcome>(pick: Pick, run: (attempt: TransferAttempt) => Promise<Outcome>): Promise<Outcome> {
    const { counters } = this.#context
    this.#channel = pick.channel
    this.#attempts++
    if (this.#lastError !== undefined) counters.transfers.retries++
    const attempt = new AttemptAtEndpoint(this.#transfer, pick, {
      ...this.#context,
      observed: this.#observed,
      remainingMs: () => this.#endsAtMs - this.#context.clock.now(),
      progressed: () => {
        this.#failures = 0
        this.#hasProgressed = true
      }
    })
    this.#attempt = attempt
    // It has ended while its work waited for a source, or the pick was on its way: the permit goes back.
    if (this.#isOver) attempt.end(abortError('the transfer has ended'))
    return attempt.run(run)
  }

  /** Waits for the next attempt. @throws BlobwireError where there is none */
  async #beforeNext(found: BlobwireError, channel: Channel): Promise<void> {
    const { selector, policy, clock } = this.#context
    if (selector.fallsBack(this.#transfer, channel, found)) return
    const error = selector.failureOf(this.#transfer, channel, found)
    this.#failures++
    const elsewhere = selector.hasOther(this.#transfer, channel)
    const remainingMs = this.#endsAtMs - clock.now()
    const delay = policy.delayMs({ error, failures: this.#failures, remainingMs, elsewhere })
    if (typeof delay === 'string') throw refused(error, delay)
    this.#observed?.event('retry', { delayMs: delay, error })
    const { endpoint, transport } = channel
    const facts = {
      method: this.#method.name,
      delayMs: delay,
      attempts: this.#failures,
      ...factsOfError(error),
      endpoint,
      transport
    }
    this.#context.telemetry.report('retry', facts)
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(delay, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    if (this.#isOver) throw error
  }

  /** A pick, or the error of a transfer for which no breaker gave a permit in time. */
  #nextPick(): Promise<Pick | BlobwireError> | Pick {
    const { selector, clock, waits } = this.#context
    const { breakerWaitMs } = waits
    const pick = selector.pick(this.#transfer, this.#channel)
    if (pick !== undefined) return pick
    // What has got somewhere waits for its server as long as for a byte.
    const patienceMs = this.#hasProgressed ? Math.max(breakerWaitMs, this.#transfer.stallTimeoutMs) : breakerWaitMs
    return new Promise((resolve) => {
      this.#pick = (found) => {
        this.#pick = undefined
        resolve(found)
      }
      this.waitsUntilMs = Math.min(clock.now() + patienceMs, this.#endsAtMs)
      if (patienceMs > 0) selector.waitingRoom(this.#transfer).enter(this)
      else this.giveUp()
    })
  }

  begin(): boolean {
    const pick = this.#context.selector.pick(this.#transfer, this.#channel)
    if (pick === undefined) return false
    this.#pick?.(pick)
    return true
  }

  giveUp(): void {
    this.#pick?.(this.#context.selector.circuitOpen(this.#transfer))
  }

  #circuitOpen(error: BlobwireError): BlobwireError {
    return error.with({ cause: this.#lastError ?? error.cause })
  }
}

function methodOf({ direction }: Transfer): Method {
  return (direction === 'up' ? methods.uploadBlob : methods.downloadBlob) as Method
}

function observe(transfer: Transfer, { telemetry }: TransferContext) {
  const { direction, repository, timeoutMs } = transfer
  const method = direction === 'up' ? 'uploadBlob' : 'downloadBlob'
  const rpc = `${serviceName}/${methodOf(transfer).name}`
  return telemetry.callStarted({ method, rpc, repository, operations: 1, timeoutMs })
}

function refused(error: BlobwireError, refusal: RetryRefusal): BlobwireError {
  if (refusal === 'not_retryable' || hadNoConnection(error)) return error
  return error.with({ reason: refusal, cause: error })
}
