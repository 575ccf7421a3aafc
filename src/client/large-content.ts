/** Contents above the server's limit of a blob: refused before their bytes are sent, where the limit is known. */
import type { CallOptions } from '../call/call-options.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import { defaultLimits } from '../schema/default-limits.ts'
import { methods } from '../schema/methods.ts'
import type { CallInvoker } from './call-invoker.ts'
import type { OperationValues } from './results.ts'
import type { Request } from './to-request.ts'

/** The refusal of a content; `place` names its file, where it has one. */
export function contentTooLarge(actual: number, maximum: number, place: string = ''): BlobwireError {
  const message = `${place}the content has ${actual} bytes; at most maxInlineBytes (${maximum}) are allowed`
  const details = { limit: { limit: 'max_inline_bytes', maximum, actual } }
  return new BlobwireError({ code: 'resource_exhausted', message, details })
}

/**
 * Stores a blob that is larger than the limit as far as it is known. What fits no request of usual limits would be sent in
 * vain in most cases, and takes longer than to ask.
 * @throws BlobwireError `resource_exhausted`
 */
export async function storeLargeBlob(
  invoker: CallInvoker,
  request: Request<'storeBlob'> & { repository: string },
  options: CallOptions = {}
): Promise<OperationValues['storeBlob']> {
  const bytes = request.content?.length ?? 0
  const { caches } = invoker
  let rest = options
  try {
    if (!caches.knowsLimits && bytes > defaultLimits.maxBatchBytes) {
      const remaining = invoker.shared(options)
      await invoker.limits(remaining())
      rest = remaining()
    }
    const { maxInlineBytes } = caches.limits
    if (caches.knowsLimits && bytes > maxInlineBytes) throw contentTooLarge(bytes, maxInlineBytes)
  } catch (error) {
    return invoker.refused(methods.storeBlob, asBlobwireError(error).with({ sent: 'never' }))
  }
  return invoker.operation('storeBlob', request, rest)
}
