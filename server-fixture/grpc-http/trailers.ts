/** The end of an answer of gRPC: its status as trailers (gRPC over HTTP2, "Responses"; gRPC, `PROTOCOL-WEB.md`). */
import { encodeEnvelope } from '../../src/codec/envelope.ts'
import { codeNumbers } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { statusDetails } from '../grpc/status-details.ts'
import { errorDetail } from '../service/error-detail.ts'

/** An envelope of gRPC-Web with the trailers as text. */
const trailersFlag = 0x80

/** Percent-encoded, but for the visible characters of ASCII without `%`. */
const encodeMessage = (message: string) => message.replace(/[^ -$&-~]/gu, percent)

const percent = (character: string) =>
  Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')

/** The trailers of an answer. */
export function statusTrailers(error: BlobwireError | undefined, requestId: string): Record<string, string> {
  if (error === undefined) return { 'grpc-status': '0', 'x-request-id': requestId }
  const { message } = error
  const code = codeNumbers[error.code]
  const details = statusDetails(code, message, errorDetail(error, requestId)).toString('base64').replace(/=+$/, '')
  const { retryAfterMs } = error.details
  return {
    'grpc-status': String(code),
    'grpc-message': encodeMessage(message),
    'grpc-status-details-bin': details,
    'x-request-id': requestId,
    // gRFC A6, for clients that do not read the details.
    ...(retryAfterMs === undefined ? {} : { 'grpc-retry-pushback-ms': String(retryAfterMs) })
  }
}

/** The trailers as the last envelope of a body. */
export function trailersEnvelope(trailers: Readonly<Record<string, string>>): Uint8Array {
  const text = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`)
  return encodeEnvelope(trailersFlag, Buffer.from(text.join('')))
}
