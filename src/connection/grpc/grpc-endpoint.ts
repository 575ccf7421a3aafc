import type { Counters } from '../../core/counters.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ResolvedConnectionOptions } from '../options.ts'
import type { TlsOptions } from '../tls-options.ts'

/** How messages travel on a channel. */
export interface GrpcMessageOptions {
  /** Messages may be compressed. */
  readonly gzip: boolean
  /** Largest message that is received, in bytes after decompression. */
  readonly maxResponseBytes: number
}

/** An endpoint of gRPC and the way there; grpc-js owns the sockets. */
export interface GrpcEndpoint {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  readonly counters: Counters
}
