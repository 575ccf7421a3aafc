/** A socket with much to send, for checks of its health. */
import type { Socket } from 'node:net'
import type { WatchedSocket } from '../health.ts'

/** The handle of a socket, whose queue has the bytes that the kernel has not taken. */
interface SocketHandle {
  readonly writeQueueSize?: number
}

/**
 * Counts the bytes that the kernel takes as those that come. On a slow link a PING waits behind megabytes that were
 * written before it, and the peer may have nothing to say meanwhile; but the kernel takes bytes only as the peer's
 * kernel acknowledges earlier ones.
 */
export class BusySocket implements WatchedSocket {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get bytesRead(): number {
    const { bytesRead, bytesWritten } = this.#socket
    const handle = (this.#socket as { _handle?: SocketHandle | null })._handle
    return bytesRead + bytesWritten - (handle?.writeQueueSize ?? 0)
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  destroy(error?: Error): Socket {
    return this.#socket.destroy(error)
  }
}
