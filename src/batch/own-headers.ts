/** The headers that an operation has besides those of its session. */
import { headerNameOf, headerProblem, headersOf } from '../core/headers.ts'
import type { ObserverHeader } from '../telemetry/observed-call.ts'
import type { HeaderList } from '../transport/session-frame.ts'

type Headers = Readonly<Record<string, string>>

/** Headers that travel in a frame with their operation. */
export interface OwnHeaders {
  readonly list: HeaderList
  /** The values: equal for lists of equal content, and hardly ever for others. */
  readonly key: string
  /** Estimated size in a frame. */
  readonly bytes: number
  /** Those that the call itself has, where observers added some; `none` = all are of observers. */
  readonly ofCall?: OwnHeaders | 'none'
}

/** Bytes of a header besides its name and value: field names, lengths, brackets. */
const perHeaderBytes = 32

/** The headers that a call was given besides those of the session; undefined = none. @throws BlobwireError; see `headersOf` */
export function givenHeaders(given: Headers, ofSession: Headers): OwnHeaders | undefined {
  const headers = headersOf(given)
  for (const { name, value } of headers) {
    if (ofSession[name] === value) return listed(headers.filter((header) => ofSession[header.name] !== header.value))
  }
  return listed(headers)
}

function listed(headers: readonly { name: string; value: string }[]): OwnHeaders | undefined {
  let key = ''
  let bytes = perHeaderBytes
  for (let index = 0; index < headers.length; index++) {
    const { name, value } = headers[index] as { name: string; value: string }
    key = index === 0 ? value : `${key}\n${value}`
    bytes += perHeaderBytes + name.length + value.length
  }
  return headers.length === 0 ? undefined : { list: { headers }, key, bytes }
}

/** The headers of an operation with those that observers add to its attempt; the call's own have precedence. */
export function withObserverHeaders(own: OwnHeaders | undefined, added: readonly ObserverHeader[]): OwnHeaders {
  if (own === undefined) return { ...(listed(added) as OwnHeaders), ofCall: 'none' }
  const given = own.list.headers
  const further = added.filter(({ name }) => given.every((header) => header.name !== name))
  return { ...(listed([...given, ...further]) as OwnHeaders), ofCall: own }
}

/** All headers of a call: those of the session, and its own. */
export function allHeaders(ofSession: Headers, own: OwnHeaders | undefined): Headers {
  if (own === undefined) return ofSession
  return { ...ofSession, ...Object.fromEntries(own.list.headers.map(({ name, value }) => [name, value])) }
}

/**
 * The headers that the session does not have of a call that a request interceptor changed; `cannot_travel` where
 * it removed a header of the client's or set one that the protocol itself uses.
 */
export function changedHeaders(given: Headers, ofSession: Headers): OwnHeaders | 'cannot_travel' | undefined {
  if (given === ofSession) return undefined
  for (const field in ofSession) if (given[field] === undefined) return 'cannot_travel'
  const headers: { name: string; value: string }[] = []
  for (const field in given) {
    const value = given[field] as string
    if (ofSession[field] === value) continue
    if (headerProblem(field, value) !== undefined) return 'cannot_travel'
    headers.push({ name: headerNameOf(field), value })
  }
  return listed(headers)
}
