/** One upload for its writer: parts in rows, and the bytes of a part that is not full in memory. */
import { BlobwireError } from '../../../../src/core/error.ts'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import type { StoredBlob, UploadedBlob } from '../../large-content.ts'
import { repositoryNotFound } from '../../name-page.ts'
import type { Spool } from '../../uploads/spool.ts'
import { type KnownRepository, RepositoryGone } from '../repositories.ts'
import { readParts } from './chunked-content.ts'
import { encodePart, partBytes } from './parts.ts'
import type { NewLargeObject, UploadKey, UploadRows } from './upload-rows.ts'

/** Bytes that come slowly are written after this time, so that other servers see that the upload goes on. */
const maxBufferedMs = 10_000

/** `kind` of the rows of objects. */
const blobKind = 3

/** What a spool works with. */
export interface ChunkSpoolContext {
  readonly rows: UploadRows
  readonly repository: KnownRepository
  readonly key: UploadKey
  readonly contentId: string
  readonly size: number | undefined
  /** Bytes in the rows. */
  readonly held: number
  /** Those of them that are in a part that is not full. */
  readonly last: Uint8Array
  readonly kind?: number | undefined
  now(): number
  /** Runs a transaction of much data, of which a server has few at a time. */
  inSlot<T>(work: () => Promise<T>): Promise<T>
  /** Removes parts that no object needs, in the background. */
  drop(contentId: string, held: number): void
  onClose(): void
}

