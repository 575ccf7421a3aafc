/**
 * Paths whose names are not UTF-8: Git's names are bytes. Messages carry such a path as bytes, in a field beside the one
 * for text; inside, each path is a binary string, which has one character for each byte.
 */
import {
  decodeLatin1,
  decodeUtf8,
  encodeLatin1,
  encodeUtf8,
  isUtf8,
  toNative,
  toUint8Array
} from '../platform/bytes.ts'
import { meantPath, pathProblem } from './path.ts'

/** A path in messages: its text or, where it is not UTF-8, its bytes. The bytes have precedence. */
export interface PathFields {
  readonly path?: string | undefined
  readonly rawPath?: Uint8Array | undefined
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ascii = /^[\x00-\x7f]*$/

/** The path as a binary string. */
export function binaryPath({ path = '', rawPath }: PathFields): string {
  if (rawPath !== undefined && rawPath.length > 0) return decodeLatin1(toNative(rawPath))
  return ascii.test(path) ? path : decodeLatin1(encodeUtf8(path))
}

/** A path as callers give it, as messages carry it. */
export function pathFields(path: string | Uint8Array): { path: string; rawPath?: Uint8Array } {
  if (typeof path === 'string') return { path }
  const bytes = toNative(path)
  return isUtf8(bytes) ? { path: decodeUtf8(bytes) } : { path: '', rawPath: toUint8Array(bytes) }
}

/** The text of a binary string where it is UTF-8, and else undefined. */
function textOfBinary(binary: string): string | undefined {
  if (ascii.test(binary)) return binary
  const bytes = encodeLatin1(binary)
  return isUtf8(bytes) ? decodeUtf8(bytes) : undefined
}

/** The path for an answer: bytes that are not UTF-8 are U+FFFD in its text, and stand beside it. */
export function answeredPath(binary: string): { path: string; rawPath?: Uint8Array } {
  const text = textOfBinary(binary)
  if (text !== undefined) return { path: text }
  const bytes = encodeLatin1(binary)
  return { path: decodeUtf8(bytes), rawPath: toUint8Array(bytes) }
}

/** The path for a message: quoted, and escaped where it is not UTF-8. */
export function showPath(binary: string): string {
  const text = textOfBinary(binary)
  if (text !== undefined) return JSON.stringify(text.slice(0, 200))
  const quoted = JSON.stringify(binary.slice(0, 200))
  return quoted.replace(/[\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)
}

/**
 * The text to which the rules for names apply. Git's decoders of names end at bytes that are not UTF-8, as at U+FFFF.
 */
export function textForRules(binary: string): string {
  return textOfBinary(binary) ?? decodeUtf8(encodeLatin1(binary)).replaceAll('\ufffd', '\uffff')
}

/** The rule that a path violates; undefined = a tree can hold it. */
export function rawPathProblem(fields: PathFields): string | undefined {
  const { path = '', rawPath } = fields
  if (rawPath === undefined || rawPath.length === 0) return pathProblem(path)
  return pathProblem(textForRules(binaryPath(fields)), rawPath.length)
}

/** The rule that a path to be read violates; undefined = some tree may have it. */
export function readPathProblem(binary: string): string | undefined {
  const isPath = !binary.includes('\0') && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(binary)
  if (isPath) return undefined
  return `must be a path such as "dir/file.txt", without "//", "." and ".."${meantPath(textForRules(binary))}`
}

/** The same for one to be removed or guarded: Git has paths that no new tree may have. */
export function presentPathProblem(fields: PathFields): string | undefined {
  const { path = '' } = fields
  const mayBeThere = path.isWellFormed() && readPathProblem(binaryPath(fields)) === undefined
  return mayBeThere ? undefined : rawPathProblem(fields)
}
