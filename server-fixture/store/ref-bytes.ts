/**
 * Names of refs that are not UTF-8. Git takes any bytes; a store holds names as text, in which a byte that is part of no
 * UTF-8 character stands as the lone surrogate U+DC00 + byte, as in Python's `surrogateescape` (PEP 383).
 */
import { isUtf8 } from 'node:buffer'

/** The text of a name. */
export function textOfName(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd') || isUtf8(bytes)) return text
  let escaped = ''
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(bytes.subarray(at, at + count)) && at + count <= bytes.length)
    escaped += length ? bytes.toString('utf8', at, at + length) : String.fromCharCode(0xdc00 + (bytes[at] as number))
    at += length ?? 1
  }
  return escaped
}

/** The bytes of a name, or of any text that holds names. */
export function bytesOfName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name)
  return Buffer.concat(
    Array.from(name, (character) => {
      const unit = character.charCodeAt(0)
      const isEscape = character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff
      return isEscape ? Buffer.of(unit - 0xdc00) : Buffer.from(character)
    })
  )
}

/** The lines of git's output as texts of names. */
export function linesOf(output: Buffer): string[] {
  const text = output.toString('utf8')
  if (!text.includes('\ufffd')) return text.split('\n')
  return output
    .toString('latin1')
    .split('\n')
    .map((line) => textOfName(Buffer.from(line, 'latin1')))
}

/** The path of a ref's file, or of a directory of refs, as the file system takes it. */
export const pathOfName = (path: string): string | Buffer => (path.isWellFormed() ? path : bytesOfName(path))
