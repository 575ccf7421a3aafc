import { isUtf8 } from 'node:buffer'
import type { Codec } from './codec.ts'
import { scanJson } from './json-scan.ts'
import { malformed } from './malformed.ts'
import { fromWire, type Representation, toWire, toWireOperation, uint8ArrayOf } from './wire-object.ts'

/** Base64, standard or URL-safe, padded or not; undefined for anything else. */
function decodeBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined
  let length = value.length
  if (length % 4 === 0 && value.endsWith('=')) length -= value.endsWith('==') ? 2 : 1
  const bytes = Buffer.from(value, 'base64')
  // The decoder skips what is not base64, so that bad text comes out short.
  return length % 4 !== 1 && bytes.length === Math.floor((length * 3) / 4) ? uint8ArrayOf(bytes) : undefined
}

function readLong(value: unknown): number | undefined {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return Number(value)
  return typeof value === 'number' ? value : undefined
}

/** Bytes above this are encoded when the message is written, not when it is prepared: it may wait, and need not be copied. */
const earlyBytes = 4096

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Bytes that `JSON.stringify` turns into base64. */
class LateBase64 {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  toJSON(): string {
    return base64(this.#bytes)
  }
}

/** ProtoJSON: bytes are base64, 64-bit integers are strings. */
const jsonRepresentation: Representation = {
  readBytes: decodeBase64,
  writeBytes: (bytes) => (bytes.length > earlyBytes ? new LateBase64(bytes) : base64(bytes)),
  readLong,
  writeLong: String,
  acceptsProtoNames: true
}

/** Messages as ProtoJSON (protobuf.dev, "ProtoJSON Format"). */
export const jsonCodec: Codec = {
  name: 'json',
  contentType: 'application/json',

  encode: (type, message) => Buffer.from(JSON.stringify(jsonCodec.prepare(type, message))),

  prepare: (type, message) => toWire(type, message, jsonRepresentation),

  prepareOperation: (type, request) => toWireOperation(type, request, jsonRepresentation),

  write(prepared, headroom) {
    const text = JSON.stringify(prepared)
    const bytes = Buffer.allocUnsafe(headroom + Buffer.byteLength(text))
    bytes.write(text, headroom)
    return [bytes]
  },

  decode(type, bytes) {
    if (!isUtf8(bytes)) throw malformed('not UTF-8')
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    scanJson(text)
    let wire: unknown
    try {
      wire = JSON.parse(text.toString())
    } catch (cause) {
      throw malformed('not JSON', cause)
    }
    return fromWire(type, wire, jsonRepresentation)
  }
}
