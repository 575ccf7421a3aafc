/** Push events: webhooks of the server for the moves of refs. */
import { type WebhookDeadLetter, WebhookSender } from '../../src/webhooks.ts'
import type { WebhookFigures } from '../metrics/snapshot.ts'
import type { Store } from '../store/store.ts'
import { openCursors } from './push-cursors.ts'
import type { PushOptions } from './push-options.ts'
import { PushPump } from './push-pump.ts'

/** Time for deliveries under way when the server closes; later ones go on after the next start. */
const drainMs = 2000

export interface PushSenderContext {
  readonly store: Store
  readonly log: (event: Readonly<Record<string, unknown>>) => void
}

/** Sends push events until it is closed. */
export class PushSender {
  readonly #sender: WebhookSender
  readonly #pump: PushPump
  readonly #closeCursors: () => void

  private constructor(sender: WebhookSender, pump: PushPump, closeCursors: () => void) {
    this.#sender = sender
    this.#pump = pump
    this.#closeCursors = closeCursors
  }

  /** @throws BlobwireError for destinations and files that are wrong */
  static async start(options: PushOptions, { store, log }: PushSenderContext): Promise<PushSender> {
    const { destinations, outbox, guard, retry } = options
    const onDeadLetter = ({ letter, destination, id, error }: WebhookDeadLetter) =>
      log({ event: 'push_dead_letter', letter, destination, id, code: error.code, message: error.message })
    const sender = new WebhookSender({
      destinations: destinations.map(({ repositories: _repositories, refs: _refs, ...destination }) => destination),
      outbox: { file: outbox },
      onDeadLetter,
      guard,
      retry
    })
    const cursors = openCursors(outbox && `${outbox}-cursors`)
    try {
      const send = (message: Parameters<WebhookSender['send']>[0]) => sender.send(message)
      const pump = await PushPump.start({ store, cursors, destinations, send, log })
      return new PushSender(sender, pump, () => cursors.close())
    } catch (error) {
      cursors.close()
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

  async close(): Promise<void> {
    await this.#pump.close()
    this.#closeCursors()
    await this.#sender.close({ drainMs })
  }
}
