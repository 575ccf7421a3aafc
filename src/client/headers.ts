import { invalidArgument } from '../core/error.ts'

/** Headers that the protocols and the client itself set. */
const reserved =
  /^(:.*|connection|host|te|transfer-encoding|upgrade|content-.*|accept-encoding|connect-.*|grpc-.*|authorization|user-agent|.*-bin)$/

/** A token. Source: RFC 9110 section 5.6.2. */
const nameForm = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

/**
 * Headers with lower-case names.
 * @throws BlobwireError `invalid_argument` for names or values that HTTP does not allow (RFC 9110 section 5) and for
 * headers that the protocol itself uses
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  // Headers, Map and lists have no keys of their own: they would be no headers at all.
  if (Object.prototype.toString.call(headers) !== '[object Object]')
    throw invalidArgument('headers', 'must be an object of names and values')
  const checked: Record<string, string> = {}
  for (const [key, value] of Object.entries(headers)) {
    const name = key.toLowerCase()
    if (reserved.test(name)) throw invalidArgument(`headers.${name}`, 'is reserved: the client or the protocol sets it')
    if (!nameForm.test(name)) throw invalidArgument(`headers.${name.slice(0, 80)}`, 'must be a valid HTTP header name')
    if (typeof value !== 'string') throw invalidArgument(`headers.${name}`, 'must be a string')
    // gRPC metadata is visible ASCII only; all transports take the same.
    if (!/^[\x20-\x7e]*$/.test(value)) throw invalidArgument(`headers.${name}`, 'must be printable ASCII')
    checked[name] = value
  }
  return checked
}
