/** Callers of `deliver`, who wait for the ends of a webhook's deliveries. */
import type { BlobwireError } from '../core/error.ts'
import type { WebhookOutcome } from './events.ts'

/** One caller. The ends are collected from before the webhook is in the outbox on. */
export class Waiter {
  readonly #ends = new Map<string, WebhookOutcome>()
  #wanted: readonly string[] | undefined
  #settle: { resolve(outcomes: WebhookOutcome[]): void; reject(error: BlobwireError): void } | undefined
  #failure: BlobwireError | undefined

  /** Resolves when the deliveries to these destinations have ended. */
  whenEnded(destinations: readonly string[]): Promise<WebhookOutcome[]> {
    this.#wanted = destinations
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#look()
    })
  }

  ended(outcome: WebhookOutcome): void {
    this.#ends.set(outcome.destination, outcome)
    this.#look()
  }

  fail(error: BlobwireError): void {
    this.#failure = error
    this.#look()
  }

  #look(): void {
    const ends = this.#wanted?.map((destination) => this.#ends.get(destination))
    if (ends?.every((end) => end !== undefined)) this.#settle?.resolve(ends as WebhookOutcome[])
    else if (this.#failure) this.#settle?.reject(this.#failure)
  }
}

/** Waiters by the id of their webhook. */
export class Waiters {
  readonly #waiters = new Map<string, Set<Waiter>>()

  open(id: string): Waiter {
    const waiter = new Waiter()
    const all = this.#waiters.get(id) ?? new Set()
    this.#waiters.set(id, all.add(waiter))
    return waiter
  }

  leave(id: string, waiter: Waiter): void {
    const all = this.#waiters.get(id)
    if (all?.delete(waiter) && all.size === 0) this.#waiters.delete(id)
  }

  has(id: string): boolean {
    return this.#waiters.has(id)
  }

  ended(outcome: WebhookOutcome): void {
    for (const waiter of this.#waiters.get(outcome.id) ?? []) waiter.ended(outcome)
  }

  /** No delivery ends any more. */
  close(error: BlobwireError): void {
    for (const all of this.#waiters.values()) for (const waiter of all) waiter.fail(error)
  }
}
