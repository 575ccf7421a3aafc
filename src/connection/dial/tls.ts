/** TLS options in Node's form. */
import { createSecureContext, type SecureContext } from 'node:tls'
import { BlobwireError } from '../../core/error.ts'
import type { Pem } from '../../options/pem.ts'
import type { TlsOptions } from '../../options/types.ts'

const bytesOf = (pem: Pem) => (typeof pem === 'string' ? pem : Buffer.from(pem))

/**
 * The secure context of TLS options. A client makes one at construction, so that wrong options are refused there.
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
    const message = `tls: ca, cert or key is invalid: ${(cause as Error).message}`
    throw new BlobwireError({ code: 'invalid_argument', message, cause })
  }
}
