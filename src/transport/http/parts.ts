import type { Codec } from '../../codec/codec.ts'
import type { HttpConnection } from '../../connection/http-connection.ts'
import type { Counters } from '../../core/counters.ts'

/** What the HTTP form is spoken over. */
export interface HttpTransportParts {
  readonly codec: Codec
  readonly connection: HttpConnection
  readonly counters: Counters
}
