/** The channels for large blobs: apart from that of calls, which would wait behind a blob's bytes. */
import { GrpcChannel } from './channel.ts'
import type { GrpcConnection, StreamListener } from './connection.ts'
import type { GrpcEndpoint, GrpcMessageOptions } from './grpc-endpoint.ts'

/** Each transfer has a channel to itself, up to `maxTransferConnections`; more transfers share them. */
export class TransferChannels {
  readonly #endpoint: GrpcEndpoint
  readonly #options: GrpcMessageOptions
  readonly #channels: GrpcChannel[] = []

  constructor(endpoint: GrpcEndpoint, { maxResponseBytes }: GrpcMessageOptions) {
    const { counters } = endpoint
    // Channels count nothing but connections.
    this.#endpoint = { ...endpoint, counters: { ...counters, connections: counters.transferConnections } }
    this.#options = { maxResponseBytes, compression: 'none', isForTransfers: true }
  }

  /** Begins a transfer, and returns its connection, whose `end` has to be called at its end. */
  begin(listener: StreamListener): GrpcConnection {
    return this.#pick().begin(listener)
  }

  /** Closes all of them. */
  close(): void {
    for (const channel of this.#channels) channel.close()
  }

  #pick(): GrpcChannel {
    const [best] = [...this.#channels].sort((one, other) => one.inFlight - other.inFlight)
    const isEnough = this.#channels.length >= this.#endpoint.connection.maxTransferConnections
    if (best !== undefined && (isEnough || best.inFlight === 0)) return best
    const opened = new GrpcChannel(this.#endpoint, this.#options)
    this.#channels.push(opened)
    return opened
  }
}
