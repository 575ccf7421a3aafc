/** gzip under a byte limit, with `BlobwireError`s. */
import { BlobwireError } from '../core/error.ts'
import * as zlib from '../platform/zlib.ts'

export { gzip } from '../platform/zlib.ts'

/**
 * The content of one or more gzip members (RFC 1952); a promise where they are large. `isWanted` is asked when a body has
 * waited for others: one that nobody wants any more is refused.
 * @throws BlobwireError `resource_exhausted` above `maxBytes`, before more is buffered; `invalid_argument`, reason
 * `malformed`, for bytes that are not gzip, are truncated or have a wrong checksum or size
 */
export function gunzip(
  bytes: Uint8Array,
  maxBytes: number,
  isWanted?: () => boolean
): Uint8Array | Promise<Uint8Array> {
  const fail = (cause: unknown): never => {
    throw failure(cause, maxBytes)
  }
  try {
    const content = zlib.gunzip(bytes, maxBytes, isWanted)
    return content instanceof Promise ? content.catch(fail) : content
  } catch (cause) {
    return fail(cause)
  }
}

function failure(cause: unknown, maxBytes: number): BlobwireError {
  if (!(cause instanceof RangeError)) {
    return new BlobwireError({ reason: 'malformed', message: 'the bytes are not valid gzip', cause })
  }
  return new BlobwireError({
    code: 'resource_exhausted',
    message: `the message has more than ${maxBytes} bytes after decompression`,
    details: { limit: { limit: 'max_batch_bytes', maximum: maxBytes, actual: 0 } },
    cause
  })
}
