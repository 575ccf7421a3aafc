/** The error of malformed messages, and the limits on messages that all codecs share. */
import { BlobwireError } from '../core/error.ts'

/** Deepest nesting that a codec accepts; the schema needs 6. */
export const maxDepth = 64

/** Most values (scalars, arrays, objects) in one message; a page of 10,000 tree entries has 40,000. */
export const maxNodes = 1_000_000

export function malformed(description: string, cause?: unknown): BlobwireError {
  return new BlobwireError({ reason: 'malformed', message: description, cause })
}
