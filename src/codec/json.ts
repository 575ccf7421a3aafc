/** The JSON codec: ProtoJSON. */
import {
  allocate,
  decodeBase64,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  isUtf8,
  toNative,
  utf8Length,
  writeUtf8
} from '../platform/bytes.ts'
import type { Codec } from './codec.ts'
import { scanJson } from './json-scan.ts'
import { malformed } from './malformed.ts'
import { fromWire, type Representation, toWire, toWireOperation } from './wire-object.ts'

function readLong(value: unknown): number | undefined {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return Number(value)
  return typeof value === 'number' ? value : undefined
}

/** Longer bytes become base64 when the message is written: until then the original suffices. */
const earlyBytes = 4096

/** Bytes that `JSON.stringify` encodes as base64. */
class LateBase64 {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  toJSON(): string {
    return encodeBase64(this.#bytes)
  }
}

/** ProtoJSON: bytes are base64, 64-bit integers are strings. */
const jsonRepresentation: Representation = {
  readBytes: (value) => (typeof value === 'string' ? decodeBase64(value) : undefined),
  writeBytes: (bytes) => (bytes.length > earlyBytes ? new LateBase64(bytes) : encodeBase64(bytes)),
  encodedLength: (length) => Math.ceil(length / 3) * 4,
  readLong,
  writeLong: String,
  acceptsProtoNames: true
}

/**
 * The value of JSON that a peer sent, which is scanned before.
 * @throws BlobwireError `invalid_argument`, or `resource_exhausted` for too many values
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw malformed('the message is not valid UTF-8')
  const text = toNative(bytes)
  scanJson(text)
  try {
    return JSON.parse(decodeUtf8(text))
  } catch (cause) {
    throw malformed('the message is not valid JSON', cause)
  }
}

/** Messages as ProtoJSON (protobuf.dev, "ProtoJSON Format"). */
export const jsonCodec: Codec<'json'> = {
  name: 'json',
  contentType: 'application/json',

  encode: (type, message) => encodeUtf8(JSON.stringify(jsonCodec.prepare(type, message))),

  prepare: (type, message) => toWire(type, message, jsonRepresentation),

  long: String,

  prepareOperation: (type, request) => toWireOperation(type, request, jsonRepresentation),

  write(_type, prepared, headroom) {
    const text = JSON.stringify(prepared)
    const bytes = allocate(headroom + utf8Length(text))
    writeUtf8(bytes, text, headroom)
    return [bytes]
  },

  decode(type, bytes) {
    return fromWire(type, parseJson(bytes), jsonRepresentation)
  }
}
