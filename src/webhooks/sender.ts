/// <reference lib="esnext.disposable" preserve="true" />
/** Sends webhooks. */
import { connectionStats } from '../connection/stats.ts'
import { checkKeys, checkObject, numberProblem, show } from '../core/check-options.ts'
import { systemClock } from '../core/clock.ts'
import { invalidArgument } from '../core/error.ts'
import { beginWork, endWork } from '../platform/process-hold.ts'
import { deadLetterOf } from './dead-letters.ts'
import { resolveDestination, type WebhookDestination } from './destination.ts'
import { SenderEngine, type SenderInternals } from './engine.ts'
import type { WebhookDeadLetter, WebhookOutcome } from './events.ts'
import { newMessageId, toMessage, type WebhookMessage } from './message.ts'
import { type ResolvedSenderOptions, resolveSender, type WebhookSenderOptions } from './options.ts'
import { closed } from './receiver.ts'
import type { WebhookStats } from './stats.ts'

const defaultDrainMs = 10_000
const defaultLimit = 100

/** A webhook that is in the outbox. */
export interface WebhookReceipt {
  /** Id of the webhook. */
  readonly id: string
  /** Destinations to which it is on its way. */
  readonly pending: readonly string[]
  /** Destinations for which too many deliveries wait: the delivery became a dead letter. */
  readonly dead: readonly string[]
}

/** Options of `deadLetters`. */
export interface DeadLettersOptions {
  /**
   * Id of a destination.
   * @default all
   */
  destination?: string | undefined
  /**
   * Number of a letter; those after it are given.
   * @default 0
   */
  after?: number | undefined
  /**
   * Most letters.
   * @default 100
   */
  limit?: number | undefined
}

/** Options of `close`. */
export interface CloseSenderOptions {
  /**
   * Time for deliveries under way, in milliseconds.
   * @default 10000
   */
  drainMs?: number | undefined
}

/**
 * Sends webhooks, signed after Standard Webhooks, to destinations that do not hurt each other. What `send` accepted arrives
 * at least once, or becomes a dead letter.
 *
 * @example
 * const sender = new WebhookSender({
 *   destinations: [{ id: 'ci', url: 'https://ci.example.org/hooks', secrets: process.env.CI_SECRET }],
 *   outbox: { file: 'webhooks.db' },
 *   onDeadLetter: ({ destination, error }) => console.error(destination, error.message)
 * })
 * await sender.send({ type: 'invoice.paid', data: { invoice: 7 } })
 * await sender.close()
 */
export class WebhookSender {
  readonly #options: ResolvedSenderOptions
  readonly #clock: SenderInternals['clock']
  readonly #engine: SenderEngine

