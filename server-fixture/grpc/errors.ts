/** Errors in the form of gRPC, with the richer error model (grpc.io, "Error handling"). */
import { Metadata, type StatusObject } from '@grpc/grpc-js'
import { codeNumbers } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { errorDetail } from '../service/error-detail.ts'
import { encodeStatus } from './proto.ts'

/** Most bytes of encoded error details: peers end the connection over more than 8 KiB of headers. */
const maxDetailBytes = 4096

/** Cuts the lists of an error to the room in a trailer; the message tells their full length. */
function statusDetails(code: number, message: string, detail: Messages['ErrorDetail']): Buffer {
  const encoded = encodeStatus({ code, message, detail })
  const { missingOids, refMismatches, pathMismatches, violations } = detail
  const longest = Math.max(missingOids.length, refMismatches.length, pathMismatches.length, violations.length)
  if (encoded.length <= maxDetailBytes || longest === 0) return encoded
  const keep = Math.min(longest - 1, Math.floor((longest * maxDetailBytes) / encoded.length))
  const shorter = {
    missingOids: missingOids.slice(0, keep),
    refMismatches: refMismatches.slice(0, keep),
    pathMismatches: pathMismatches.slice(0, keep),
    violations: violations.slice(0, keep)
  }
  return statusDetails(code, message, { ...detail, ...shorter })
}

/** An error as a gRPC status. */
export function toStatus(error: BlobwireError, requestId: string): Partial<StatusObject> {
  const metadata = new Metadata()
  const code = codeNumbers[error.code]
  const { message } = error
  metadata.set('grpc-status-details-bin', statusDetails(code, message, errorDetail(error, requestId)))
  metadata.set('x-request-id', requestId)
  const { retryAfterMs } = error.details
  // gRFC A6, for clients that do not read the details.
  if (retryAfterMs !== undefined) metadata.set('grpc-retry-pushback-ms', String(retryAfterMs))
  return { code, details: message, metadata }
}
