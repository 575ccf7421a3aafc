/** Large content in a store: uploads while they come, and objects that are read in parts. */
import type { ObjectKind } from '../../src/git/oid.ts'

/** An upload as the store keeps it. */
export interface UploadState {
  /** Of the whole content, in bytes; undefined = known at its end alone. */
  readonly size: number | undefined
  /** Bytes held: a writer goes on from here. */
  readonly offset: number
  /** The blob that it has become; undefined = it is not complete. */
  readonly blob: StoredBlob | undefined
}

/** A blob that was uploaded. */
export interface StoredBlob {
  readonly oid: string
  /** Bytes. */
  readonly size: number
}

/** A blob that an upload became. */
export interface UploadedBlob extends StoredBlob {
  /** False = the repository had it already. */
  readonly created: boolean
}

/** Of the whole content, as the client computed them; undefined = not told. */
export interface ContentDigests {
  readonly oid: string | undefined
  /** Of the content without Git's header. */
  readonly sha256: Uint8Array | undefined
}

/**
 * Writes one upload. There is one writer at a time: where another was opened, methods throw `aborted`, reason
 * `upload_taken_over`, and the upload is as the other has it.
 */
export interface UploadWriter {
  /** Bytes taken so far. */
  readonly offset: number
  /** Set where the upload was complete when it was opened. */
  readonly blob: StoredBlob | undefined
  /**
   * Takes the next bytes, which are the store's from now on: it may keep their buffer. Undefined = it has taken them. To
   * wait for it is the back-pressure of the store.
   * @throws `resource_exhausted`, reason `upload_quota`; `invalid_argument` beyond the size; `unavailable`, reason
   * `storage`, with which the upload keeps what it had
   */
  write(chunk: Uint8Array): Promise<void> | undefined
  /**
   * Makes the content a blob, durably. Repeated for a complete upload, it has the same result.
   * @throws `data_loss`, reason `integrity`, where it has another digest than the client told, and the upload is then
   * gone; `invalid_argument` where bytes are missing
   */
  finish(digests: ContentDigests): Promise<UploadedBlob>
  /** Lets go of the upload, which keeps what it took for the next writer, in another process too. */
  release(): Promise<void>
}

/** An object that is read in parts. It stays readable until `close`, whatever becomes of the repository's packs. */
export interface ObjectContent {
  readonly kind: ObjectKind
  /** Bytes. */
  readonly size: number
  /**
   * The bytes from `start` up to `end`, in chunks that the caller may keep. Nothing is read ahead of the caller by more
   * than a few chunks, and nothing that precedes `start` is decoded where the store keeps the object for that.
   */
  read(start: number, end: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** Bounds of uploads. */
export interface UploadBounds {
  /** Of all uploads together that are not complete. */
  readonly maxUploadBytes: number
  /** Of one content. */
  readonly maxBlobBytes: number
  /** An upload is removed when it had no byte for so long; one that is complete is remembered for as long. */
  readonly uploadIdleSeconds: number
}

/** The methods of `Store` for large content. The state of uploads is the store's, so that another server goes on. */
export interface LargeContentStore {
  /** Called once, before any upload is opened: the limits that the service has told. */
  boundUploads(bounds: UploadBounds): void
  /**
   * Begins the upload, or takes it over from another writer. What is held of it is hashed again, unless this process
   * wrote it. Ids belong to the repository.
   * @throws `not_found`, reason `repository`; `invalid_argument` where it was begun with another size;
   * `resource_exhausted`
   */
  openUpload(repository: string, id: string, size: number | undefined): Promise<UploadWriter>
  /** Undefined = there is none. */
  uploadState(repository: string, id: string): Promise<UploadState | undefined>
  /** Removes an upload that is not complete, and ends its writer; false = there was none. */
  cancelUpload(repository: string, id: string): Promise<boolean>
  /** Undefined = missing. */
  openObject(repository: string, oid: string): Promise<ObjectContent | undefined>
}
