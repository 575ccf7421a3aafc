/** The moving parts of a sender: outbox, channels, dead letters, and their end. */
import type { Clock } from '../core/clock.ts'
import { newCounters } from '../core/counters.ts'
import { Latency } from '../core/latency.ts'
import { beginWork, endWork } from '../platform/process-hold.ts'
import { DestinationChannel } from './channel.ts'
import { deadLetterOf, Telling } from './dead-letters.ts'
import type { ResolvedDestination } from './destination.ts'
import type { WebhookDelivered, WebhookOutcome } from './events.ts'
import type { ResolvedSenderOptions } from './options.ts'
import { type InsertedMessage, type NewMessage, Outbox, type StoredDelivery } from './outbox.ts'
import { closed } from './receiver.ts'
import { Submissions } from './submissions.ts'
import type { Verdict } from './verdict.ts'
import { Waiters } from './waiters.ts'

/** Time between two looks at what other processes left, and at what has expired, in milliseconds. */
const tickMs = 1000

/** Least time of a closing sender for the callbacks of dead letters, in milliseconds. */
const leastTellingMs = 1000

/** The clock and the chance of a sender. */
export interface SenderInternals {
  readonly clock: Clock
  readonly random: () => number
}

export class SenderEngine {
  readonly #options: ResolvedSenderOptions
  readonly #internals: SenderInternals
  readonly #submissions: Submissions
  readonly #telling: Telling
  /** Channels of destinations that were removed, until their attempts have ended. */
  readonly #leaving = new Set<Promise<void>>()
  readonly outbox: Outbox
  readonly channels = new Map<string, DestinationChannel>()
  readonly waiters = new Waiters()
  readonly counters = newCounters()
  readonly latency = new Latency()
  outboxFailures = 0
  /** The outbox cannot be read any more. */
  isClosed = false
  #cancelTick = () => {}
  #whenEmpty: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(options: ResolvedSenderOptions, internals: SenderInternals) {
    this.#options = options
    this.#internals = internals
    this.outbox = new Outbox(options.outbox)
    this.#submissions = new Submissions(this.outbox)
    const { onDeadLetter } = options
    const onOutboxFailure = () => this.#outboxFailed()
    this.#telling = new Telling({ outbox: this.outbox, clock: internals.clock, onDeadLetter, onOutboxFailure })
    this.#tick()
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** Resolves when the webhook is in the outbox. Its attempts begin. */
  async add(message: NewMessage): Promise<InsertedMessage> {
    if (message.destinations.length === 0) return { pending: [], dead: [] }
    const inserted = await this.#submissions.add(message)
    for (const id of inserted.pending) this.channels.get(id)?.wake()
    for (const id of inserted.dead) this.#isDead(message.id, id)
    return inserted
  }

  setDestination(destination: ResolvedDestination): void {
    let channel = this.channels.get(destination.id)
    if (channel) channel.replace(destination)
    else {
      channel = this.#newChannel(destination)
      this.channels.set(destination.id, channel)
    }
    channel.wake()
  }

  removeDestination(id: string): void {
    const channel = this.channels.get(id)
    if (channel === undefined) return
    this.channels.delete(id)
    const left = channel.drain().then(() => channel.close())
    this.#leaving.add(left)
    left.finally(() => this.#leaving.delete(left)).catch(() => undefined)
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs)
    return this.#closing
  }

  async #close(drainMs: number): Promise<void> {
    beginWork()
    try {
      this.#submissions.flush()
      if (drainMs > 0) await this.#within(drainMs, this.#drain())
      this.#cancelTick()
      await Promise.all([...this.channels.values()].map((channel) => channel.close()))
      await Promise.all(this.#leaving)
      if (this.#isInMemory) this.#buryAll()
      // A callback that never returns holds up no end; its letter is told by the next process.
      await this.#within(Math.max(drainMs, leastTellingMs), this.#telling.tell())
      this.waiters.close(closed())
      this.isClosed = true
      this.outbox.close()
    } finally {
      endWork()
    }
  }

  get #isInMemory(): boolean {
    return this.#options.outbox.file === undefined
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#internals.clock.schedule(ms, resolve)
    })
    await Promise.race([work, late])
    cancel()
  }

  async #drain(): Promise<void> {
    if (this.#isInMemory) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve
        this.#lookWhetherEmpty()
      })
    }
    await Promise.all([...this.channels.values()].map((channel) => channel.drain()))
  }

  #lookWhetherEmpty(): void {
    if (this.#whenEmpty === undefined) return
    const counts = [...this.outbox.counts().values()]
    if (counts.every(({ pending }) => pending === 0)) this.#whenEmpty()
  }

  #buryAll(): void {
    const { code, reason, message } = closed()
    const letters = this.outbox.buryAll({ code, reason, message }, this.#internals.clock.wallTimeMs())
    for (const letter of letters) this.waiters.ended(deadLetterOf(letter))
  }

  /** The timer of what no event of this process tells: expiry, and deliveries that other processes added or left. */
  #tick(): void {
    this.#cancelTick = this.#internals.clock.schedule(tickMs, () => this.#tick())
    try {
      const { onDeadLetter } = this.#options
      const expired = this.outbox.sweep(this.#internals.clock.wallTimeMs(), onDeadLetter !== undefined)
      for (const letter of expired) this.waiters.ended(deadLetterOf(letter))
      for (const [id, { pending }] of this.outbox.counts()) if (pending > 0) this.channels.get(id)?.wake()
      this.#lookWhetherEmpty()
    } catch {
      this.#outboxFailed()
    }
    this.#telling.tell()
  }

  #newChannel(destination: ResolvedDestination): DestinationChannel {
    return new DestinationChannel(destination, {
      ...this.#internals,
      options: this.#options,
      outbox: this.outbox,
      counters: this.counters,
      latency: this.latency,
      onOutboxFailure: () => this.#outboxFailed(),
      onEnd: (delivery, verdict) => this.#ended(delivery, verdict)
    })
  }

  #ended(delivery: StoredDelivery, { state, status = 0 }: Verdict): void {
    if (state === 'delivered') void this.#delivered(delivery, status)
    else if (state === 'dead') this.#isDead(delivery.id, delivery.destination)
    this.#lookWhetherEmpty()
  }

  async #delivered({ id, type, destination, attempts, sentAtMs }: StoredDelivery, status: number): Promise<void> {
    const afterMs = Math.max(0, this.#internals.clock.wallTimeMs() - sentAtMs)
    const facts: WebhookDelivered = {
      state: 'delivered',
      id,
      type,
      destination,
      attempts: attempts + 1,
      status,
      afterMs
    }
    this.waiters.ended(facts)
    try {
      await this.#options.onDelivered?.(facts)
    } catch {
      // The delivery has arrived, whatever the application thinks of it.
    }
  }

  #isDead(id: string, destination: string): void {
    const letter = this.waiters.has(id) ? this.outbox.find(id, destination) : undefined
    if (letter) this.waiters.ended(deadLetterOf(letter) satisfies WebhookOutcome)
    this.#telling.tell()
  }

  #outboxFailed(): void {
    this.outboxFailures++
  }
}
