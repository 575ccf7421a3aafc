/** Dead letters: as the application sees them, and the telling of each until its callback has returned. */
import type { Clock } from '../core/clock.ts'
import type { Code } from '../core/code.ts'
import { BlobwireError } from '../core/error.ts'
import type { WebhookDeadLetter } from './events.ts'
import type { Outbox, StoredDelivery, StoredError } from './outbox.ts'

/** Letters that are leased together, and the time for their callbacks, in milliseconds. */
const batch = 20
const leaseMs = 60_000

/** Time after which a callback that failed is called again, in milliseconds. */
const againMs = 30_000

/** The error of an attempt, as the outbox kept it. */
function errorOf(error: StoredError | undefined): BlobwireError {
  const { code, reason, message } = error ?? { code: 'unknown', reason: '', message: 'given up' }
  return new BlobwireError({ code: code as Code, reason, message })
}

export function deadLetterOf(stored: StoredDelivery): WebhookDeadLetter {
  const { sequence, id, type, destination, attempts, body, sentAtMs, deadAtMs, error } = stored
  return {
    state: 'dead',
    letter: sequence,
    ...{ id, type, destination, attempts, body, sentAtMs, deadAtMs },
    status: error?.status,
    error: errorOf(error)
  }
}

/** The dependencies of the telling. */
export interface TellingContext {
  readonly outbox: Outbox
  readonly clock: Clock
  readonly onDeadLetter: ((letter: WebhookDeadLetter) => void | Promise<void>) | undefined
  onOutboxFailure(error: unknown): void
}

/** Tells the application of dead letters, one after the other. */
export class Telling {
  readonly #context: TellingContext
  #underWay: Promise<void> | undefined

  constructor(context: TellingContext) {
    this.#context = context
  }

  /** Tells of the letters of which the application has not been told. Resolves when none is left. */
  tell(): Promise<void> {
    if (this.#context.onDeadLetter === undefined) return Promise.resolve()
    this.#underWay ??= this.#tellAll()
      .catch((error) => this.#context.onOutboxFailure(error))
      .finally(() => {
        this.#underWay = undefined
      })
    return this.#underWay
  }

  async #tellAll(): Promise<void> {
    const { outbox, clock } = this.#context
    for (;;) {
      const nowMs = clock.wallTimeMs()
      const letters = outbox.claimUntold(batch, { nowMs, leaseEndsAtMs: nowMs + leaseMs })
      if (letters.length === 0) return
      for (const letter of letters) await this.#tellOne(letter)
    }
  }

  async #tellOne(letter: StoredDelivery): Promise<void> {
    const { outbox, clock, onDeadLetter } = this.#context
    try {
      await onDeadLetter?.(deadLetterOf(letter))
      outbox.setTold(letter)
    } catch {
      outbox.setTold(letter, clock.wallTimeMs() + againMs)
    }
  }
}
