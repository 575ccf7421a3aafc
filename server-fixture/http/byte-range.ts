/** Conditions and ranges of reads. Source: RFC 9110 sections 8.8.3 (ETag), 13 (conditions), 14 (ranges). */
import { type Exchange, headerOf } from './exchange.ts'

/** Part of a blob: from `start` up to `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Whether the client has what the tag names (RFC 9110 section 13.1.2). */
export function isUnmodified(exchange: Exchange, etag: string): boolean {
  return tagsOf(exchange, 'if-none-match').some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}

/** Whether the client wants nothing but another content, such as the rest of one (RFC 9110 section 13.1.1). */
export function isAnother(exchange: Exchange, etag: string): boolean {
  const tags = tagsOf(exchange, 'if-match')
  return tags.length > 0 && !tags.some((tag) => tag === '*' || tag === etag)
}

function tagsOf(exchange: Exchange, name: string): string[] {
  return (
    headerOf(exchange, name)
      ?.trim()
      .split(/\s*,\s*/) ?? []
  )
}

/** The range that the client asks for; undefined = the whole blob, 'none' = outside of the blob. */
export function rangeOf(exchange: Exchange, etag: string, size: number): ByteRange | 'none' | undefined {
  // Ranges are defined for GET alone (section 14.2).
  if (exchange.method !== 'GET') return undefined
  const ifRange = headerOf(exchange, 'if-range')
  if (ifRange !== undefined && ifRange !== etag) return undefined
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(headerOf(exchange, 'range') ?? '') ?? []
  // Several ranges, other units and nonsense: a server may answer with the whole blob.
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  if (from === '') {
    // The last bytes of nothing are nothing, which no range can say (section 14.1.2).
    if (size === 0 && Number(to) > 0) return undefined
    const length = Math.min(Number(to), size)
    return length === 0 ? 'none' : { start: size - length, end: size }
  }
  const start = Number(from)
  if (to !== '' && Number(to) < start) return undefined
  return start >= size ? 'none' : { start, end: to === '' ? size : Math.min(Number(to) + 1, size) }
}
