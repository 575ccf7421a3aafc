/** UploadBlob, QueryUpload and CancelUpload. */
import { type BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { ContentDigests, UploadedBlob, UploadWriter } from '../store/large-content.ts'
import type { Store } from '../store/store.ts'
import { type CallContext, throwIfAbandoned } from './context.ts'
import { checkOid, limitExceeded, notFound, precondition } from './errors.ts'
import { unlessReplaced } from './replaced.ts'
import { authorizeChange, openRepository } from './repositories.ts'
import type { IncomingUpload, UploadOpening } from './vcs-service.ts'

/** What uploads and downloads need of the service. */
export interface TransferContext {
  readonly store: Store
  readonly limits: Limits
  /** The error for the client. */
  readonly report: (error: unknown) => BlobwireError
}

const idForm = /^[A-Za-z0-9_-]{1,128}$/

function checkId(uploadId: string): void {
  if (!idForm.test(uploadId)) throw invalidArgument('uploadId', 'must be 1 to 128 characters of A-Z, a-z, 0-9, - and _')
}

/** Rights come first. A writer may see and end the uploads of a repository; a reader may not know of them. */
function checkRequest({ repository, uploadId }: Pick<UploadOpening, 'repository' | 'uploadId'>, context: CallContext) {
  authorizeChange(context, repository)
  throwIfAbandoned(context)
  checkId(uploadId)
}

/** UploadBlob. */
export async function openUpload(
  { store, limits, report }: TransferContext,
  opening: UploadOpening,
  context: CallContext
): Promise<IncomingUpload> {
  checkRequest(opening, context)
  const { repository, uploadId, size, offset, oid } = opening
  const { maxBlobBytes } = limits
  if (size !== undefined && size > maxBlobBytes) throw limitExceeded('max_blob_bytes', maxBlobBytes, size)
  let info = await openRepository(store, repository)
  const checkDigest = (told: string | undefined) => told && checkOid('oid', told, info.objectFormat)
  await unlessReplaced({ store, repository: info }, new Promise((resolve) => resolve(checkDigest(oid))))
  // An upload that is gone does not begin anew in its middle.
  if (offset !== undefined && offset > 0 && !(await store.uploadState(repository, uploadId))) throw noUpload(uploadId)
  const writer = await store.openUpload(repository, uploadId, size)
  // The one that the upload is in: another may have had the name before.
  info = await openRepository(store, repository)
  if (offset !== undefined && offset !== writer.offset) {
    const held = writer.offset
    await writer.release()
    throw precondition('upload_offset', `the upload ${uploadId} holds ${held} bytes; it does not go on at ${offset}`)
  }
  return new StoredUpload(writer, { oid, checkDigest, report })
}

interface StreamContext {
  readonly oid: string | undefined
  readonly checkDigest: (oid: string | undefined) => void
  readonly report: (error: unknown) => BlobwireError
}

/** The stream of an upload on its writer. */
class StoredUpload implements IncomingUpload {
  readonly #writer: UploadWriter
  readonly #context: StreamContext
  #blob: UploadedBlob | undefined

  constructor(writer: UploadWriter, context: StreamContext) {
    this.#writer = writer
    this.#context = context
  }

  get offset(): number {
    return this.#writer.offset
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    try {
      return this.#writer.write(chunk)?.catch((error) => this.#refuse(error))
    } catch (error) {
      return this.#refuse(error)
    }
  }

  async finish(told: ContentDigests): Promise<Messages['UploadBlobResponse']> {
    const { oid, checkDigest } = this.#context
    try {
      checkDigest(told.oid)
      if (told.sha256 && told.sha256.length !== 32) throw invalidArgument('sha256', 'must have 32 bytes')
      if (told.oid !== undefined && oid !== undefined && told.oid !== oid) {
        throw invalidArgument('oid', `was ${oid} at the beginning of the stream`)
      }
      this.#blob = await this.#writer.finish({ oid: told.oid ?? oid, sha256: told.sha256 })
    } catch (error) {
      return this.#refuse(error)
    }
    return this.release()
  }

  async release(): Promise<Messages['UploadBlobResponse']> {
    // A blob is stored, whatever becomes of the files that its upload had.
    await this.#writer.release().catch((error) => this.#blob ?? this.#refuse(error))
    const blob = this.#blob ?? this.#writer.blob
    const { oid = '', size = 0 } = blob ?? {}
    return { oid, size, offset: this.#writer.offset, complete: blob !== undefined }
  }

  #refuse(error: unknown): never {
    throw this.#context.report(error)
  }
}

/** QueryUpload. */
export async function queryUpload(
  store: Store,
  request: Messages['QueryUploadRequest'],
  context: CallContext
): Promise<Messages['QueryUploadResponse']> {
  checkRequest(request, context)
  const { repository, uploadId } = request
  await openRepository(store, repository)
  const state = await store.uploadState(repository, uploadId)
  if (state === undefined) throw noUpload(uploadId)
  const { blob, offset } = state
  const size = blob?.size ?? state.size
  return {
    offset: blob?.size ?? offset,
    complete: blob !== undefined,
    oid: blob?.oid ?? '',
    ...(size === undefined ? {} : { size })
  }
}

/** CancelUpload. */
export async function cancelUpload(
  store: Store,
  request: Messages['CancelUploadRequest'],
  context: CallContext
): Promise<Messages['CancelUploadResponse']> {
  checkRequest(request, context)
  await openRepository(store, request.repository)
  return { cancelled: await store.cancelUpload(request.repository, request.uploadId) }
}

function noUpload(uploadId: string): BlobwireError {
  return notFound('upload', `there is no upload ${uploadId}: it was never begun, was cancelled, or waited for too long`)
}
