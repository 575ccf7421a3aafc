import { codeToConnect } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { encodeErrorDetail } from '../../src/transport/grpc/proto.ts'
import { errorDetail } from '../service/error-detail.ts'

/** Connect's error object, as it stands in the body of a unary error and in the end-stream message. */
export function connectErrorObject(error: BlobwireError, requestId: string): object {
  const detail = errorDetail(error, requestId)
  const value = Buffer.from(encodeErrorDetail(detail)).toString('base64').replace(/=+$/, '')
  const details = [{ type: 'blobwire.v1.ErrorDetail', value, debug: detail }]
  return { code: codeToConnect(error.code), message: error.message, details }
}
