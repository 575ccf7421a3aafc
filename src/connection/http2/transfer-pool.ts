/** The connections for large blobs to one endpoint: apart from those of calls, which would wait behind a blob's bytes. */
import { BlobwireError } from '../../core/error.ts'
import type { ConnectionContext } from './connection.ts'
import type { TransferRequest, TransferResponse } from './transfer.ts'
import { TransferConnection } from './transfer-connection.ts'
import { openTransferStream } from './transfer-stream.ts'

/** Each transfer has a connection to itself, up to `maxTransferConnections`; more transfers share them. */
export class TransferPool {
  readonly #context: ConnectionContext
  readonly #onHttp1: () => void
  #connections: TransferConnection[] = []
  readonly #draining = new Set<TransferConnection>()
  #isClosed = false

  /** `onHttp1` is called where TLS negotiates HTTP/1.1. */
  constructor(context: ConnectionContext, onHttp1: () => void) {
    this.#context = context
    this.#onHttp1 = onHttp1
  }

  /** Sends a request on the connection with the fewest transfers. @throws the errors of node:http2, of the request and `BlobwireError` */
  async transfer(request: TransferRequest): Promise<TransferResponse> {
    if (this.#isClosed) throw clientClosed()
    const connection = this.#pick()
    connection.begin()
    const session = await untilAborted(connection.session(), request.signal).catch((error) => {
      connection.end()
      throw error
    })
    return openTransferStream(session, connection, request)
  }

  /** Closes the connections without transfers. */
  closeIdle(): void {
    for (const connection of this.#connections) if (connection.inFlight === 0) connection.drain()
  }

  /** Closes all connections; transfers fail. */
  close(): void {
    this.#isClosed = true
    for (const connection of [...this.#connections, ...this.#draining]) connection.destroy(clientClosed())
  }

  #pick(): TransferConnection {
    const [best] = [...this.#connections].sort((one, other) => one.inFlight - other.inFlight)
    const isEnough = this.#connections.length >= this.#context.options.maxTransferConnections
    if (best !== undefined && (isEnough || best.inFlight === 0)) return best
    const opened = new TransferConnection(this.#context, {
      onDraining: (draining) => {
        this.#connections = this.#connections.filter((other) => other !== draining)
        this.#draining.add(draining)
      },
      onClosed: (closed) => this.#draining.delete(closed),
      onHttp1: this.#onHttp1
    })
    this.#connections.push(opened)
    return opened
  }
}

function clientClosed(): BlobwireError {
  return new BlobwireError({ reason: 'client_closed', message: 'the client is closed', sent: 'maybe' })
}

/** The wait for a connection ends with the transfer. */
function untilAborted<Value>(wait: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const abort = () => {
    signal.removeEventListener('abort', abort)
    reject(signal.reason)
  }
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return promise
}
