/** Errors in the form of gRPC, with the richer error model (grpc.io, "Error handling"). */
import { Metadata, type StatusObject } from '@grpc/grpc-js'
import { codeNumbers } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { errorDetail } from '../service/error-detail.ts'
import { statusDetails } from './status-details.ts'

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
