/** Names of refs. Git's are bytes; here they are texts with a character for each byte, as git's output is read. */
import { isUtf8 } from 'node:buffer'

/** Bytes, as latin1 text. */
export type RefName = string

/** The name for a reader: bytes that are not UTF-8 become U+FFFD. */
export const readable = (name: RefName): string => Buffer.from(name, 'latin1').toString()

/** The name as the API takes it: text, or the bytes of a name that is not UTF-8. */
export function apiName(name: RefName): string | Uint8Array {
  const bytes = Buffer.from(name, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : bytes
}

/** The name of a ref as the API lists it, or takes it. */
export function nameOf(listed: string | Uint8Array): RefName {
  const bytes =
    typeof listed === 'string' ? Buffer.from(listed) : Buffer.from(listed.buffer, listed.byteOffset, listed.length)
  return bytes.toString('latin1')
}
