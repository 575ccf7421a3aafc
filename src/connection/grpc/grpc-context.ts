import type { Counters } from '../../core/counters.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ResolvedConnectionOptions } from '../options.ts'
import type { TlsOptions } from '../tls-options.ts'

/** What gRPC is spoken over; grpc-js owns its sockets. */
export interface GrpcContext {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  readonly counters: Counters
}
