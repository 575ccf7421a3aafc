import type { Codec } from '../../codec/codec.ts'
import type { HttpConnection } from '../../connection/http2/http-connection.ts'
import type { Counters } from '../../core/counters.ts'

/** What the HTTP form is spoken over. */
export interface HttpContext {
  readonly codec: Codec
  readonly connection: HttpConnection
  readonly counters: Counters
}