  /**
   * Opens the outbox. Deliveries in it go on.
   * @throws BlobwireError `invalid_argument` naming the option, the value and the allowed values; `permission_denied`,
   * reason `address_refused`, for a URL that the guard refuses; `failed_precondition`, reason `data_format`
   */
  constructor(options?: WebhookSenderOptions)
  /** @internal */
  constructor(options: WebhookSenderOptions | undefined, internals: SenderInternals)
  constructor(options?: WebhookSenderOptions, internals = { clock: systemClock, random: Math.random }) {
    this.#options = resolveSender(options)
    this.#clock = internals.clock
    const { destinations = [] } = options ?? {}
    if (!Array.isArray(destinations)) {
      throw invalidArgument('destinations', `must be a list, not ${show(destinations)}`)
    }
    const ids = new Set<string>()
    const resolved = destinations.map((each, index) => {
      const destination = resolveDestination(`destinations[${index}]`, each, this.#options)
      if (ids.has(destination.id))
        throw invalidArgument(`destinations[${index}].id`, `${show(destination.id)} is given twice`)
      ids.add(destination.id)
      return destination
    })
    this.#engine = new SenderEngine(this.#options, internals)
    for (const destination of resolved) this.#engine.setDestination(destination)
  }

  /**
   * Adds a webhook to the outbox; the promise settles when it is on the disk, before any attempt.
   * @throws BlobwireError `invalid_argument`; `resource_exhausted`, reason `queue_full`; `unavailable`, reason
   * `outbox_failed`; `cancelled`, reason `client_closed`
   */
  async send(message: WebhookMessage): Promise<WebhookReceipt> {
    if (this.#engine.isClosing) throw closed()
    const { channels } = this.#engine
    const made = toMessage(message, {
      nowMs: this.#clock.wallTimeMs(),
      expiresAfterMs: this.#options.expiresAfterMs,
      maxBodyBytes: this.#options.outbox.maxBodyBytes,
      destinationsOf: (type) =>
        [...channels].filter(([, { destination }]) => destination.types?.has(type) ?? true).map(([id]) => id),
      isDestination: (id) => channels.has(id)
    })
    return { id: made.id, ...(await this.#engine.add(made)) }
  }

  /**
   * Sends a webhook, and waits until it has arrived at each destination or was given up there. For an outbox that no other
   * process shares.
   * @throws BlobwireError as `send` does; `cancelled`, reason `client_closed`, where the sender is closed before the end
   */
  async deliver(message: WebhookMessage): Promise<WebhookOutcome[]> {
    const { waiters } = this.#engine
    const { id = newMessageId(), ...rest } = checkObject('message', message)
    const waiter = waiters.open(id)
    // The wait for a retry holds no process, but somebody waits for this delivery.
    beginWork()
    try {
      const { pending, dead } = await this.send({ ...rest, id })
      return await waiter.whenEnded([...pending, ...dead])
    } finally {
      waiters.leave(id, waiter)
      endWork()
    }
  }

  /**
   * Adds a destination, or replaces the one of the same id: the next attempts use its URL, secrets and headers.
   * @throws BlobwireError as the constructor does
   */
  addDestination(destination: WebhookDestination): void {
    if (this.#engine.isClosing) throw closed()
    this.#engine.setDestination(resolveDestination('destination', destination, this.#options))
  }

  /** Makes no further attempts at a destination. Its deliveries wait until it is added again, or expire. */
  removeDestination(id: string): void {
    this.#engine.removeDestination(id)
  }

  /** The dead letters that are kept, oldest first. @throws BlobwireError `cancelled`, reason `client_closed`, after `close` */
  deadLetters(options?: DeadLettersOptions): WebhookDeadLetter[] {
    const given = checkObject('options', options)
    checkKeys('', given, ['destination', 'after', 'limit'])
    const { destination, after = 0, limit = defaultLimit } = given
    return this.#outbox.deadLetters(destination, after, limit).map(deadLetterOf)
  }

  /** Sends a dead letter again, with the same id and all attempts. False = there is no such letter. */
  redeliver(letter: number): boolean {
    const nowMs = this.#clock.wallTimeMs()
    const destination = this.#outbox.revive(letter, nowMs, nowMs + this.#options.expiresAfterMs)
    if (destination === undefined) return false
    this.#engine.channels.get(destination)?.wake()
    return true
  }

  /** Removes a dead letter. False = there is no such letter. */
  discard(letter: number): boolean {
    return this.#outbox.discard(letter)
  }

  /** Counts of now. After `close`, nothing is known of what waits in the file. */
  stats(): WebhookStats {
    const { outbox, channels, latency, counters, outboxFailures, isClosed } = this.#engine
    const counts: ReturnType<typeof outbox.counts> = isClosed ? new Map() : outbox.counts()
    const all = [...counts.values()]
    return {
      pending: all.reduce((sum, { pending }) => sum + pending, 0),
      dead: all.reduce((sum, { dead }) => sum + dead, 0),
      latency: latency.summary(),
      connections: connectionStats(counters.connections),
      outboxFailures,
      destinations: [...channels].map(([id, channel]) => ({
        ...{ id, pending: 0, dead: 0, ...counts.get(id), ...channel.counters },
        inFlight: channel.running,
        breaker: channel.breakerState,
        breakerOpenings: channel.openings
      }))
    }
  }

  get #outbox() {
    if (this.#engine.isClosed) throw closed()
    return this.#engine.outbox
  }

  /**
   * Ends the sender. Attempts under way have `drainMs` for their end; later ones are broken off, and repeated by the next
   * process that opens the file. Without a file, the deliveries that wait have the same time, and then become dead letters.
   * Resolves when the dead letters are told, too.
   */
  close(options?: CloseSenderOptions): Promise<void> {
    const { drainMs = defaultDrainMs } = checkObject('options', options)
    const problem = numberProblem(drainMs, { least: 0 })
    if (problem !== undefined) throw invalidArgument('drainMs', problem)
    return this.#engine.close(drainMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
