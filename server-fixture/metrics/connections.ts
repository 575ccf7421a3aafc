/** The connections of one listener: how many are open, and the bytes that the network carried, headers and TLS included. */
import type { Socket } from 'node:net'
import type { ConnectionFigures } from './snapshot.ts'

/** A server that tells of its sockets. */
interface Listening {
  on(event: 'connection', listener: (socket: Socket) => void): unknown
}

export class Connections {
  readonly #open = new Set<Socket>()
  #opened = 0
  /** Of connections that are closed; the sockets count those of the others. */
  #receivedBytes = 0
  #sentBytes = 0

  watch(server: Listening): void {
    server.on('connection', (socket) => {
      this.#opened++
      this.#open.add(socket)
      socket.once('close', () => {
        this.#open.delete(socket)
        this.#receivedBytes += socket.bytesRead
        this.#sentBytes += socket.bytesWritten
      })
    })
  }

  figures(): ConnectionFigures {
    let receivedBytes = this.#receivedBytes
    let sentBytes = this.#sentBytes
    for (const socket of this.#open) {
      receivedBytes += socket.bytesRead
      sentBytes += socket.bytesWritten
    }
    return { open: this.#open.size, opened: this.#opened, receivedBytes, sentBytes }
  }
}
