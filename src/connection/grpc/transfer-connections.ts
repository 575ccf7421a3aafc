/**
 * The connections for large blobs over gRPC: of node:http2 itself, as over HTTP, and apart from the channel of calls, which
 * would wait behind a blob's bytes. grpc-js copies each message twice (docs/dependencies.md).
 */
import { systemClock } from '../../core/clock.ts'
import { createConnector } from '../dial/connector.ts'
import { proxyFor } from '../dial/proxy.ts'
import { CachingResolver } from '../dial/resolver.ts'
import { hostOf } from '../endpoint.ts'
import type { TransferRequest, TransferResponse } from '../http2/transfer.ts'
import { TransferPool } from '../http2/transfer-pool.ts'
import type { GrpcEndpoint } from './grpc-endpoint.ts'

export class GrpcTransferConnections {
  readonly #pool: TransferPool
  readonly #close: () => void
  /** gRPC's authority is the name that the certificate is checked against, as on the channel. */
  readonly #authority: { readonly ':authority'?: string }

  constructor({ endpoint, tls, connection: options, counters, report = () => undefined }: GrpcEndpoint) {
    const clock = systemClock
    const resolver = new CachingResolver(clock)
    const proxy = proxyFor(options.proxy, endpoint)
    const onFailure = () => resolver.forget(hostOf(proxy ?? endpoint))
    const connector = createConnector({ endpoint, tls, options, proxy, lookup: resolver.lookup, onFailure })
    const context = { endpoint, options, clock, connector, counters: counters.transferConnections, report }
    // A server that speaks HTTP/1.1 alone has no gRPC: the transfer fails.
    this.#pool = new TransferPool(context, () => undefined)
    this.#authority = tls.serverName === undefined ? {} : { ':authority': tls.serverName }
    this.#close = () => {
      resolver.close()
      connector.close()
      this.#pool.close()
    }
  }

  /** @throws as `TransferPool.transfer` */
  transfer(request: TransferRequest): Promise<TransferResponse> {
    return this.#pool.transfer({ ...request, headers: { ...request.headers, ...this.#authority } })
  }

  /** Closes the connections without transfers. */
  closeIdle(): void {
    this.#pool.closeIdle()
  }

  /** Closes the sockets; transfers fail. */
  close(): void {
    this.#close()
  }
}
