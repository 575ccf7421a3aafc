/** PEM: certificates and keys as text or bytes. */
import { show } from '../core/check-options.ts'
import { decodeLatin1, toNative } from '../platform/bytes.ts'

/** PEM text or bytes, such as `readFileSync('ca.pem')`; a path is refused. */
export type Pem = string | Uint8Array

/** OpenSSL passes over whatever is outside of PEM's lines, so that a path would be a list without certificates. */
export function pemProblem(pem: unknown, secret = false): string | undefined {
  const text = pem instanceof Uint8Array ? decodeLatin1(toNative(pem)) : pem
  if (typeof text === 'string' && text.includes('-----BEGIN ')) return undefined
  // A key must not end up in a log.
  const path = typeof pem === 'string' && !secret ? show(pem) : 'path'
  const read = `not its path; read the file: readFileSync(${path})`
  return `must be the text or the bytes of a PEM file (-----BEGIN …), ${read}`
}
