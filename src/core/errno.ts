/** The one table of Node's, OpenSSL's and undici's error codes: the reason or code of each, and whether the call was sent. */
import type { Code } from './code.ts'
import type { Sent } from './error.ts'
import type { KnownReason } from './reasons.ts'

/** A failure of the network, of TLS or of undici: a reason, which has a code, or a code alone. */
export type Failure = { readonly sent: Sent } & (
  | { readonly reason: KnownReason; readonly code?: undefined }
  | { readonly code: Code; readonly reason?: undefined }
)

const neverConnected: Failure = { code: 'unavailable', sent: 'never' }
const broken: Failure = { code: 'unavailable', sent: 'maybe' }
const tls: Failure = { reason: 'tls', sent: 'never' }
const tooLarge: Failure = { reason: 'response_too_large', sent: 'processed' }

/** By Node's `error.code`: errno names (libuv), TLS verification (OpenSSL), HTTP/2 (nghttp2) and undici. */
const failures: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: neverConnected,
  ENOTFOUND: neverConnected,
  EAI_AGAIN: neverConnected,
  ENETUNREACH: neverConnected,
  EHOSTUNREACH: neverConnected,
  EADDRNOTAVAIL: neverConnected,
  EACCES: neverConnected,
  ENOENT: neverConnected,
  UND_ERR_CONNECT_TIMEOUT: neverConnected,
  ECONNRESET: broken,
  ECONNABORTED: broken,
  EPIPE: broken,
  ETIMEDOUT: broken,
  UND_ERR_SOCKET: broken,
  UND_ERR_HEADERS_TIMEOUT: broken,
  UND_ERR_BODY_TIMEOUT: broken,
  UND_ERR_INFO: broken,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: broken,
  ERR_HTTP2_STREAM_ERROR: broken,
  ERR_HTTP2_SESSION_ERROR: broken,
  ERR_HTTP2_STREAM_CANCEL: broken,
  ERR_HTTP2_INVALID_STREAM: broken,
  ERR_STREAM_PREMATURE_CLOSE: broken,
  ERR_STREAM_DESTROYED: broken,
  ERR_HTTP2_GOAWAY_SESSION: neverConnected,
  ERR_HTTP2_INVALID_SESSION: neverConnected,
  ERR_HTTP2_ERROR: { reason: 'protocol_error', sent: 'maybe' },
  UND_ERR_DESTROYED: { reason: 'client_closed', sent: 'maybe' },
  UND_ERR_CLOSED: { reason: 'client_closed', sent: 'never' },
  UND_ERR_RES_EXCEEDED_MAX_SIZE: tooLarge,
  UND_ERR_HEADERS_OVERFLOW: tooLarge,
  CERT_HAS_EXPIRED: tls,
  CERT_NOT_YET_VALID: tls,
  CERT_REVOKED: tls,
  CERT_UNTRUSTED: tls,
  CERT_SIGNATURE_FAILURE: tls,
  DEPTH_ZERO_SELF_SIGNED_CERT: tls,
  SELF_SIGNED_CERT_IN_CHAIN: tls,
  UNABLE_TO_GET_ISSUER_CERT: tls,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: tls,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: tls,
  HOSTNAME_MISMATCH: tls,
  INVALID_CA: tls,
  ERR_TLS_CERT_ALTNAME_INVALID: tls,
  EPROTO: tls,
  ERR_ACCESS_DENIED: { reason: 'network_denied', sent: 'never' }
}

/** Failures by the prefix of a code, of OpenSSL and of the parsers of HTTP/2 and HTTP/1.1. */
const families: readonly (readonly [prefix: string, failure: Failure])[] = [
  ['ERR_SSL_', tls],
  ['ERR_HTTP2_', broken],
  ['HPE_', broken]
]

/**
 * System calls on an established connection. Linux may end one without answers with an error that a router sent, such as
 * EHOSTUNREACH (tcp(7), "Error handling": soft errors); the request has gone out by then.
 */
const onConnection = new Set(['read', 'write', 'writev', 'shutdown'])

/** The failure that an error of Node or undici means; undefined = the error is of another kind. */
export function failureFromErrno(error: unknown): Failure | undefined {
  const { code, name, syscall } = (error ?? {}) as NodeJS.ErrnoException
  // undici gives a parser error a code in some cases only.
  if (name === 'HTTPParserError') return broken
  if (typeof code !== 'string') return undefined
  const failure = failures[code] ?? families.find(([prefix]) => code.startsWith(prefix))?.[1]
  return failure === neverConnected && onConnection.has(syscall ?? '') ? broken : failure
}
