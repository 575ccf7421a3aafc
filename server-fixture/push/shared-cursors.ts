/**
 * How far the events of each repository have been delivered, in the store, for whichever server sends next. The outbox of
 * this server dies with it: a place is kept once all deliveries before it have ended, not once they are in the outbox.
 */
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { WebhookMessage, WebhookOutcome } from '../../src/webhooks.ts'
import type { EventCursor } from '../store/events.ts'
import type { PushLedger, PushPlace } from '../store/push-ledger.ts'
import type { PushCursors } from './push-cursors.ts'

/** Time until the next try, where the outbox refused a delivery. */
const retryMs = 1000

/** Resolves when the deliveries of the webhook have ended; rejects where the outbox refuses it or closes. */
type Deliver = (message: WebhookMessage) => Promise<readonly WebhookOutcome[]>

/** Whether a delivery ended because this server's outbox closed, which makes dead letters of what is in memory. */
export const isBrokenOff = (outcome: WebhookOutcome): boolean =>
  outcome.state === 'dead' && outcome.error.is('client_closed')

/** The term of one sender. */
export interface PushTerm {
  readonly ledger: PushLedger
  /** Of the lease. */
  readonly holder: string
  readonly clock?: Clock
  /** Another server holds the lease. */
  onLost(): void
}

export class SharedCursors implements PushCursors {
  /** The store has kept the places of the beginning. */
  readonly isNew = false
  /** Of moves at other servers: the question is one of all repositories. */
  readonly pollMs = 1000
  readonly #term: PushTerm
  readonly #deliver: Deliver
  /** Where this server goes on, which is ahead of what is kept. */
  readonly #places: Map<string, EventCursor>
  /** By repository: ends of the deliveries since the last place. */
  readonly #deliveries = new Map<string, Promise<boolean>[]>()
  /** By repository: the last place is kept. False = a delivery before it did not end. */
  readonly #kept = new Map<string, Promise<boolean>>()
  readonly #cancels = new Set<() => void>()
  #isClosed = false

  private constructor(term: PushTerm, deliver: Deliver, known: readonly PushPlace[]) {
    this.#term = term
    this.#deliver = deliver
    this.#places = new Map(known.map(({ repository, cursor }) => [repository, cursor]))
  }

  /** Nothing is sent before the places of the beginning are kept: another server would begin behind what was not delivered. */
  static async open(term: PushTerm, deliver: Deliver): Promise<SharedCursors> {
    const { ledger, holder } = term
    const known = await ledger.places()
    if (known) return new SharedCursors(term, deliver, known)
    if (!(await ledger.begin(holder))) throw new Error('another server has the lease')
    return new SharedCursors(term, deliver, (await ledger.places()) ?? [])
  }

  get(repository: string): EventCursor | undefined {
    return this.#places.get(repository)
  }

  set(repository: string, cursor: EventCursor): void {
    this.#places.set(repository, cursor)
    this.#keep(repository, cursor)
  }

  delete(repository: string): void {
    this.#places.delete(repository)
    this.#keep(repository, undefined)
  }

  begun(): void {}

  /** Repositories whose present place is another one than that up to which this server has read. */
  async moved(): Promise<string[]> {
    const present = await this.#term.ledger.present()
    const moved = present.filter(({ repository, cursor: { incarnation, sequence } }) => {
      const at = this.#places.get(repository)
      return at?.incarnation !== incarnation || at.sequence !== sequence
    })
    const names = new Set(present.map(({ repository }) => repository))
    const gone = [...this.#places.keys()].filter((name) => !names.has(name))
    return [...moved.map(({ repository }) => repository), ...gone]
  }

  /** Takes a webhook of a repository. */
  async send(message: WebhookMessage): Promise<void> {
    const repository = message.orderingKey ?? ''
    const deliveries = this.#deliveries.get(repository) ?? []
    deliveries.push(this.#delivered(message))
    this.#deliveries.set(repository, deliveries)
  }

  /** False = this server does not know how it ended. */
  async #delivered(message: WebhookMessage): Promise<boolean> {
    while (!this.#isClosed) {
      try {
        const outcomes = await this.#deliver(message)
        if (!outcomes.some(isBrokenOff)) return true
      } catch {
        // The outbox refused it, or closes.
      }
      if (!this.#isClosed) await this.#later()
    }
    return false
  }

  #later(): Promise<void> {
    const { clock = systemClock } = this.#term
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        this.#cancels.delete(end)
        resolve()
      }
      const cancel = clock.schedule(retryMs, end)
      this.#cancels.add(end)
    })
  }

  #keep(repository: string, cursor: EventCursor | undefined): void {
    const { ledger, holder, onLost } = this.#term
    const deliveries = this.#deliveries.get(repository) ?? []
    this.#deliveries.delete(repository)
    const before = this.#kept.get(repository) ?? Promise.resolve(true)
    const keep = async () => {
      const haveEnded = await Promise.all([before, ...deliveries])
      if (!haveEnded.every(Boolean)) return false
      if (await ledger.keep(holder, repository, cursor)) return true
      // A place that was there no more is forgotten, too.
      if (cursor) onLost()
      return cursor === undefined
    }
    this.#chain(repository, keep())
  }

  /** Where the database failed, the next place tells the same and more. */
  #chain(repository: string, kept: Promise<boolean>): void {
    const settled = kept
      .catch(() => true)
      .then((isKept) => {
        if (isKept && this.#kept.get(repository) === settled) this.#kept.delete(repository)
        return isKept
      })
    this.#kept.set(repository, settled)
  }

  /** Nothing is delivered any more: what did not end is not kept. Resolves when all else is. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const end of this.#cancels) end()
    await Promise.all(this.#kept.values())
  }
}
