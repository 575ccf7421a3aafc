/** In the place of `core/errno.ts`: the codes of the errors of `fetch`, in the runtimes that have some. */
import type { Failure } from '../errno.ts'

const neverConnected: Failure = { code: 'unavailable', sent: 'never' }
const tls: Failure = { reason: 'tls', sent: 'never' }

/** By `error.code`, or the code of its cause: errno names of Node and Deno, and Bun's own. */
const failures: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: neverConnected,
  ENOTFOUND: neverConnected,
  EAI_AGAIN: neverConnected,
  ENETUNREACH: neverConnected,
  EHOSTUNREACH: neverConnected,
  UND_ERR_CONNECT_TIMEOUT: neverConnected,
  ConnectionRefused: neverConnected,
  FailedToOpenSocket: neverConnected,
  CERT_HAS_EXPIRED: tls,
  DEPTH_ZERO_SELF_SIGNED_CERT: tls,
  SELF_SIGNED_CERT_IN_CHAIN: tls,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: tls,
  ERR_TLS_CERT_ALTNAME_INVALID: tls
}

export function failureFromErrno(error: unknown): Failure | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? failures[code] : undefined
}
