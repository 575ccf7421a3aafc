/** Reads files that are too large for answers of calls. */
import type { CallOptions } from '../../call/call-options.ts'
import type { RepositoryCalls } from '../calls.ts'
import { download } from '../download.ts'

/** The content of a blob of any size, in chunks, held against its oid. */
export function readLargeFile(calls: RepositoryCalls, oid: string, options: CallOptions): AsyncIterable<Uint8Array> {
  return download(calls, oid, options)
}