export class ChunkSpool implements Spool {
  readonly objectFormat: ObjectFormat
  readonly size: number | undefined
  readonly identity: string
  readonly #context: ChunkSpoolContext
  /** Of the part that is not full. */
  #buffered: Uint8Array[]
  #bufferedBytes: number
  #bufferedAtMs: number
  /** Bytes taken, and those of them that were given to be written. */
  #taken: number
  #given: number
  /** Bytes in the rows. */
  #held: number
  /** Parts are written one after the other; does not reject. */
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown; readonly isFenced: boolean } | undefined
  #blob: StoredBlob | undefined
  #closing: Promise<void> | undefined

  constructor(context: ChunkSpoolContext) {
    const { repository, size, held, last, key } = context
    this.#context = context
    this.objectFormat = repository.objectFormat
    this.size = size
    this.identity = key.writer
    this.#buffered = [last]
    this.#bufferedBytes = last.length
    this.#bufferedAtMs = context.now()
    this.#taken = this.#given = this.#held = held
  }

  get offset(): number {
    return this.#failure ? this.#held : this.#taken
  }

  get blob(): StoredBlob | undefined {
    return this.#blob
  }

  append(chunk: Uint8Array): Promise<void> | undefined {
    this.#throwIfFailed()
    const rest = this.#take(chunk)
    const waits = this.#writeIfDue()
    return rest.length > 0 ? this.#appendRest(rest, waits) : waits && this.#appended(waits)
  }

  /** A chunk of several parts. */
  async #appendRest(rest: Uint8Array, before: Promise<void> | undefined): Promise<void> {
    let waits = before
    for (let left = rest; left.length > 0; waits = this.#writeIfDue()) {
      await waits
      this.#throwIfFailed()
      left = this.#take(left)
    }
    await waits
    this.#throwIfFailed()
  }

  async #appended(waits: Promise<void>): Promise<void> {
    await waits
    this.#throwIfFailed()
  }

  /** Takes as much as the part has room for, and returns the rest. */
  #take(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, partBytes - this.#bufferedBytes)
    this.#buffered.push(taken)
    this.#bufferedBytes += taken.length
    this.#taken += taken.length
    return chunk.subarray(taken.length)
  }

  /** Who appends waits for the part before, so that no more than two are under way. */
  #writeIfDue(): Promise<void> | undefined {
    const isFull = this.#bufferedBytes === partBytes
    if (!isFull && this.#context.now() < this.#bufferedAtMs + maxBufferedMs) return undefined
    const before = this.#writing
    this.#write()
    if (isFull) {
      this.#buffered = []
      this.#bufferedBytes = 0
    }
    return before
  }

  /** Writes the part as it is now. */
  #write(): void {
    this.#bufferedAtMs = this.#context.now()
    const [before, from, to] = [this.#writing, this.#given, this.#taken]
    if (from === to) return
    this.#given = to
    const bytes = this.#join()
    const part = Math.floor((to - 1) / partBytes)
    const encoded = encodePart(bytes)
    const write = async () => {
      await before
      const { encoding, content } = await encoded
      if (this.#failure) return
      const { rows, key, inSlot } = this.#context
      if (!(await inSlot(() => rows.put(key, { part, from, to, encoding, content })))) throw await this.#whyNot()
      this.#held = to
    }
    this.#writing = write().catch((error) => {
      this.#fail(error)
    })
  }

  #join(): Uint8Array {
    if (this.#buffered.length !== 1) this.#buffered = [Buffer.concat(this.#buffered)]
    return this.#buffered[0] as Uint8Array
  }

  /** Writes all that was taken. */
  async flush(): Promise<void> {
    if (this.#blob) return
    if (!this.#failure) this.#write()
    await this.#writing
    this.#throwIfFailed()
  }

  async *read(): AsyncGenerator<Uint8Array> {
    await this.flush()
    const { rows, repository, contentId } = this.#context
    yield* readParts({ rows, repository, contentId, size: this.#held }, 0, this.#held)
  }

  async become(blob: StoredBlob): Promise<UploadedBlob> {
    const { rows, key, contentId, kind = blobKind, inSlot, drop } = this.#context
    const isInline = blob.size < partBytes
    if (isInline) await this.#writing
    else await this.flush()
    this.#throwIfFailed()
    const object: NewLargeObject = {
      oid: Buffer.from(blob.oid, 'hex'),
      kind,
      size: blob.size,
      held: this.#held,
      inline: isInline ? await encodePart(this.#join()) : undefined
    }
    const completed = await inSlot(() => rows.complete(key, object)).catch((error) => {
      throw this.#translated(error)
    })
    if (!completed.isOurs) throw this.#fail(await this.#whyNot())
    this.#blob = blob
    this.#buffered = []
    // The transaction may have come twice: the object that it found may be its own.
    const created =
      completed.created || (!isInline && (await rows.isObject(key.repository, object.oid, contentId).catch(() => true)))
    if (this.#held > 0 && (isInline || !created)) drop(contentId, this.#held)
    return { ...blob, created }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Where the upload is another's, there is nothing of this one to keep. */
  async #close(): Promise<void> {
    try {
      if (!this.#failure) await this.flush()
      else await this.#writing
    } catch (error) {
      if (!this.#failure?.isFenced) throw error
    } finally {
      this.#context.onClose()
    }
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error
  }

  #fail(error: unknown): unknown {
    this.#failure ??= { error: this.#translated(error), isFenced: error instanceof Fenced }
    return this.#failure.error
  }

  #translated(error: unknown): unknown {
    if (error instanceof RepositoryGone) return repositoryNotFound(this.#context.repository.name)
    return error instanceof Fenced ? error.reason : error
  }

  /** Why the rows are not this writer's any more. */
  async #whyNot(): Promise<unknown> {
    const { rows, repository, key, contentId } = this.#context
    const { id } = key
    const row = await rows.find(repository, id).catch((error) => {
      if (error instanceof RepositoryGone) return error
      throw error
    })
    if (row instanceof Error) return new Fenced(repositoryNotFound(repository.name))
    if (row?.content_id !== contentId) {
      return new Fenced(new BlobwireError({ reason: 'upload', message: `the upload ${id} was cancelled` }))
    }
    if (row.writer !== key.writer) {
      const message = `another stream goes on with the upload ${id}, at another server`
      return new Fenced(new BlobwireError({ reason: 'upload_taken_over', message }))
    }
    const message = `the database holds ${row.held} bytes of the upload ${id}, not the ${this.#held} that it told before`
    return new Fenced(new BlobwireError({ reason: 'storage', message }))
  }
}

/** The rows of the upload are not the writer's any more. */
class Fenced extends Error {
  readonly reason: BlobwireError

  constructor(reason: BlobwireError) {
    super(reason.message)
    this.reason = reason
  }
}
