/**
 * The part of uploads that each store implements: where their bytes lie. `uploads.ts` has the rest, once for all stores.
 * A spool fits a file as well as rows of chunks in a database.
 */
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { StoredBlob, UploadedBlob, UploadState } from '../large-content.ts'

/** The key of an upload: neither names nor ids hold a line feed. */
export const placeOf = (repository: string, id: string): string => `${repository}\n${id}`

/** An upload as the store keeps it, also over a restart of the server. */
export interface UploadRecord extends UploadState {
  readonly repository: string
  readonly id: string
  /** When a byte came last or the upload became a blob, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly changedAtMs: number
}

/**
 * The bytes of one upload, for its one writer. A method is called when the one before has settled. In a store of several
 * servers, where another one has opened the upload since, methods throw `aborted`, reason `upload_taken_over`.
 */
export interface Spool {
  readonly objectFormat: ObjectFormat
  /**
   * Tells this upload from a later one with its id, where another server may have removed it meanwhile, such as the id of
   * its chunks in a database. Stores of one server do without.
   */
  readonly identity?: string | undefined
  /** As it was begun; undefined = not known then. */
  readonly size: number | undefined
  /** Bytes held. After a failed `append`, it is what is held all the same. */
  readonly offset: number
  /** Set where the upload has become a blob already. */
  readonly blob: StoredBlob | undefined
  /**
   * Takes bytes, which are the spool's from now on: it may keep their buffer. Undefined = it has taken them.
   * @throws `unavailable`, reason `storage`
   */
  append(chunk: Uint8Array): Promise<void> | undefined
  /** All that is held, from the beginning. Chunks stay as they are until the next one is asked for. */
  read(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /**
   * Makes the bytes the blob with this oid and size, durably, and remembers it for the id. Bytes of a blob that the
   * repository has already are dropped.
   */
  become(blob: StoredBlob): Promise<UploadedBlob>
  /** Makes what is held durable, unless the upload became a blob, and closes files. Repeated, it does nothing. */
  close(): Promise<void>
}

/** Which spool is removed, in a store of several servers: stores of one server need no condition. */
export interface Removal {
  /** That of this `identity` alone. */
  readonly identity?: string | undefined
  /** Unless it is complete. */
  readonly isIncomplete?: boolean | undefined
  /** Unless it has changed within this time. */
  readonly idleSeconds?: number | undefined
}

/** The spools of a store. Methods that are told a repository throw `not_found`, reason `repository`, without one. */
export interface SpoolStore {
  /** Other servers have uploads here, too: they are counted again after this time. Undefined = there is one server. */
  readonly recountMs?: number
  /**
   * All uploads that are not complete, and the blobs that are remembered for the ids of those that are: at least those
   * that have been complete for so long. Undefined = none of these.
   */
  list(completeForSeconds?: number): Promise<UploadRecord[]>
  find(repository: string, id: string): Promise<UploadRecord | undefined>
  /** Opens the spool of the upload, or begins one with this size. */
  open(repository: string, id: string, size: number | undefined): Promise<Spool>
  /**
   * Removes the spool, which nobody of this server has open, or forgets the blob. False = there is none, or not as it is
   * to be.
   */
  remove(repository: string, id: string, removal?: Removal): Promise<boolean>
}
