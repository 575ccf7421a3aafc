/** Copies of arguments that are read later than their call is made. */

/** Calls nest their arguments less deep; what is below stays the caller's. */
const mostDepth = 10
/** Longer bytes are contents, which are not copied; paths are shorter. */
const mostBytes = 4096

/** Plain objects, lists, maps and short bytes are copied, everything else is the same. */
export function snapshot<Value>(value: Value, depth: number = mostDepth): Value {
  return copyOf(value, depth) as Value
}

function copyOf(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth === 0) return value
  const copy = (each: unknown) => copyOf(each, depth - 1)
  if (Array.isArray(value)) return value.map(copy)
  if (value instanceof Uint8Array) return value.length > 0 && value.length <= mostBytes ? new Uint8Array(value) : value
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [copy(key), copy(each)]))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copy(each)]))
}
