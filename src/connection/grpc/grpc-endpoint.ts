/** The interface through which the gRPC transport names its endpoint, without Node's types. */
import type { Counters } from '../../core/counters.ts'
import type { ResolvedConnectionOptions, TlsOptions } from '../../options/types.ts'
import type { Report } from '../../telemetry/client-event.ts'
import type { Endpoint } from '../endpoint.ts'
import type { GrpcModule } from './grpc-js.ts'

/** Options of messages on a channel. */
export interface GrpcMessageOptions {
  /** `none`: messages are not compressed; otherwise with gzip, which is all that grpc-js has besides deflate. */
  readonly compression: 'auto' | 'always' | 'gzip' | 'none'
  /** Largest message that is received, in bytes after decompression. */
  readonly maxResponseBytes: number
}

/** An endpoint of gRPC, and the options of its connections. grpc-js owns the sockets. */
export interface GrpcEndpoint {
  readonly grpc: GrpcModule
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  /** In front of the name of grpc-js. */
  readonly userAgent: string
  readonly counters: Counters
  /** Takes the events of connections. */
  readonly report?: Report | undefined
}
