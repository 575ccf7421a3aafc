import { type ServiceError, status } from '@grpc/grpc-js'
import { codeFromGrpc } from '../../core/code.ts'
import { BlobwireError, type Sent } from '../../core/error.ts'
import { factsOf, malformedResponse, withRetryAfter } from '../errors.ts'
import { decodeStatus, type Status } from './proto.ts'

const maxMessageLength = 4096

/** grpc-js says only in words that a call never left; the words of version 1.14. */
const neverSent = /^(No connection established|Name resolution failed|Waiting for LB pick)/
/** …and that it could not read the answer. */
const unreadable =
  /^(Response message parsing error|Failed to parse|Error deserializing|Failed to decompress|No message received)/
/**
 * …and that the stream was reset, by the server or over bytes that are not HTTP/2, which it calls INTERNAL, or CANCELLED
 * (where we have not cancelled) or whatever else the code of RST_STREAM may stand for.
 */
const brokenHttp2 = /^(Received RST_STREAM with code \d+|Call cancelled$|Bandwidth exhausted or memory limit exceeded$)/
/** Codes that grpc-js gives by itself, too, without an answer from the server. */
const madeHere = new Set<number>([status.UNAVAILABLE, status.CANCELLED, status.DEADLINE_EXCEEDED])
/** The server's limit on requests, or ours on responses. */
const tooLarge = /^Received message (larger than max|that decompresses to)/

/** What the error of a gRPC call means, with the details of the richer error model where the server sent some. */
export function errorFromService(error: ServiceError): BlobwireError {
  return withPushback(withRetryAfter(errorFromStatus(error), textOf(error, 'retry-after')), error)
}

/** Whether the stream was reset, rather than answered with an error. */
export function isReset(error: ServiceError): boolean {
  return brokenHttp2.test(error.details || error.message)
}

const textOf = (error: ServiceError, key: string) => error.metadata?.get(key)[0]?.toString()

/** gRFC A6: `grpc-retry-pushback-ms` is how long to wait; what is no number, or below 0, says not to try again. */
function withPushback(found: BlobwireError, error: ServiceError): BlobwireError {
  const pushback = textOf(error, 'grpc-retry-pushback-ms')
  if (pushback === undefined) return found
  if (!/^\d+$/.test(pushback)) return found.with({ retryable: false })
  return found.with({ retryable: true, details: { ...found.details, retryAfterMs: Number(pushback) } })
}

function errorFromStatus(error: ServiceError): BlobwireError {
  const code = codeFromGrpc(error.code)
  const message = (error.details || error.message).slice(0, maxMessageLength)
  const rich = readStatus(error)
  if (rich?.detail) {
    return new BlobwireError({ code, message, sent: 'processed', cause: error, ...factsOf(rich.detail) })
  }
  if (brokenHttp2.test(message)) return new BlobwireError({ code: 'unavailable', message, sent: 'maybe', cause: error })
  // For a compressed message without an encoding it has not even a code.
  if (unreadable.test(message) || error.code === undefined) return malformedResponse(message, error)
  const isRedirect = redirect.test(message)
  return new BlobwireError({
    code: isRedirect ? undefined : code,
    message: isRedirect ? `${message}: the client does not follow redirects` : message,
    sent: sentOf(error, message),
    cause: error,
    ...(isRedirect ? { reason: 'redirect_refused' } : {}),
    ...(tooLarge.test(message) ? { reason: 'message_too_large' } : {}),
    ...(isTlsFailure(message) ? { reason: 'tls', retryable: false } : {})
  })
}

function sentOf(error: ServiceError, message: string): Sent {
  if (neverSent.test(message)) return 'never'
  return madeHere.has(error.code) ? 'maybe' : 'processed'
}

/** grpc-js makes `unknown` of it; a redirect is not followed on any transport. */
const redirect = /^Received HTTP status code 3\d\d/

/** OpenSSL's and Node's words for a certificate that does not pass. */
function isTlsFailure(message: string): boolean {
  return /certificate|ERR_SSL|SSL routines|altnames/i.test(message)
}

function readStatus(error: ServiceError): Status | undefined {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? []
  if (!(bytes instanceof Uint8Array)) return undefined
  try {
    return decodeStatus(bytes)
  } catch {
    // An error with details that cannot be read is still that error.
    return undefined
  }
}
