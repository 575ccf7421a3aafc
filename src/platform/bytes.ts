/** `ByteFunctions` of platform.ts on Node, where native bytes are Buffers. The static functions of Buffer need no wrapper. */
import { Buffer } from 'node:buffer'
import type { ByteFunctions, NativeBytes } from './platform.ts'

export { isUtf8 } from 'node:buffer'

/** Native bytes with the methods of `Buffer`. */
type Native = NativeBytes & Buffer

export const allocate = Buffer.allocUnsafe as unknown as ByteFunctions['allocate']
export const concat = Buffer.concat as unknown as ByteFunctions['concat']
export const compare: ByteFunctions['compare'] = Buffer.compare
export const utf8Length: ByteFunctions['utf8Length'] = Buffer.byteLength

export function toNative(bytes: Uint8Array): NativeBytes {
  const native = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return native as Native
}

export function toUint8Array(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Buffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes
}

/** Below this, bytes that were read have a buffer of their own: a small content must not keep a whole frame. */
const ownBelowBytes = 64 * 1024

export function ownBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const { byteLength } = bytes.buffer
  // At most one view has more than half of a buffer, so that transferring its buffer empties no other content.
  const isOwn = length < ownBelowBytes ? length === byteLength : length * 2 > byteLength
  return isOwn ? toUint8Array(bytes) : new Uint8Array(bytes)
}

export function copyRange(bytes: NativeBytes, from: number, to: number): NativeBytes {
  const copy = Buffer.allocUnsafe(to - from) as Native
  ;(bytes as Native).copy(copy, 0, from, to)
  return copy
}

export function encodeUtf8(text: string): NativeBytes {
  return Buffer.from(text) as Native
}

export function writeUtf8(target: NativeBytes, text: string, at: number): number {
  return (target as Native).write(text, at)
}

export function decodeUtf8(bytes: NativeBytes, from?: number, to?: number): string {
  return (bytes as Native).toString('utf8', from, to)
}

export function decodeLatin1(bytes: NativeBytes, from?: number, to?: number): string {
  return (bytes as Native).toString('latin1', from, to)
}

export function encodeLatin1(text: string): NativeBytes {
  return Buffer.from(text, 'latin1') as Native
}

export function encodeHex(bytes: NativeBytes, from?: number, to?: number): string {
  return (bytes as Native).toString('hex', from, to)
}

export function decodeHex(text: string): Uint8Array {
  return Buffer.from(text, 'hex')
}

export function encodeBase64(bytes: Uint8Array): string {
  return (toNative(bytes) as Native).toString('base64')
}

export function decodeBase64(text: string): Uint8Array | undefined {
  let { length } = text
  if (length % 4 === 0 && text.endsWith('=')) length -= text.endsWith('==') ? 2 : 1
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips characters that are not base64, so that the result of bad text is too short.
  return length % 4 !== 1 && bytes.length === Math.floor((length * 3) / 4) ? toUint8Array(bytes) : undefined
}
