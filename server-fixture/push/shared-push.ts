/**
 * Push events of several servers on one store: one of them sends, for as long as it holds the lease, and another one goes
 * on from the places in the store when that one has gone. By the clock of the database, a lease ends for others no sooner
 * than for its holder, who counts from before it asked.
 */
import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { WebhookFigures } from '../metrics/snapshot.ts'
import type { PushLedger } from '../store/push-ledger.ts'
import type { PushOptions } from './push-options.ts'
import { PushSender, type PushSenderContext } from './push-sender.ts'

/** Another server goes on after this time, and a third of it, when the one that sends is killed. */
const leaseMs = 9000

const idle: WebhookFigures = { waiting: 0, dead: 0, delivered: 0, failedAttempts: 0, breakerOpen: 0 }

export interface SharedPushContext extends PushSenderContext {
  readonly ledger: PushLedger
  readonly clock?: Clock
  /** Time for deliveries under way when the server closes, in milliseconds; those of `PushSender` by default. */
  readonly drainMs?: number
}

export class SharedPush {
  readonly #options: PushOptions
  readonly #context: SharedPushContext
  readonly #clock: Clock
  readonly #holder = randomUUID()
  #sender: PushSender | undefined
  /** A sender that reads its places first, while the lease is renewed. */
  #starting: Promise<void> | undefined
  /** Of this server, each of which has a sender of its own. */
  #terms = 0
  #heldUntilMs = Number.NEGATIVE_INFINITY
  #turn: Promise<void> = Promise.resolve()
  #cancelTurn: (() => void) | undefined
  #cancelEnd: (() => void) | undefined
  #isClosed = false

  private constructor(options: PushOptions, context: SharedPushContext) {
    this.#options = options
    this.#context = context
    this.#clock = context.clock ?? systemClock
  }

  /** @throws BlobwireError for destinations that are wrong */
  static async start(options: PushOptions, context: SharedPushContext): Promise<SharedPush> {
    PushSender.check(options)
    const push = new SharedPush(options, context)
    push.#takeTurn()
    await push.#turn
    await push.#starting
    return push
  }

  /** Whether this server is the one that sends. */
  get isSending(): boolean {
    return this.#sender !== undefined
  }

  /** By destination: of this server. */
  figures(): Readonly<Record<string, WebhookFigures>> {
    return this.#sender?.figures() ?? Object.fromEntries(this.#options.destinations.map(({ id }) => [id, idle]))
  }

  #takeTurn(): void {
    if (this.#isClosed) return
    this.#cancelTurn = this.#clock.schedule(leaseMs / 3, () => this.#takeTurn())
    // One at a time: a database that is away holds calls for long.
    const before = this.#turn
    this.#turn = this.#take(before)
  }

  async #take(before: Promise<void>): Promise<void> {
    await before
    if (this.#isClosed) return
    const { ledger, log } = this.#context
    const askedMs = this.#clock.now()
    try {
      if (await ledger.takeLease(this.#holder, leaseMs / 1000)) this.#hold(askedMs)
      else await this.#end(0)
    } catch (error) {
      log({ event: 'push_failed', message: `the lease of push events: ${(error as Error).message}` })
    }
  }

  #hold(askedMs: number): void {
    this.#heldUntilMs = askedMs + leaseMs
    this.#cancelEnd?.()
    this.#cancelEnd = this.#clock.schedule(this.#heldUntilMs - this.#clock.now(), () => void this.#end(0))
    if (this.#sender || this.#isClosed) return
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
  }

  async #start(): Promise<void> {
    const { ledger, store, log, clock } = this.#context
    const number = ++this.#terms
    const term = { ledger, holder: this.#holder, clock: clock ?? systemClock, onLost: () => void this.#end(0) }
    try {
      const sender = await PushSender.start(this.#options, { store, log, term })
      if (number !== this.#terms) return await sender.close(0)
      this.#sender = sender
      log({ event: 'push_term', state: 'began' })
    } catch (error) {
      log({ event: 'push_failed', message: `the places of push events: ${(error as Error).message}` })
    }
  }

  /** Another server sends, or may: what is under way is broken off. */
  async #end(drainTimeMs?: number): Promise<void> {
    this.#cancelEnd?.()
    this.#terms++
    const sender = this.#sender
    this.#sender = undefined
    if (sender === undefined) return
    this.#context.log({ event: 'push_term', state: 'ended' })
    await sender.close(drainTimeMs)
  }

  /** Lets another server go on at once. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelTurn?.()
    await this.#turn
    await this.#starting
    await this.#end(this.#clock.now() < this.#heldUntilMs ? this.#context.drainMs : 0)
    await this.#context.ledger.releaseLease(this.#holder).catch(() => undefined)
  }
}
