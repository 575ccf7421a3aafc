/** Turns HTTP answers and network exceptions into `BlobwireError`s. */
import { parseJson } from '../../codec/json.ts'
import { decodeProtobuf } from '../../codec/protobuf-decode.ts'
import { statusMessage } from '../../core/advice.ts'
import { type Code, codeFromHttpStatus, codeFromName } from '../../core/code.ts'
import { BlobwireError } from '../../core/error.ts'
import type { KnownReason } from '../../core/reasons.ts'
import { decodeBase64 } from '../../platform/bytes.ts'
import type { Messages } from '../../schema/messages.ts'
import { asResponseError, factsOf, malformedResponse } from '../errors.ts'

/** Longest error message that is taken over: the messages of servers end up in logs. */
const maxMessageLength = 4096
const detailType = 'blobwire.v1.ErrorDetail'

/** Reasons that the status alone tells. gRPC servers answer 415 to other content (grpc.io, "gRPC over HTTP2"). */
const reasonOfStatus: Readonly<Record<number, KnownReason>> = { 413: 'request_too_large', 415: 'no_http_form' }

/** The error of an answer other than 200: by its Connect error object, or by its status where a proxy answered. */
export function errorFromResponse(status: number, contentType: string, body: Uint8Array): BlobwireError {
  // Of resumable uploads, it is a problem (RFC 9457) as well.
  const connect = /^application\/(problem\+)?json\b/.test(contentType) ? parseConnectError(body) : undefined
  if (connect === undefined) {
    const redirected = status >= 300 && status < 400
    return new BlobwireError({
      code: redirected ? undefined : codeFromHttpStatus(status),
      reason: redirected ? 'redirect_refused' : reasonOfStatus[status],
      message: statusMessage(status),
      sent: status === 503 ? 'maybe' : 'processed'
    })
  }
  return errorFromConnect(connect, codeFromHttpStatus(status))
}

/** The error in an end-stream message; undefined = the stream ended in good order. */
export function errorFromEndStream(payload: Uint8Array): BlobwireError | undefined {
  let message: { error?: unknown } | null
  try {
    message = parseJson(payload) as typeof message
  } catch (error) {
    return asResponseError(error)
  }
  if (message?.error === undefined || message.error === null) return undefined
  const connect = connectError(message.error)
  return connect ? errorFromConnect(connect, 'unknown') : malformedResponse('the end-stream message has no code')
}

function errorFromConnect(connect: ConnectError, otherwise: Code): BlobwireError {
  const detail = readDetail(connect.details)
  return new BlobwireError({
    code: codeFromName(connect.code) ?? otherwise,
    message: connect.message,
    sent: 'processed',
    ...factsOf(detail)
  })
}

interface ConnectError {
  code: unknown
  message: string
  details: unknown[]
}

/** The error object of the Connect protocol, "Error end-of-stream and unary errors"; undefined = it is none. */
function parseConnectError(body: Uint8Array): ConnectError | undefined {
  try {
    return connectError(parseJson(body))
  } catch {
    return undefined
  }
}

function connectError(value: unknown): ConnectError | undefined {
  const error = value as { code?: unknown; message?: unknown; details?: unknown } | null
  if (typeof error !== 'object' || error === null || codeFromName(error.code) === undefined) return undefined
  return {
    code: error.code,
    message: typeof error.message === 'string' ? error.message.slice(0, maxMessageLength) : '',
    details: Array.isArray(error.details) ? error.details : []
  }
}

function readDetail(details: unknown[]): Messages['ErrorDetail'] | undefined {
  const ours = details.find((item) => (item as { type?: unknown } | null)?.type === detailType)
  const value = (ours as { value?: unknown } | undefined)?.value
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined
  try {
    return bytes && decodeProtobuf('ErrorDetail', bytes)
  } catch {
    // Unreadable details must not hide the error itself.
    return undefined
  }
}
