/** `ByteFunctions` of platform.ts on the web's `TextEncoder` and `TextDecoder`, where native bytes are plain ones. */
import type { NativeBytes } from '../platform.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strictDecoder = new TextDecoder('utf-8', { fatal: true })

export function allocate(length: number): NativeBytes {
  return toNative(new Uint8Array(length))
}

/** Applications on Deno and Bun may give a `Buffer`: no function here uses a method that means something else there. */
export function toNative(bytes: Uint8Array): NativeBytes {
  return bytes as NativeBytes
}

export function toUint8Array(bytes: Uint8Array): Uint8Array {
  const isPlain = Object.getPrototypeOf(bytes) === Uint8Array.prototype
  return isPlain ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Below this, bytes that were read have a buffer of their own: a small content must not keep a whole frame. */
const ownBelowBytes = 64 * 1024

export function ownBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const { byteLength } = bytes.buffer
  const isOwn = length < ownBelowBytes ? length === byteLength : length * 2 > byteLength
  return isOwn ? toUint8Array(bytes) : new Uint8Array(bytes)
}

export function copyRange(bytes: NativeBytes, from: number, to: number): NativeBytes {
  return toNative(new Uint8Array(bytes.subarray(from, to)))
}

export function concat(pieces: readonly Uint8Array[]): NativeBytes {
  const all = allocate(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

export function compare(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const difference = (left[at] as number) - (right[at] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** A pair of surrogates has four bytes; a lone one becomes U+FFFD, which has three. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    length += unit < 0x800 ? 1 : 2
    if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at++
  }
  return length
}

export function encodeUtf8(text: string): NativeBytes {
  return toNative(encoder.encode(text))
}

/** Texts up to this length are written in a loop, which costs less than the view that `encodeInto` needs. */
const shortText = 32

export function writeUtf8(target: NativeBytes, text: string, at: number): number {
  const { length } = text
  let written = 0
  while (written < length && length <= shortText) {
    const unit = text.charCodeAt(written)
    if (unit >= 0x80) break
    target[at + written++] = unit
  }
  return written === length ? written : encoder.encodeInto(text, target.subarray(at)).written
}

export function decodeUtf8(bytes: NativeBytes, from?: number, to?: number): string {
  return decoder.decode(bytes.subarray(from, to))
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictDecoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Arguments of one call: engines allow some ten thousand. */
const mostArguments = 8192

export function decodeLatin1(bytes: NativeBytes, from = 0, to = bytes.length): string {
  let text = ''
  for (let at = from; at < to; at += mostArguments) {
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, Math.min(to, at + mostArguments)))
  }
  return text
}

export function encodeLatin1(text: string): NativeBytes {
  const bytes = allocate(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function encodeHex(bytes: NativeBytes, from = 0, to = bytes.length): string {
  let text = ''
  for (let at = from; at < to; at++) text += hexOf[bytes[at] as number]
  return text
}

export function decodeHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16))
}

export function encodeBase64(bytes: Uint8Array): string {
  return btoa(decodeLatin1(toNative(bytes)))
}

const base64 = /^[A-Za-z0-9+/_-]*$/

export function decodeBase64(text: string): Uint8Array | undefined {
  const padding = text.length % 4 !== 0 || !text.endsWith('=') ? 0 : text.endsWith('==') ? 2 : 1
  const digits = padding > 0 ? text.slice(0, -padding) : text
  // `atob` skips spaces.
  if (digits.length % 4 === 1 || !base64.test(digits)) return undefined
  return encodeLatin1(atob(digits.replaceAll('-', '+').replaceAll('_', '/')))
}
