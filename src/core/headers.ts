/** Headers that callers, request interceptors and operations of a frame may have. */
import { show } from './check-options.ts'
import { invalidArgument } from './error.ts'

const fromEntries = 'Object.fromEntries(headers)'

/** Headers that the protocols and the client itself set. */
export const reservedHeaders =
  /^(:.*|connection|host|te|transfer-encoding|upgrade|content-.*|accept-encoding|connect-.*|grpc-.*|authorization|user-agent|.*-bin)$/

/** A token. Source: RFC 9110 section 5.6.2. */
export const headerNameForm = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

/** What is known of a name as it was given: its form in lower case, or why no call may have it. */
interface KnownName {
  readonly name: string
  readonly problem: string | undefined
}

/** Calls repeat a few names, and looking one up is many times cheaper than checking it. */
const knownNames = new Map<string, KnownName>()
const maxKnownNames = 1000

function checkName(given: string): KnownName {
  const name = given.toLowerCase()
  let problem: string | undefined
  if (name === 'authorization') problem = 'is reserved; give the bearer token as the option token'
  else if (reservedHeaders.test(name)) problem = 'is reserved: the client or the protocol sets it'
  else if (!headerNameForm.test(name)) problem = 'must be a valid HTTP header name'
  const known = { name, problem }
  if (knownNames.size < maxKnownNames && given.length <= 80) knownNames.set(given, known)
  return known
}

/** The name of a header in lower case. */
export function headerNameOf(given: string): string {
  return (knownNames.get(given) ?? checkName(given)).name
}

/** Why a call may not have this header; undefined = it may. */
export function headerProblem(given: string, value: unknown): string | undefined {
  const { problem } = knownNames.get(given) ?? checkName(given)
  return problem ?? valueProblem(value)
}

function valueProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string'
  // gRPC metadata is visible ASCII only; all transports take the same.
  return /^[\x20-\x7e]*$/.test(value) ? undefined : 'must be printable ASCII'
}

/**
 * `base` with further headers, by lower-case name.
 * @throws BlobwireError `invalid_argument` for names or values that HTTP does not allow (RFC 9110 section 5) and for
 * headers that the protocol itself uses
 */
export function checkHeaders(
  headers: Readonly<Record<string, string>>,
  base: Readonly<Record<string, string>> = {}
): Record<string, string> {
  const checked: Record<string, string> = { ...base }
  for (const { name, value } of headersOf(headers)) checked[name] = value
  return checked
}

/** Headers as a list, by lower-case name. @throws BlobwireError; see `checkHeaders` */
export function headersOf(headers: Readonly<Record<string, string>>): { name: string; value: string }[] {
  // Headers, Map and lists have no keys of their own: they would be no headers at all.
  if (Object.prototype.toString.call(headers) !== '[object Object]')
    throw invalidArgument('headers', `must be an object of names and values, not ${show(headers)}; use ${fromEntries}`)
  const list: { name: string; value: string }[] = []
  for (const given of Object.keys(headers)) {
    const value = headers[given] as string
    const { name, problem = valueProblem(value) } = knownNames.get(given) ?? checkName(given)
    if (problem !== undefined) throw invalidArgument(`headers.${name.slice(0, 80)}`, problem)
    const earlier = list.length === 0 ? -1 : list.findIndex((header) => header.name === name)
    if (earlier >= 0) list.splice(earlier, 1)
    list.push({ name, value })
  }
  return list
}
