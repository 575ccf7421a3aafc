/** Contents that calls carry in their messages, where they are too large for one: they are uploaded. */

import type { CallOptions } from '../call/call-options.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import { defaultLimits } from '../schema/default-limits.ts'
import { methods } from '../schema/methods.ts'
import { ProgressMeter } from '../transfer/progress.ts'
import type { UploadResult } from '../transfer/upload.ts'
import type { RepositoryContext } from './repository-context.ts'
import { uploadFile } from './uploads.ts'

/** The refusal of a content by a server without uploads; `place` names its file, where it has one. */
export function contentTooLarge(actual: number, maximum: number, place: string = ''): BlobwireError {
  const message =
    `${place}the content has ${actual} bytes; at most maxInlineBytes (${maximum}) are allowed by this server, which is ` +
    'older than uploads'
  const details = { limit: { limit: 'max_inline_bytes', maximum, actual } }
  return new BlobwireError({ code: 'resource_exhausted', message, details })
}

/** Whether the error says that a content is too large for a message. */
export function isTooLargeInline(error: unknown): boolean {
  return error instanceof BlobwireError && error.details.limit?.limit === 'max_inline_bytes'
}

/** Whether the server takes content of any size. Asks for its capabilities, unless they are known. */
export async function takesUploads({ invoker }: RepositoryContext, options: CallOptions): Promise<boolean> {
  const { resume } = await invoker.capabilities(options)
  return resume
}

/**
 * Stores a blob that may be larger than the server's messages. Without the server's limits, the usual ones say whether it
 * is sent in a message; where that is refused, it is uploaded after all.
 * @throws BlobwireError
 */
export async function storeLargeBlob(
  context: RepositoryContext,
  content: Uint8Array,
  options: CallOptions = {}
): Promise<UploadResult> {
  const { invoker, repository } = context
  const { caches } = invoker
  const remaining = invoker.unhurried(options)
  const bytes = content.length
  try {
    if (!caches.knowsLimits && bytes > defaultLimits.maxBatchBytes) await askLimits(context, remaining())
    if (bytes > caches.limits.maxInlineBytes && caches.knowsLimits)
      return await uploadContent(context, content, remaining())
  } catch (error) {
    return invoker.refused(methods.storeBlob, error)
  }
  const stored = invoker.operation('storeBlob', { repository, content }, remaining())
  return stored.catch(async (error: unknown) => {
    if (!isTooLargeInline(error) || !(await takesUploads(context, remaining()))) throw error
    return uploadContent(context, content, remaining()).catch((failure) => invoker.refused(methods.storeBlob, failure))
  })
}

/** Of the content itself, nothing has been sent when this fails. */
async function askLimits({ invoker }: RepositoryContext, options: CallOptions): Promise<void> {
  try {
    await invoker.limits(options)
  } catch (error) {
    throw asBlobwireError(error).with({ sent: 'never' })
  }
}

/** Uploads a content that was given as bytes, or refuses it for a server without uploads. @throws BlobwireError */
export async function uploadContent(
  context: RepositoryContext,
  content: Uint8Array,
  options: CallOptions
): Promise<UploadResult> {
  const { invoker } = context
  if (!(await takesUploads(context, options))) {
    throw contentTooLarge(content.length, invoker.caches.limits.maxInlineBytes)
  }
  const meter = new ProgressMeter(invoker.clock, undefined, 'upload')
  return uploadFile(context, content, { options, meter, twins: undefined })
}
