/**
 * What waits in the windows of sessions and uploads that are not read: node:http2 holds it, and no charge tells. Each
 * stream may have a window of 8 MiB, so many of them together are looked after here.
 */
import { BlobwireError } from '../src/core/error.ts'

const lookMs = 50

/** A stream that is not read at present. */
export interface UnreadStream {
  readonly unreadBytes: number
  stop(error: BlobwireError): void
}

/** The unread streams of a server. Its timer runs as long as there are some. */
export class UnreadStreams {
  readonly #streams = new Set<UnreadStream>()
  readonly #leftBytes: () => number
  #timer: NodeJS.Timeout | undefined
  /** When the server looked last. */
  bytes = 0

  /** `leftBytes` tells how many bytes the unread streams may have together. */
  constructor(leftBytes: () => number) {
    this.#leftBytes = leftBytes
  }

  add(stream: UnreadStream): void {
    this.#streams.add(stream)
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref()
  }

  delete(stream: UnreadStream): void {
    this.#streams.delete(stream)
  }

  /** Ends the streams with the most bytes, until the rest has room. */
  #look(): void {
    let total = 0
    for (const stream of this.#streams) total += stream.unreadBytes
    while (total > this.#leftBytes() && this.#streams.size > 0) {
      const [largest] = [...this.#streams].sort((a, b) => b.unreadBytes - a.unreadBytes) as [UnreadStream]
      total -= largest.unreadBytes
      this.#streams.delete(largest)
      const message = 'the streams that wait for room have sent more than the server holds'
      largest.stop(new BlobwireError({ reason: 'server_full', message, details: { retryAfterMs: 250 } }))
    }
    this.bytes = total
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
