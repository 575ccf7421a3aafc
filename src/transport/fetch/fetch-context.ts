/** The dependencies that calls, transfers and watches by `fetch` share. */
import type { Codec } from '../../codec/codec.ts'
import type { FetchConnection } from '../../connection/fetch/fetch-connection.ts'
import type { Counters } from '../../core/counters.ts'

export interface FetchContext {
  readonly codec: Codec<'json' | 'msgpack'>
  readonly connection: FetchConnection
  readonly counters: Counters
  /** Most bytes of one message of a stream. */
  readonly maxResponseBytes: number
}
