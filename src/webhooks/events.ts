/** The facts that a sender tells: deliveries that arrived, and those that were given up. */
import type { BlobwireError } from '../core/error.ts'

/** A delivery: a webhook on its way to one destination. */
interface Delivery {
  /** Id of the webhook, the same for all destinations and attempts. */
  readonly id: string
  readonly type: string
  /** Id of the destination. */
  readonly destination: string
  /** Attempts so far. */
  readonly attempts: number
}

/** A delivery that arrived. */
export interface WebhookDelivered extends Delivery {
  readonly state: 'delivered'
  /** Status of the answer, from 200 to 299. */
  readonly status: number
  /** Time from `send` to the answer, in milliseconds. */
  readonly afterMs: number
}

/** A delivery that was given up. */
export interface WebhookDeadLetter extends Delivery {
  readonly state: 'dead'
  /** Number of the letter in the outbox, for `redeliver` and `discard`. */
  readonly letter: number
  readonly body: Uint8Array
  /** Time of `send`, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly sentAtMs: number
  /** Time at which the delivery was given up. */
  readonly deadAtMs: number
  /** Status of the last answer; undefined where there was none. */
  readonly status: number | undefined
  /** The failure of the last attempt. */
  readonly error: BlobwireError
}

/** How a delivery ended. */
export type WebhookOutcome = WebhookDelivered | WebhookDeadLetter
