/** A socket with much to send, for checks of its health. */
import type { Socket } from 'node:net'
import type { WatchedSocket } from '../health.ts'

/** The handle of a socket, whose queue has the bytes that the kernel has not taken. */
interface SocketHandle {
  readonly writeQueueSize?: number
}

/**
 * Counts the bytes that a full kernel takes as those that come. On a slow link a PING waits behind megabytes that were
 * written before it, and the peer may have nothing to say meanwhile; but a kernel whose buffers are full takes bytes only
 * as the peer's kernel acknowledges earlier ones.
 */
export class BusySocket implements WatchedSocket {
  readonly #socket: Socket
  #takenBytes = 0
  #provenBytes = 0
  /** The kernel had not taken all when the bytes were last looked at. */
  #wasFull = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get bytesRead(): number {
    const { bytesRead, bytesWritten } = this.#socket
    const waiting = (this.#socket as { _handle?: SocketHandle | null })._handle?.writeQueueSize ?? 0
    const taken = bytesWritten - waiting
    if (this.#wasFull) this.#provenBytes += taken - this.#takenBytes
    this.#takenBytes = taken
    this.#wasFull = waiting > 0
    return bytesRead + this.#provenBytes
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  destroy(error?: Error): Socket {
    return this.#socket.destroy(error)
  }
}
