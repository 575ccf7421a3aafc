/** The time limit of a message of a session, from its first byte to its last. */
import { BlobwireError } from '../../src/core/error.ts'

/** The message of which a part has come. */
export class PartialMessage {
  readonly #timeoutMs: number
  #sinceMs: number | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Bytes came that do not complete it. @throws BlobwireError `deadline_exceeded` */
  grew(): void {
    const nowMs = performance.now()
    this.#sinceMs ??= nowMs
    if (nowMs - this.#sinceMs <= this.#timeoutMs) return
    const message = `the message did not arrive within ${this.#timeoutMs} ms`
    throw new BlobwireError({ code: 'deadline_exceeded', message })
  }

  /** It is complete, or the session did not read on. */
  reset(): void {
    this.#sinceMs = undefined
  }
}
