/** A frame as the client's pipeline hands it to a transport, and as the message that it becomes. */
import type { Codec, WireObject } from '../codec/codec.ts'
import type { BlobwireError } from '../core/error.ts'
import type { AttemptEvents } from '../telemetry/observed-call.ts'

/** An operation that was checked against the schema, in the form its codec writes; opaque to everybody else. */
export type PreparedOperation = Readonly<Record<string, object>>

/** Headers of operations; text alone, which every codec writes as it is. */
export interface HeaderList {
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

/** A batch of one repository: operation i has the id `firstId + i`. */
export interface SessionBatch {
  readonly repository: string
  readonly firstId: number
  readonly operations: readonly PreparedOperation[]
  /** For each operation the number of its header list in the frame, from 1; 0 = it has none. Empty = none has one. */
  readonly headerLists: readonly number[]
}

/** A frame: one batch for each repository. The ids of a batch follow those of the batch before. */
export interface SessionFrame {
  readonly firstId: number
  /** The operations of all batches. */
  readonly operations: readonly PreparedOperation[]
  readonly batches: readonly SessionBatch[]
  /** Each list once. */
  readonly headerLists: readonly HeaderList[]
  /** Tells the observers of all its operations; undefined = there are none. */
  readonly events?: AttemptEvents | undefined
}

/** Whether a frame is one batch without headers, which servers of every version understand. */
export function isPlain({ batches, headerLists }: SessionFrame): boolean {
  return batches.length === 1 && headerLists.length === 0
}

/** The `SessionRequest` of a frame. The client checked names and made ids itself: they need no look at the schema. */
export function frameMessage(frame: SessionFrame, long: Codec['long']): WireObject {
  // Fields in the order of the schema, which the server's MessagePack reads fastest.
  const batches = frame.batches.map(({ repository, firstId, operations, headerLists }) => {
    const wire: WireObject = { repository, firstId: long(firstId), operations }
    if (headerLists.length > 0) wire['headerLists'] = headerLists
    return wire
  })
  return isPlain(frame) ? { batch: batches[0] } : { batches: { headerLists: frame.headerLists, batches } }
}

/** Whether the server has refused a frame because its version does not know frames of this kind. */
export function isUnknownFrame({ code, details }: BlobwireError): boolean {
  return code === 'invalid_argument' && (details.violations ?? []).some(({ field }) => field === 'frame')
}
