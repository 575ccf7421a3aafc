/** The answer to a session that the server refused: no stream, but an error with a status. */
import type { BlobwireError } from '../../core/error.ts'
import { withRetryAfter } from '../errors.ts'
import { errorFromResponse } from './errors.ts'

/** Most bytes that are kept of it. */
const maxBytes = 64 * 1024

export class Refusal {
  readonly #status: number
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>
  readonly #body: Buffer[] = []
  #bytes = 0

  constructor(status: number, headers: Readonly<Record<string, string | string[] | undefined>>) {
    this.#status = status
    this.#headers = headers
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes <= maxBytes) this.#body.push(chunk)
  }

  toError(): BlobwireError {
    const retryAfter = this.#headers['retry-after']
    const contentType = String(this.#headers['content-type'] ?? '')
    const error = errorFromResponse(this.#status, contentType, Buffer.concat(this.#body))
    return withRetryAfter(error, retryAfter && String(retryAfter))
  }
}
