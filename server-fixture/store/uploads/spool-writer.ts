/** The writer of an upload, until another one takes it over. */
import { BlobwireError, invalidArgument } from '../../../src/core/error.ts'
import type { ContentDigests, StoredBlob, UploadedBlob, UploadWriter } from '../large-content.ts'
import type { ContentHasher } from './content-hasher.ts'
import type { Spool } from './spool.ts'
import type { UploadQuota } from './upload-quota.ts'

/** What a writer works with. */
export interface SpoolWriterContext {
  readonly place: string
  readonly spool: Spool
  /** Has hashed all that the spool holds. */
  readonly hasher: ContentHasher
  readonly quota: UploadQuota
  /** As the opener knows it; undefined = it does not. */
  readonly size: number | undefined
  readonly maxBlobBytes: number
  /** Removes the upload once its spool is closed, unless another server has it by now. */
  remove(): Promise<unknown>
  /** The writer has ended. `hasher` is the one that goes on; undefined = there is none. */
  onEnd(hasher: ContentHasher | undefined): void
}

export class SpoolWriter implements UploadWriter {
  readonly #context: SpoolWriterContext
  /** Thrown by all methods from now on. */
  #ended: unknown
  /** The method under way; does not reject. */
  #pending: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #isRemoved = false

  constructor(context: SpoolWriterContext) {
    this.#context = context
  }

  get offset(): number {
    return this.#context.spool.offset
  }

  get blob(): StoredBlob | undefined {
    return this.#context.spool.blob
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#throwIfEnded()
    if (chunk.length === 0) return undefined
    const { spool, hasher, quota, place } = this.#context
    this.#checkEnd(spool.offset + chunk.length)
    quota.take(place, chunk.length)
    hasher.update(chunk)
    try {
      const appended = spool.append(chunk)
      return appended && this.#during(appended.catch((error) => this.#fail(error)))
    } catch (error) {
      return this.#fail(error)
    }
  }

  async finish(digests: ContentDigests): Promise<UploadedBlob> {
    this.#throwIfEnded()
    return this.#during(this.#finish(digests))
  }

  release(): Promise<void> {
    return this.end(new BlobwireError({ code: 'internal', message: 'the upload was released' }))
  }

  /** Ends the writer, whose methods throw this from now on. Resolves when the spool is closed. */
  end(reason: BlobwireError): Promise<void> {
    this.#ended ??= reason
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#pending
    const { spool, hasher, onEnd } = this.#context
    try {
      await spool.close()
    } finally {
      onEnd(this.#isRemoved || spool.blob ? undefined : hasher)
    }
  }

  async #finish(digests: ContentDigests): Promise<UploadedBlob> {
    const { spool, hasher, quota, place } = this.#context
    const { blob, offset } = spool
    if (blob) {
      if (digests.oid === undefined || digests.oid === blob.oid) return { ...blob, created: false }
      throw invalidArgument('uploadId', `names an upload that became ${blob.oid}, not ${digests.oid}`)
    }
    const size = this.#size
    if (size !== undefined && offset < size) {
      throw invalidArgument('size', `is ${size}: ${size - offset} bytes of the upload are missing`)
    }
    let oid: string
    try {
      oid = await hasher.oid(digests, () => spool.read())
    } catch (error) {
      if ((error as BlobwireError).reason === 'integrity') await this.#remove()
      throw error
    }
    // Also where the writer has ended meanwhile: who opens the upload next finds it complete.
    const uploaded = await spool.become({ oid, size: offset })
    quota.delete(place)
    return uploaded
  }

  async #remove(): Promise<void> {
    this.#isRemoved = true
    const { spool, remove, quota, place } = this.#context
    quota.delete(place)
    await spool.close()
    await remove()
  }

  get #size(): number | undefined {
    return this.#context.spool.size ?? this.#context.size
  }

  #checkEnd(end: number): void {
    const { maxBlobBytes, spool } = this.#context
    const size = spool.blob?.size ?? this.#size
    if (size !== undefined && end > size) throw invalidArgument('chunk', `ends at ${end}, beyond the size ${size}`)
    if (end > maxBlobBytes) {
      const limit = { limit: 'max_blob_bytes', maximum: maxBlobBytes, actual: end }
      const message = `a blob of ${end} bytes or more exceeds max_blob_bytes (${maxBlobBytes})`
      throw new BlobwireError({ code: 'resource_exhausted', message, details: { limit } })
    }
  }

  /** The spool holds less than what was hashed: who goes on hashes what it holds. */
  #fail(error: unknown): never {
    const { quota, place, spool } = this.#context
    quota.set(place, spool.offset)
    this.#ended ??= error
    throw error
  }

  #during<Result>(work: Promise<Result>): Promise<Result> {
    const settled = () => {
      if (this.#pending === pending) this.#pending = undefined
    }
    const pending: Promise<void> = work.then(settled, settled)
    this.#pending = pending
    return work
  }

  #throwIfEnded(): void {
    if (this.#ended) throw this.#ended
  }
}
