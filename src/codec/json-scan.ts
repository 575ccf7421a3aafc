/**
 * Scans JSON text for dangers that `JSON.parse` accepts: unlimited nesting and numbers of values, duplicate keys and
 * `__proto__`. The parser checks the grammar afterwards. A native search skips strings, so that base64 costs next to nothing.
 */
import { decodeLatin1, decodeUtf8, encodeUtf8 } from '../platform/bytes.ts'
import type { NativeBytes } from '../platform/platform.ts'
import { maxDepth, maxMessages, maxValues, tooMany } from './limits.ts'
import { malformed } from './malformed.ts'

const quote = 0x22
const backslash = 0x5c
/** Bytes of a short string. */
const shortBytes = 16

/**
 * Checks that JSON text is safe to parse.
 * @throws BlobwireError `resource_exhausted`, reason `message_too_large`, for too many values; `invalid_argument`, reason
 * `malformed`, for everything else
 */
export function scanJson(text: NativeBytes): void {
  // The keys of each open object; undefined for an open array.
  const levels: (string[] | undefined)[] = []
  let expectsKey = false
  let values = 0
  let messages = 0
  let nextBackslash = text.indexOf(backslash)

  const endOfString = (from: number): number => {
    // A loop finds the end of a short string sooner than the native search.
    for (let at = from; at < from + shortBytes; at++) {
      const byte = text[at]
      if (byte === quote) return at
      if (byte === backslash) break
    }
    let end = text.indexOf(quote, from)
    let at = from
    for (;;) {
      if (end < 0) throw malformed('a string is not terminated')
      if (nextBackslash >= 0 && nextBackslash < at) nextBackslash = text.indexOf(backslash, at)
      if (nextBackslash < 0 || nextBackslash > end) return end
      // An escape is skipped as two bytes: its second one may be a quote or a backslash.
      at = nextBackslash + 2
      if (end < at) end = text.indexOf(quote, at)
    }
  }

  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case quote: {
        const from = at + 1
        at = endOfString(from)
        if (expectsKey) {
          checkKey(levels.at(-1) ?? [], keyOf(text, from, at))
          expectsKey = false
        }
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        if (levels.length >= maxDepth) throw malformed(`the message is nested deeper than ${maxDepth} levels`)
        expectsKey = text[at] === 0x7b
        levels.push(expectsKey ? [] : undefined)
        if (++values > maxValues) throw tooMany('values')
        if (expectsKey && ++messages > maxMessages) throw tooMany('messages')
        break
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop()
        expectsKey = false
        break
      case 0x2c: // ,
        expectsKey = levels.at(-1) !== undefined
        if (++values > maxValues) throw tooMany('values')
        break
    }
  }
}

/** The key between two quotes, one character for each byte of its UTF-8. */
function keyOf(text: NativeBytes, from: number, to: number): string {
  const raw = decodeLatin1(text, from, to)
  if (!raw.includes('\\')) return raw
  try {
    return decodeLatin1(encodeUtf8(JSON.parse(`"${decodeUtf8(text, from, to)}"`) as string))
  } catch (cause) {
    throw malformed('a key is not a JSON string', cause)
  }
}

function checkKey(keys: string[], key: string): void {
  if (key === '__proto__') throw malformed('the key __proto__ is not allowed')
  if (keys.includes(key)) throw malformed('a key is repeated in its object')
  // No message has as many fields; a linear search stays cheap.
  if (keys.length >= 64) throw malformed('more than 64 keys in one object')
  keys.push(key)
}
