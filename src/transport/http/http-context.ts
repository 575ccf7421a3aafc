/** The dependencies that unary calls and sessions over HTTP share. */
import type { Codec } from '../../codec/codec.ts'
import type { HttpConnection } from '../../connection/http2/http-connection.ts'
import type { Counters } from '../../core/counters.ts'

/** Codec, connection and counters of an HTTP transport. */
export interface HttpContext {
  readonly codec: Codec<'json' | 'msgpack'>
  readonly connection: HttpConnection
  readonly counters: Counters
  /** Headers that tell a server on a loopback address which machine this is; undefined = it is not told. */
  readonly machine?: Readonly<Record<string, string>> | undefined
}
