import { utf8Length } from '../platform/bytes.ts'

/** What a message takes besides its strings and bytes: keys, lengths, brackets. */
const perFieldBytes = 16

/**
 * About how many bytes a value takes in a request, rather more than less. Where it is too little all the same, the
 * server refuses the request and it is split.
 */
export function estimateBytes(value: unknown, base64: boolean): number {
  if (value instanceof Uint8Array) return perFieldBytes + (base64 ? Math.ceil(value.length / 3) * 4 : value.length)
  if (typeof value === 'string') return perFieldBytes + utf8Length(value)
  if (typeof value !== 'object' || value === null) return perFieldBytes
  let sum = perFieldBytes
  if (Array.isArray(value)) {
    for (const item of value) sum += estimateBytes(item, base64)
    return sum
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    if (item !== undefined) sum += key.length + estimateBytes(item, base64)
  }
  return sum
}
