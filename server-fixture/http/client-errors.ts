/** Answers to HTTP/1.1 requests that Node could not read, or that did not arrive in time. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { drainSocket } from './drain.ts'

const statusLines: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large'
}

/** The connections of HTTP/1.1. */
export class ClientErrors {
  readonly #responses = new WeakMap<Socket, ServerResponse>()

  /** A request has come, to which nothing else must be answered from then on. */
  begun(request: IncomingMessage, response: ServerResponse): void {
    this.#responses.set(request.socket, response)
  }

  /** Answers, and ends the connection, for the event `clientError`. */
  refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const response = this.#responses.get(socket)
    const isAnswering = response?.headersSent === true && !response.writableFinished
    // A second status line would be part of the first answer, or be taken for the answer to the next request.
    if (isAnswering || !socket.writable) {
      socket.destroy()
      return
    }
    const status = statusLines[error.code ?? ''] ?? '400 Bad Request'
    drainSocket(socket, `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  }
}
