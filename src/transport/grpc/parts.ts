import type { Endpoint } from '../../connection/endpoint.ts'
import type { ResolvedConnectionOptions } from '../../connection/options.ts'
import type { TlsOptions } from '../../connection/tls.ts'
import type { Counters } from '../../core/counters.ts'

/** What gRPC is spoken over; grpc-js owns its sockets. */
export interface GrpcTransportParts {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  readonly counters: Counters
}
