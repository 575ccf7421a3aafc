/** Webhooks that wait for the disk: those of one turn of the event loop share one write. */
import { BlobwireError } from '../core/error.ts'
import type { InsertedMessage, NewMessage, Outbox } from './outbox.ts'

interface Submission {
  readonly message: NewMessage
  resolve(inserted: InsertedMessage): void
  reject(error: BlobwireError): void
}

export class Submissions {
  readonly #outbox: Outbox
  #waiting: Submission[] = []

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** Resolves when the webhook is on the disk. @throws BlobwireError where it is not accepted */
  add(message: NewMessage): Promise<InsertedMessage> {
    if (this.#waiting.length === 0) setImmediate(() => this.flush())
    return new Promise((resolve, reject) => this.#waiting.push({ message, resolve, reject }))
  }

  flush(): void {
    const all = this.#waiting.splice(0)
    if (all.length === 0) return
    try {
      const inserted = this.#outbox.insert(all.map(({ message }) => message))
      for (const [index, { resolve }] of all.entries()) resolve(inserted[index] as InsertedMessage)
    } catch (error) {
      for (const { reject } of all) reject(refusalOf(error))
    }
  }
}

function refusalOf(error: unknown): BlobwireError {
  if (error instanceof BlobwireError) return error
  const message = `the outbox cannot be written: ${error instanceof Error ? error.message : error}`
  return new BlobwireError({ reason: 'outbox_failed', message, cause: error })
}
