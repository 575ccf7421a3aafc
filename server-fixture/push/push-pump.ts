/**
 * Moves the events of the store into the outbox of the webhooks, in order for each repository. The store wrote each event
 * with its moves, so that neither a crash nor another server loses or invents one: after a start, the pump goes on behind the
 * last event whose deliveries are in the outbox.
 */
import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { pushEvent, type WebhookMessage } from '../../src/webhooks.ts'
import { matchesName } from '../auth.ts'
import type { RefEvent } from '../store/events.ts'
import type { Store } from '../store/store.ts'
import type { PushCursors } from './push-cursors.ts'
import type { PushDestination } from './push-options.ts'

/** Events of one reading. */
const pageSize = 100
/** Repositories that are read at the same time. */
const maxReading = 4
/** Time until the next try, where the outbox or the store refused the last one. */
const retryMs = 1000
const namesOfPage = 1000

export interface PushPumpContext {
  readonly store: Store
  readonly cursors: PushCursors
  readonly destinations: readonly PushDestination[]
  /** Resolves when the webhook is in the outbox. */
  readonly send: (message: WebhookMessage) => Promise<unknown>
  readonly log: (event: Readonly<Record<string, unknown>>) => void
  readonly clock?: Clock
}

export class PushPump {
  readonly #context: PushPumpContext
  readonly #clock: Clock
  /** Repositories with something to read. */
  readonly #waiting = new Set<string>()
  readonly #reading = new Map<string, Promise<void>>()
  readonly #cancels = new Set<() => void>()
  #unlisten: () => void
  #isClosed = false

  private constructor(context: PushPumpContext) {
    this.#context = context
    this.#clock = context.clock ?? systemClock
    this.#unlisten = context.store.onEvents((repository) => this.#wake(repository))
  }

  /** Begins behind the last event of the outbox; the first time, behind the last event that there is. */
  static async start(context: PushPumpContext): Promise<PushPump> {
    const pump = new PushPump(context)
    try {
      await pump.#begin()
    } catch (error) {
      await pump.close()
      throw error
    }
    return pump
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#unlisten()
    for (const cancel of this.#cancels) cancel()
    await Promise.all(this.#reading.values())
  }

  async #begin(): Promise<void> {
    const { store, cursors } = this.#context
    if (cursors.isNew) {
      for await (const name of this.#repositories()) {
        const { cursor } = await store.readEvents(name, { limit: 0 })
        cursors.set(name, cursor)
      }
      cursors.begun()
    }
    await this.#wakeAll()
    const pollMs = cursors.pollMs ?? store.eventPollMs
    if (pollMs !== undefined) this.#poll(pollMs)
  }

  #poll(everyMs: number): void {
    this.#later(everyMs, async () => {
      // The store may be away for a while.
      await this.#wakeAll().finally(() => this.#poll(everyMs))
    })
  }

  async #wakeAll(): Promise<void> {
    const { cursors } = this.#context
    const names = cursors.moved ? await cursors.moved() : this.#repositories()
    for await (const name of names) this.#wake(name)
  }

  async *#repositories(): AsyncGenerator<string> {
    const { store } = this.#context
    for (let after = ''; ; ) {
      const page = await store.listRepositories({ prefix: '', after, limit: namesOfPage })
      for (const { repository } of page) yield repository
      const last = page.at(-1)
      if (last === undefined || page.length < namesOfPage) return
      after = last.repository
    }
  }

  #wake(repository: string): void {
    if (this.#isClosed || !this.#isWanted(repository)) return
    this.#waiting.add(repository)
    this.#readNext()
  }

  #isWanted(repository: string): boolean {
    const { destinations } = this.#context
    return destinations.some(({ repositories }) => repositories.some((pattern) => matchesName(pattern, repository)))
  }

  #readNext(): void {
    for (const repository of this.#waiting) {
      if (this.#isClosed || this.#reading.size >= maxReading) return
      if (this.#reading.has(repository)) continue
      this.#waiting.delete(repository)
      const reading = this.#read(repository)
        .catch((error) => this.#failed(repository, error))
        .finally(() => {
          this.#reading.delete(repository)
          this.#readNext()
        })
      this.#reading.set(repository, reading)
    }
  }

  #failed(repository: string, error: unknown): void {
    const { log } = this.#context
    if (error instanceof BlobwireError && error.is('repository')) return
    const { code, reason, message } = error as Partial<BlobwireError>
    log({ event: 'push_failed', repository, code, reason, message })
    this.#later(retryMs, async () => this.#wake(repository))
  }

  #later(delayMs: number, work: () => Promise<void>): void {
    if (this.#isClosed) return
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#cancels.delete(cancel)
      work().catch((error) => this.#context.log({ event: 'push_failed', message: String(error) }))
    })
    this.#cancels.add(cancel)
  }

  async #read(repository: string): Promise<void> {
    const { store, cursors, log } = this.#context
    while (!this.#isClosed) {
      const after = cursors.get(repository) ?? (await store.oldestEvents(repository))
      const { events, cursor, state } = await store.readEvents(repository, { after, limit: pageSize })
      for (const event of events) await this.#send(repository, after.incarnation, event)
      if (state === 'gap') {
        log({ event: 'push_gap', repository, after: after.sequence })
        cursors.set(repository, await store.oldestEvents(repository))
        continue
      }
      if (cursor.sequence !== after.sequence || cursors.get(repository) === undefined) cursors.set(repository, cursor)
      // A repository of the same name may have been created since.
      if (state === 'ended') cursors.delete(repository)
      else if (state === 'current') return
    }
  }

  async #send(repository: string, incarnation: string, event: RefEvent): Promise<void> {
    const { destinations, send } = this.#context
    const { sequence, requestId, timeMs } = event
    for (const { id, repositories, refs } of destinations) {
      if (!repositories.some((pattern) => matchesName(pattern, repository))) continue
      const moves = event.moves.filter(({ name }) => refs.some((prefix) => name.startsWith(prefix)))
      if (moves.length === 0) continue
      const data = { repository, sequence, ...(requestId === undefined ? {} : { requestId }), moves }
      // The same after a crash, so that receivers leave it out, and different at each destination, whose moves differ.
      const named = createHash('sha256').update(`${repository}\0${incarnation}\0${sequence}\0${id}`).digest('hex')
      const message = { ...pushEvent(data, timeMs), id: `push_${named.slice(0, 40)}`, destinations: [id] }
      await send({ ...message, orderingKey: repository })
    }
  }
}
