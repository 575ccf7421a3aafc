/** A gRPC channel to one endpoint, over changing connections. */
import { invalidArgument } from '../../core/error.ts'
import { ConnectionCheck } from '../dial/connection-check.ts'
import { proxyFor } from '../dial/proxy.ts'
import { GrpcConnection, type StreamListener } from './connection.ts'
import type { GrpcEndpoint, GrpcMessageOptions } from './grpc-endpoint.ts'

/** One connection for new streams, and the draining ones, which only finish their streams. */
export class GrpcChannel {
  readonly #connections = new Set<GrpcConnection>()
  readonly #open: () => GrpcConnection
  readonly #check: ConnectionCheck
  #current: GrpcConnection

  /** @throws BlobwireError `invalid_argument` for a proxy that is spoken to over TLS */
  constructor(transport: GrpcEndpoint, options: GrpcMessageOptions) {
    const proxy = proxyFor(transport.connection.proxy, transport.endpoint)
    if (proxy?.secure) throw invalidArgument('connection.proxy', 'must be an http:// URL for gRPC')
    this.#check = new ConnectionCheck(transport)
    this.#open = () => {
      const connection = new GrpcConnection({
        transport,
        options,
        proxy,
        // The new connection is opened by its first call.
        onDraining: () => {
          this.#current = this.#open()
        },
        onClosed: (closed) => this.#connections.delete(closed)
      })
      this.#connections.add(connection)
      return connection
    }
    this.#current = this.#open()
  }

  /** Calls and sessions on the connection for new streams. */
  get inFlight(): number {
    return this.#current.inFlight
  }

  /** Begins a call or a session, and returns its connection, whose `end` has to be called at its end. */
  begin(listener: StreamListener): GrpcConnection {
    const connection = this.#current
    connection.begin(listener)
    return connection
  }

  /** Whether a new connection can be had. */
  canConnect(): Promise<boolean> {
    return this.#check.canConnect()
  }

  /** Closes the connection if nothing is under way on it. */
  closeIdle(): void {
    this.#current.closeIdle()
  }

  /** Closes all connections. */
  close(): void {
    this.#check.close()
    for (const connection of this.#connections) connection.close()
  }
}
