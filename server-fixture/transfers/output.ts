/** Writes the stream of a download, as fast as its client reads it. */
import type { Writable } from 'node:stream'
import type { BlobwireError } from '../../src/core/error.ts'
import { clientGone, type Transfer } from './transfer.ts'

/** Bytes that wait in the stream: less, and the network waits for the store. */
const defaultMaxWaitingBytes = 1024 * 1024

/** One stream of bytes or messages that a client reads. */
export class Output<Item> {
  /** Resolves when all is sent, or the stream is over. */
  readonly ended: Promise<void>
  readonly #stream: Writable
  readonly #transfer: Transfer
  readonly #maxWaitingBytes: number
  #waitingBytes = 0
  #onRoom: (() => void) | undefined

  constructor(stream: Writable, transfer: Transfer, maxWaitingBytes = defaultMaxWaitingBytes) {
    this.#stream = stream
    this.#transfer = transfer
    this.#maxWaitingBytes = maxWaitingBytes
    this.ended = new Promise((resolve) => {
      stream.once('finish', resolve).once('close', resolve)
    })
    const over = () => {
      if (!stream.writableFinished) transfer.abort(clientGone())
    }
    stream.once('close', over).on('error', over)
    transfer.signal.addEventListener('abort', () => this.#onRoom?.(), { once: true })
  }

  /** Writes so many bytes. @throws BlobwireError the reason of the transfer's end */
  write(item: Item, bytes: number): void {
    this.#transfer.signal.throwIfAborted()
    this.#waitingBytes += bytes
    this.#transfer.sentBytes += bytes
    this.#stream.write(item, () => {
      this.#waitingBytes -= bytes
      this.#transfer.touch()
      if (this.#waitingBytes <= this.#maxWaitingBytes) this.#onRoom?.()
    })
  }

  /** A promise while too much waits. It rejects with the reason of the transfer's end. */
  room(): Promise<void> | undefined {
    return this.#waitingBytes > this.#maxWaitingBytes ? this.#waitForRoom() : undefined
  }

  async #waitForRoom(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve
    })
    this.#onRoom = undefined
    this.#transfer.signal.throwIfAborted()
  }

  /**
   * Ends the stream, with these bytes at last. Nothing happens where it is over. A client that reads nothing for too long
   * does not read the end either: over HTTP/1.1 the stream would wait for it for good.
   */
  end(item?: Item): Promise<void> {
    const { signal } = this.#transfer
    this.#stream.end(item)
    const giveUp = () => {
      if ((signal.reason as BlobwireError).reason === 'stalled') this.#stream.destroy()
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
    return this.ended
  }
}
