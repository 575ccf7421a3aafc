/** Headers that callers, request interceptors and operations of a frame may have. */
import { invalidArgument } from './error.ts'

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
  if (typeof headers !== 'object' || headers === null)
    throw invalidArgument('headers', 'must be an object of names and values')
  const checked: Record<string, string> = {}
  for (const [key, value] of Object.entries(headers)) {
    const name = key.toLowerCase()
    const problem = headerProblem(name, value)
    if (problem !== undefined) throw invalidArgument(`headers.${name.slice(0, 80)}`, problem)
    checked[name] = value
  }
  return checked
}

/** Why a call may not have this header, whose name is in lower case; undefined = it may. */
export function headerProblem(name: string, value: unknown): string | undefined {
  if (reserved.test(name)) return 'is reserved: the client or the protocol sets it'
  if (!nameForm.test(name)) return 'must be a valid HTTP header name'
  if (typeof value !== 'string') return 'must be a string'
  // gRPC metadata is visible ASCII only; all transports take the same.
  return /^[\x20-\x7e]*$/.test(value) ? undefined : 'must be printable ASCII'
}
