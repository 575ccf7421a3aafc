import { BlobwireError } from '../core/error.ts'

/** Deepest nesting that any codec accepts; the schema itself needs 6. */
export const maxDepth = 64

/** Most values (scalars, arrays, objects) in one message; a page of 10,000 tree entries has 40,000. */
export const maxNodes = 1_000_000

/** Bytes that are not an acceptable message: `invalid_argument`, reason `malformed`. */
export function malformed(description: string, cause?: unknown): BlobwireError {
  return new BlobwireError({ reason: 'malformed', message: description, cause })
}
