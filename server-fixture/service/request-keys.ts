/** The keys under which writes are remembered. */
import type { KeyedRequest, RefMove } from '../store/store.ts'

/** The key of a write, and the digest that tells its repetitions from other requests. */
export interface WriteKey {
  readonly key: string
  readonly digest: string
}

/** A write with its response, for the store to remember together with the moves that it makes. */
export function keyedRequest(key: WriteKey, response: object, moves: readonly RefMove[]): KeyedRequest {
  return { ...key, outcome: JSON.stringify({ response }), moves }
}
