/** In the place of `client/transport-factory.ts` in runtimes without sockets: transports on `fetch`. */
import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json.ts'
import { msgpackCodec } from '../../codec/msgpack.ts'
import { type Endpoint, parseEndpoint } from '../../connection/endpoint.ts'
import { FetchConnection } from '../../connection/fetch/fetch-connection.ts'
import type { Counters } from '../../core/counters.ts'
import { BlobwireError, type TransportName } from '../../core/error.ts'
import { createFetchTransport } from '../../transport/fetch/transport.ts'
import type { Transport } from '../../transport/transport.ts'
import type { ResolvedOptions } from '../options.ts'
import type { TransportFactory as Replaced } from '../transport-factory.ts'
import { checkOptions } from './runtime-options.ts'

/** The codec for a transport's operations. */
export function codecOf(name: TransportName): Codec<'json' | 'msgpack'> {
  return name === 'json' ? jsonCodec : msgpackCodec
}

/** The interface of the replaced class. */
type Interface = { readonly [Name in keyof Replaced]: Replaced[Name] }

export class TransportFactory implements Interface {
  readonly #options: ResolvedOptions
  readonly #counters: Counters

  /** @throws BlobwireError for options that this runtime cannot follow */
  constructor(options: ResolvedOptions, counters: Counters) {
    checkOptions(options)
    this.#options = options
    this.#counters = counters
  }

  async connect(text: string, name: TransportName): Promise<Transport> {
    if (name === 'grpc') throw noGrpc()
    const endpoint: Endpoint = this.#options.endpoints.get(text) ?? parseEndpoint(text)
    const { maxResponseBytes } = this.#options
    const connection = new FetchConnection(endpoint)
    return createFetchTransport(
      { codec: codecOf(name), connection, counters: this.#counters, maxResponseBytes },
      this.#options
    )
  }

  addressesOf(): undefined {
    // The runtime looks names up.
  }

  async close(): Promise<void> {
    // Connections are the runtime's.
  }
}

function noGrpc(): BlobwireError {
  const message = 'this runtime has no gRPC; use the transport msgpack, json or auto with an http(s):// endpoint'
  return new BlobwireError({ reason: 'not_in_runtime', message, sent: 'never' })
}
