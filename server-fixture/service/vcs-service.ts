/** The interface between the listeners and the service. Decorators implement it as well, such as `withFaults`. */
import type { Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { ContentDigests } from '../store/large-content.ts'
import type { CallContext } from './context.ts'
import type { WatchSink } from './watch/watcher.ts'
import type { OpenWatch } from './watch/watches.ts'

/** A batch that came in a frame of a session. */
export type SessionBatch = Pick<Messages['SessionBatch'], 'repository' | 'operations'>

/** The beginning of an upload stream: the fields of its first message. */
export interface UploadOpening {
  readonly repository: string
  readonly uploadId: string
  readonly size: number | undefined
  /** Where the client goes on; undefined = wherever the upload is. */
  readonly offset: number | undefined
  readonly oid: string | undefined
}

/** One stream of an upload. Its methods throw `BlobwireError` and nothing else; after an error, call `release`. */
export interface IncomingUpload {
  /** Bytes held: where this stream goes on. An upload that is complete has all; `finish` then has its blob. */
  readonly offset: number
  /** Takes the next bytes, which nobody may change any more; undefined = it has taken them. */
  write(chunk: Uint8Array): Promise<void> | undefined
  /** The blob is complete. */
  finish(digests: ContentDigests): Promise<Messages['UploadBlobResponse']>
  /** The stream ended before the blob did: what came is kept. Does nothing after `finish`. */
  release(): Promise<Messages['UploadBlobResponse']>
}

/** Bytes of a blob: from `start` up to `end`. */
export interface BlobRange {
  readonly start: number
  readonly end: number
  /** Where the digest begins, at or before `start`; undefined = at `start`. */
  readonly digestFrom?: number | undefined
}

/** A blob, or a range of it, on its way to a client. */
export interface OutgoingBlob {
  readonly oid: string
  /** Of the whole blob, in bytes. */
  readonly size: number
  /** The range: from `start` up to `end`. */
  readonly start: number
  readonly end: number
  /** The same blob with another range of it, for callers that have to know the size first; nothing is checked. */
  narrow(range: BlobRange): OutgoingBlob
  /** The bytes, once, in chunks of at most `chunkBytes`. Throws `data_loss` at their end where they are not those of the oid (whole blobs). */
  chunks(): AsyncIterable<Uint8Array>
  /** SHA-256 from `digestFrom` to the end, once all chunks were read; undefined where the range is the whole blob. */
  readonly sha256: Uint8Array | undefined
  close(): Promise<void>
}

/** The methods of the service, independent of protocols and codecs. */
export interface VcsService {
  readonly limits: Limits
  capabilities(): Messages['GetCapabilitiesResponse']
  /**
   * Carries out one call of a unary method, by its name in the proto (`StoreBlob`). The request must have been checked
   * against the schema.
   * @throws BlobwireError and nothing else
   */
  call(method: string, request: object, context: CallContext): Promise<object>
  /**
   * Carries out one batch of a frame, at once where it can, and returns a result for each operation, in order.
   * @throws BlobwireError and nothing else, then or later, where the whole batch is refused
   */
  sessionBatch(
    batch: SessionBatch,
    context: CallContext
  ): Promise<Messages['OperationResult'][]> | Messages['OperationResult'][]
  /** Opens the stream of an upload; the rights are checked before. @throws BlobwireError and nothing else */
  upload(opening: UploadOpening, context: CallContext): Promise<IncomingUpload>
  /** Opens a blob for reading. @throws BlobwireError and nothing else */
  download(request: Messages['DownloadBlobRequest'], context: CallContext): Promise<OutgoingBlob>
  /** Begins a watch, which goes on until it is closed or its sink is told of its end. @throws BlobwireError and nothing else */
  watch(request: Messages['WatchRefsRequest'], sink: WatchSink, context: CallContext): OpenWatch
}
