/** The headers that an operation has besides those of its session. */
import { headerProblem } from '../core/headers.ts'
import type { HeaderList } from '../transport/session-frame.ts'

type Headers = Readonly<Record<string, string>>

/** Headers that travel in a frame with their operation. */
export interface OwnHeaders {
  readonly list: HeaderList
  /** Equal for lists of equal content: such lists stand in a frame once. */
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
  if (given === ofSession) return 'none'
  for (const field in ofSession) if (given[field] === undefined) return 'cannot_travel'
  const headers: { name: string; value: string }[] = []
  let key = ''
  let bytes = perHeaderBytes
  for (const field in given) {
    const value = given[field] as string
    if (ofSession[field] === value) continue
    const name = field.toLowerCase()
    if (headerProblem(name, value) !== undefined) return 'cannot_travel'
    headers.push({ name, value })
    key += `${name}:${value}\n`
    bytes += perHeaderBytes + name.length + value.length
  }
  return headers.length === 0 ? 'none' : { list: { headers }, key, bytes }
}
