import { invalidArgument } from '../../core/error.ts'
import { proxyFor } from '../dial/proxy.ts'
import { GrpcConnection, type StreamListener } from './connection.ts'
import type { GrpcEndpoint, GrpcMessageOptions } from './grpc-endpoint.ts'

/** The way to a gRPC server: one connection that takes what is new, and those that only finish what they have begun. */
export class GrpcChannel {
  readonly #connections = new Set<GrpcConnection>()
  readonly #open: () => GrpcConnection
  #current: GrpcConnection

  /** @throws BlobwireError `invalid_argument` for a proxy that is spoken to over TLS */
  constructor(transport: GrpcEndpoint, options: GrpcMessageOptions) {
    const proxy = proxyFor(transport.connection.proxy, transport.endpoint)
    if (proxy?.secure) throw invalidArgument('connection.proxy', 'must be an http:// URL for gRPC')
    this.#open = () => {
      const connection = new GrpcConnection({
        transport,
        options,
        proxy,
        // Nothing is opened before the next call.
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

  /** A call or a session begins: on this connection, which is to hear of its end. */
  begin(listener: StreamListener): GrpcConnection {
    const connection = this.#current
    connection.begin(listener)
    return connection
  }

  /** Lets go of all. */
  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}
