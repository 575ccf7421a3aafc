/** The error of malformed messages. */
import { BlobwireError } from '../core/error.ts'

export function malformed(description: string, cause?: unknown): BlobwireError {
  return new BlobwireError({ reason: 'malformed', message: description, cause })
}
