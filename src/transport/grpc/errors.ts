/** Turns the errors of grpc-js into `BlobwireError`s. */
import type { ServiceError } from '@grpc/grpc-js'
import { decodeStatus } from '../../codec/protobuf.ts'
import { failureMessage, grpcStatusMessage } from '../../core/advice.ts'
import { codeFromGrpc, codeNumbers } from '../../core/code.ts'
import { BlobwireError, type Sent } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { factsOf, malformedResponse, withRetryAfter } from '../errors.ts'

const maxMessageLength = 4096

/** Messages of grpc-js 1.14 for calls that were never sent, the only sign of that. */
const neverSent = /^(No connection established|Name resolution failed|Waiting for LB pick)/
/** Messages of grpc-js for answers that it could not read. */
const unreadable =
  /^(Response message parsing error|Failed to parse|Error deserializing|Failed to decompress|No message received)/
/**
 * Messages of grpc-js for streams that were reset by the server, or because of bytes that are not HTTP/2. grpc-js gives
 * them INTERNAL, CANCELLED or another code by the code of RST_STREAM.
 */
const brokenHttp2 = /^(Received RST_STREAM with code \d+|Call cancelled$|Bandwidth exhausted or memory limit exceeded$)/
/** Codes that grpc-js also gives without an answer from the server. */
const maybeLocal = new Set<number>([codeNumbers.unavailable, codeNumbers.cancelled, codeNumbers.deadline_exceeded])
/** Messages for a request above the server's limit, or a response above the client's. */
const tooLarge = /^Received message (larger than max|that decompresses to)/

/** The error of a gRPC call, with the details of the richer error model where the server sent some. */
export function errorFromService(error: ServiceError): BlobwireError {
  return withPushback(withRetryAfter(errorFromStatus(error), textOf(error, 'retry-after')), error)
}

/** Whether the stream was reset, rather than answered with an error. */
export function isReset(error: ServiceError): boolean {
  return brokenHttp2.test(error.details || error.message)
}

const textOf = (error: ServiceError, key: string) => error.metadata?.get(key)[0]?.toString()

/** gRFC A6: `grpc-retry-pushback-ms` is the time to wait; a negative or malformed value forbids a retry. */
function withPushback(found: BlobwireError, error: ServiceError): BlobwireError {
  const pushback = textOf(error, 'grpc-retry-pushback-ms')
  if (pushback === undefined) return found
  if (!/^\d+$/.test(pushback)) return found.with({ retryable: false })
  return found.with({ retryable: true, details: { ...found.details, retryAfterMs: Number(pushback) } })
}

function errorFromStatus(error: ServiceError): BlobwireError {
  const code = codeFromGrpc(error.code)
  const message = (error.details || error.message).slice(0, maxMessageLength)
  const detail = readDetail(error)
  if (detail) return new BlobwireError({ code, message, sent: 'processed', cause: error, ...factsOf(detail) })
  if (brokenHttp2.test(message)) return new BlobwireError({ code: 'unavailable', message, sent: 'maybe', cause: error })
  // grpc-js gives no code for a compressed message without an encoding.
  if (unreadable.test(message) || error.code === undefined) return malformedResponse(message, error)
  const isRedirect = redirect.test(message)
  return new BlobwireError({
    code: isRedirect ? undefined : code,
    message: messageOf(message, sentOf(error, message)),
    sent: sentOf(error, message),
    cause: error,
    ...(isRedirect ? { reason: 'redirect_refused' } : {}),
    ...(tooLarge.test(message) ? { reason: 'message_too_large' } : {}),
    ...(isTlsFailure(message) ? { reason: 'tls', retryable: false } : {}),
    ...(message.includes('ERR_ACCESS_DENIED') ? { code: undefined, reason: 'network_denied' } : {})
  })
}

function sentOf(error: ServiceError, message: string): Sent {
  if (neverSent.test(message)) return 'never'
  return maybeLocal.has(error.code) ? 'maybe' : 'processed'
}

/** The message for an error of grpc-js itself. */
function messageOf(message: string, sent: Sent): string {
  const [, status] = httpStatus.exec(message) ?? []
  if (status !== undefined) return grpcStatusMessage(Number(status))
  return sent === 'never' ? failureMessage(message) : message
}

const httpStatus = /^Received HTTP status code (\d+)/

/** The message for a redirect, which grpc-js reports as UNKNOWN. */
const redirect = /^Received HTTP status code 3\d\d/

/** Whether the message of OpenSSL or Node is about TLS, such as a certificate that is not trusted. */
function isTlsFailure(message: string): boolean {
  return /certificate|ERR_SSL|SSL routines|altnames/i.test(message)
}

function readDetail(error: ServiceError): Messages['ErrorDetail'] | undefined {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? []
  if (!(bytes instanceof Uint8Array)) return undefined
  try {
    return decodeStatus(bytes).detail
  } catch {
    // Unreadable details must not hide the error itself.
    return undefined
  }
}
