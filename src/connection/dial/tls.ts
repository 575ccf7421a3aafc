import { createSecureContext, type SecureContext } from 'node:tls'
import { BlobwireError } from '../../core/error.ts'

/** PEM text or bytes. */
export type Pem = string | Uint8Array

/** How `https://` and `grpcs://` endpoints are trusted, and how the client shows who it is. */
export interface TlsOptions {
  /**
   * Certificates (PEM) of the authorities to trust, instead of those that Node ships.
   * @default Node's own list
   */
  ca?: Pem | readonly Pem[] | undefined
  /** Client certificate chain (PEM), for servers that ask for one. Goes with `key`. */
  cert?: Pem | undefined
  /** Private key (PEM) of `cert`. */
  key?: Pem | undefined
  /**
   * Name the server's certificate must carry.
   * @default the endpoint's host
   */
  serverName?: string | undefined
  /**
   * Oldest version of TLS that is spoken.
   * @default 'TLSv1.2'
   */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}

const bytesOf = (pem: Pem) => (typeof pem === 'string' ? pem : Buffer.from(pem))

/**
 * Node's form of the options; it is made once for each client, so that mistakes show at construction.
 * @throws BlobwireError `invalid_argument` where a certificate or key cannot be read
 * @internal
 */
export function secureContext(options: TlsOptions): SecureContext {
  const { ca, cert, key } = options
  try {
    return createSecureContext({
      minVersion: options.minVersion ?? 'TLSv1.2',
      ...(ca === undefined ? {} : { ca: (Array.isArray(ca) ? ca : [ca as Pem]).map(bytesOf) }),
      ...(cert === undefined ? {} : { cert: bytesOf(cert) }),
      ...(key === undefined ? {} : { key: bytesOf(key) })
    })
  } catch (cause) {
    // OpenSSL's message names the fault (such as "key values mismatch") and never shows the key.
    const message = `tls: ca, cert or key cannot be used: ${(cause as Error).message}`
    throw new BlobwireError({ code: 'invalid_argument', message, cause })
  }
}
