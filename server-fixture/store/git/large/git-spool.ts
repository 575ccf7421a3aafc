/** One upload of the Git store, for its writer: a file that is the future pack, and its record. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../../../src/core/error.ts'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import type { StoredBlob, UploadedBlob } from '../../large-content.ts'
import type { Spool } from '../../uploads/spool.ts'
import { storageFailure } from '../git-failure.ts'
import { groupBytes } from './blob-layout.ts'
import type { DigestQueue } from './digest-queue.ts'
import type { PackChecksums } from './pack-digester.ts'
import type { SpoolFile } from './spool-file.ts'
import type { RecordWriter } from './spool-record.ts'

/** So much is written between two syncs: at most as much is lost with the power. */
const syncBytes = 16 * 1024 * 1024

/** So much is digested at a time. */
const digestBytes = 1024 * 1024

/** The name of the pack in the directory of an upload. */
export const contentName = 'content'

/** A pack with one blob, complete and on disk. */
export interface CompletePack extends PackChecksums {
  readonly path: string
  readonly oid: string
}

/** What a spool works with. */
export interface GitSpoolContext {
  readonly directory: string
  readonly objectFormat: ObjectFormat
  readonly size: number | undefined
  readonly file: SpoolFile
  readonly record: RecordWriter
  readonly synced: number
  readonly digests: DigestQueue
  /** Whether the repository has the object. */
  has(oid: string): Promise<boolean>
  /** Puts the pack into the repository, durably. Its file stays where it is. */
  install(pack: CompletePack): Promise<void>
  /** Makes durable that the directory and the record are there. */
  syncPlace(): Promise<void>
  onClose(): void
}

export class GitSpool implements Spool {
  readonly objectFormat: ObjectFormat
  readonly size: number | undefined
  readonly #context: GitSpoolContext
  #blob: StoredBlob | undefined
  #synced: number
  /** Where the last sync began. */
  #syncedFrom: number
  /** So much of the content was given to be digested. */
  #digested = 0
  #syncing: Promise<void> | undefined
  #failure: { readonly error: unknown; readonly held: number } | undefined
  #isPlaceSynced = false
  /** The file may have a second name, in the repository: nothing is written to it any more. */
  #isHandedOver = false
  #closing: Promise<void> | undefined

  constructor(context: GitSpoolContext) {
    this.#context = context
    this.objectFormat = context.objectFormat
    this.size = context.size
    this.#synced = context.synced
    this.#syncedFrom = context.file.offset
  }

  get offset(): number {
    return this.#failure?.held ?? this.#blob?.size ?? this.#context.file.offset
  }

  get blob(): StoredBlob | undefined {
    return this.#blob
  }

  append(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure) throw this.#failure.error
    const { file, digests, size } = this.#context
    const appended = file.append(chunk)
    // Of unknown size, the pack begins with bytes that are still to change.
    if (size !== undefined && file.settled >= this.#digested + digestBytes) {
      this.#digested = file.settled
      digests.advance(file.pack, file.settled / groupBytes)
    }
    const waits = file.settled - this.#syncedFrom >= syncBytes ? this.#beginSync() : undefined
    return appended || waits ? this.#appended(appended, waits) : undefined
  }

  async #appended(appended: Promise<void> | undefined, waits: Promise<void> | undefined): Promise<void> {
    try {
      await appended
    } catch (error) {
      throw this.#fail(error, this.#context.file.settled)
    }
    await waits
    if (this.#failure) throw this.#failure.error
  }

  /** The writer waits for the sync before, so that no more than two of these wait for the disk. */
  #beginSync(): Promise<void> | undefined {
    const before = this.#syncing
    this.#syncedFrom = this.#context.file.settled
    const sync = async () => {
      await before
      if (!this.#failure) await this.#sync(this.#syncedFrom)
    }
    // A failure is thrown by the next method.
    this.#syncing = sync().catch(() => undefined)
    return before
  }

  async #sync(bytes: number): Promise<void> {
    const { file, record, syncPlace } = this.#context
    await this.#guarded(async () => {
      await file.sync()
      await record.add({ synced: bytes })
      await record.sync()
      if (!this.#isPlaceSynced) await syncPlace()
      this.#isPlaceSynced = true
      this.#synced = bytes
    })
  }

  /** Where a sync fails, the system may have dropped what it could not write, and it tells of it once (fsync(2)). */
  async #guarded(sync: () => Promise<void>): Promise<void> {
    try {
      await sync()
    } catch (error) {
      throw this.#fail(error, this.#synced)
    }
  }

  #fail(error: unknown, held: number): unknown {
    this.#failure ??= { error: storageFailure('storing an upload', error), held }
    return this.#failure.error
  }

  async *read(): AsyncIterable<Uint8Array> {
    try {
      yield* this.#context.file.read()
    } catch (error) {
      throw storageFailure('reading an upload', error)
    }
  }

  async become(blob: StoredBlob): Promise<UploadedBlob> {
    const { file, record, digests, has, install, syncPlace, directory } = this.#context
    await this.#syncing
    if (this.#failure) throw this.#failure.error
    try {
      const created = !(await has(blob.oid))
      if (created) {
        await record.add({ ending: blob })
        await file.complete()
        const checksums = await digests.finish(file.pack, blob.size)
        await file.seal(checksums)
        await this.#guarded(() => file.sync())
        this.#isHandedOver = true
        await install({ ...checksums, path: file.pack.path, oid: blob.oid })
      }
      await record.add({ done: blob })
      await record.sync()
      if (!this.#isPlaceSynced) await syncPlace()
      this.#blob = blob
      await rm(join(directory, contentName), { force: true }).catch(() => undefined)
      return { ...blob, created }
    } catch (error) {
      throw error instanceof BlobwireError ? error : storageFailure('storing an upload', error)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { file, record, digests, onClose } = this.#context
    try {
      await this.#syncing
      if (this.#blob || this.#isHandedOver) return
      if (!this.#failure) await this.#keep()
      else await file.cutOff(Math.min(this.#failure.held, file.offset)).catch(() => undefined)
    } finally {
      digests.drop(file.pack)
      onClose()
      await Promise.allSettled([file.close(), record.close()])
    }
  }

  async #keep(): Promise<void> {
    try {
      await this.#context.file.flush()
    } catch (error) {
      throw this.#fail(error, this.#context.file.settled)
    }
    await this.#sync(this.offset)
  }
}
