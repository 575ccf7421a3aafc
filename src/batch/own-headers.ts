/** The headers that an operation has besides those of its session. */
import { headerNameOf, headerProblem } from '../core/headers.ts'
import type { HeaderList } from '../transport/session-frame.ts'

type Headers = Readonly<Record<string, string>>

/** Headers that travel in a frame with their operation. */
export interface OwnHeaders {
  readonly list: HeaderList
  /** The values: equal for lists of equal content, and hardly ever for others. */
  readonly key: string
  /** Estimated size in a frame. */
  readonly bytes: number
}

/** Bytes of a header besides its name and value: field names, lengths, brackets. */
const perHeaderBytes = 32

/**
 * The headers of a call that the session does not have: `none`, or `cannot_travel` where a request interceptor removed a
 * header of the client's or set one that the protocol itself uses.
 */
export function ownHeaders(given: Headers, ofSession: Headers): OwnHeaders | 'none' | 'cannot_travel' {
  for (const field in ofSession) if (given[field] === undefined) return 'cannot_travel'
  const headers: { name: string; value: string }[] = []
  let key = ''
  let bytes = perHeaderBytes
  for (const field in given) {
    const value = given[field] as string
    if (ofSession[field] === value) continue
    if (headerProblem(field, value) !== undefined) return 'cannot_travel'
    const name = headerNameOf(field)
    headers.push({ name, value })
    key = headers.length === 1 ? value : `${key}\n${value}`
    bytes += perHeaderBytes + name.length + value.length
  }
  return headers.length === 0 ? 'none' : { list: { headers }, key, bytes }
}
