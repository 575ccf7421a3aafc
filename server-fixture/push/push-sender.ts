/** Push events: webhooks of the server for the moves of refs. */
import { type WebhookDeadLetter, type WebhookMessage, WebhookSender } from '../../src/webhooks.ts'
import type { WebhookFigures } from '../metrics/snapshot.ts'
import type { Store } from '../store/store.ts'
import { openCursors, type PushCursors } from './push-cursors.ts'
import type { PushOptions } from './push-options.ts'
import { PushPump } from './push-pump.ts'
import { isBrokenOff, type PushTerm, SharedCursors } from './shared-cursors.ts'

/** Time for deliveries under way when the server closes; later ones go on after the next start. */
const drainMs = 2000

export interface PushSenderContext {
  readonly store: Store
  readonly log: (event: Readonly<Record<string, unknown>>) => void
  /** Of this server among several on one store, whose outbox is in memory. Undefined = it is the only one. */
  readonly term?: PushTerm
}

/** Sends push events until it is closed. */
export class PushSender {
  readonly #sender: WebhookSender
  readonly #pump: PushPump
  readonly #cursors: PushCursors

  private constructor(sender: WebhookSender, pump: PushPump, cursors: PushCursors) {
    this.#sender = sender
    this.#pump = pump
    this.#cursors = cursors
  }

  /** @throws BlobwireError for destinations that are wrong */
  static check(options: PushOptions): void {
    void openSender({ ...options, outbox: undefined }).close({ drainMs: 0 })
  }

  /** @throws BlobwireError for destinations and files that are wrong */
  static async start(options: PushOptions, { store, log, term }: PushSenderContext): Promise<PushSender> {
    const { destinations, outbox } = options
    const onDeadLetter = (dead: WebhookDeadLetter) => {
      const { letter, destination, id, error } = dead
      // Another server sends it.
      if (term && isBrokenOff(dead)) return
      log({ event: 'push_dead_letter', letter, destination, id, code: error.code, message: error.message })
    }
    const sender = openSender(term ? { ...options, outbox: undefined } : options, onDeadLetter)
    let cursors: PushCursors | undefined
    try {
      const shared = term && (await SharedCursors.open(term, (message) => sender.deliver(message)))
      cursors = shared ?? openCursors(outbox && `${outbox}-cursors`)
      const send = (message: WebhookMessage) => (shared ?? sender).send(message)
      return new PushSender(sender, await PushPump.start({ store, cursors, destinations, send, log }), cursors)
    } catch (error) {
      await cursors?.close()
      await sender.close()
      throw error
    }
  }

  /** By destination. */
  figures(): Readonly<Record<string, WebhookFigures>> {
    return Object.fromEntries(
      this.#sender
        .stats()
        .destinations.map(({ id, pending, dead, delivered, failedAttempts, breaker }) => [
          id,
          { waiting: pending, dead, delivered, failedAttempts, breakerOpen: Number(breaker !== 'closed') }
        ])
    )
  }

  /** @param drainTimeMs time for deliveries under way */
  async close(drainTimeMs = drainMs): Promise<void> {
    await this.#pump.close()
    await this.#sender.close({ drainMs: drainTimeMs })
    await this.#cursors.close()
  }
}

function openSender(
  { destinations, outbox, guard, retry }: PushOptions,
  onDeadLetter?: (letter: WebhookDeadLetter) => void
): WebhookSender {
  return new WebhookSender({
    destinations: destinations.map(({ repositories: _repositories, refs: _refs, ...destination }) => destination),
    outbox: { file: outbox },
    onDeadLetter,
    guard,
    retry
  })
}
