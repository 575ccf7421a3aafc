/** The messages of calls. grpc-js hands requests over as they came: decompressed and decoded once the caller is known. */
import { unzipSync } from 'node:zlib'
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { decodeProtobuf, encodeWireObject } from '../../src/codec/protobuf.ts'
import { toWire } from '../../src/codec/wire-object.ts'
import { acceptedEncodings, type Encoding as Compressed, isEncoding } from '../../src/compression/compression.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { Init, MessageName } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { decodeTurns } from '../decode-turns.ts'
import { type Inflation, inflate } from '../inflate.ts'
import type { RequestRecord } from '../metrics/request-record.ts'

/** Length of the prefix of each message: a flag and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export const prefixBytes = 5

/** A message as it came. */
export interface RawRequest {
  readonly isCompressed: boolean
  readonly bytes: Uint8Array
}

/** The value of `grpc-encoding`. */
export type Encoding = Compressed | 'identity'

/** @throws BlobwireError `unimplemented`, as gRPC's "Compression" wants it */
export function encodingOf(header: string): Encoding {
  if (header === 'identity' || isEncoding(header)) return header
  const message = `unknown grpc-encoding ${JSON.stringify(header.slice(0, 40))}; expected ${acceptedEncodings} or identity`
  throw new BlobwireError({ code: 'unimplemented', message })
}

/** grpc-js gives a view behind the prefix; test/server/grpc-bounds.test.ts fails where that changes. */
function rawRequest(bytes: Uint8Array): RawRequest {
  const [flag] = new Uint8Array(bytes.buffer, bytes.byteOffset - prefixBytes, 1)
  return { isCompressed: flag === 1, bytes }
}

type Changes = (method: MethodDefinition<object, object>, name: string) => object

function change(service: ServiceDefinition, changes: Changes): ServiceDefinition {
  const changed = Object.entries(service).map(([name, method]) => [
    name,
    { ...method, ...changes(method as MethodDefinition<object, object>, name) }
  ])
  return Object.fromEntries(changed) as ServiceDefinition
}

/** The service with requests as they come, and with answers as they go (`encodeResponse`). */
export function withOwnMessages(service: ServiceDefinition): ServiceDefinition {
  return change(service, () => ({ requestDeserialize: rawRequest, responseSerialize: (message: Buffer) => message }))
}

/** An answer as it goes. */
export function encodeResponse<Name extends MessageName>(
  type: Name,
  response: Init<Messages[Name]>,
  record: RequestRecord
): Uint8Array {
  const bytes = encodeWireObject(type, toWire(type, response))
  record.sent(bytes.length, bytes.length)
  return bytes
}

/** A service whose callers nobody knows: its messages stay below `maxBytes`, decompressed ones too. */
export function withSmallRequests(service: ServiceDefinition, maxBytes: number): ServiceDefinition {
  return change(service, (method) => ({
    requestDeserialize(message: Buffer) {
      const { isCompressed } = rawRequest(message)
      return method.requestDeserialize(isCompressed ? unzipSync(message, { maxOutputLength: maxBytes }) : message)
    }
  }))
}

/**
 * The request in a message; a promise where it is large and waits.
 * @throws BlobwireError `invalid_argument`, reason `malformed`; `resource_exhausted`; `internal` for a compressed message
 * without an encoding (gRPC "Compression")
 */
export function decodeRequest<Name extends MessageName>(
  type: Name,
  { isCompressed, bytes }: RawRequest,
  {
    encoding,
    record,
    ...bounds
  }: Omit<Inflation, 'encoding'> & { readonly encoding: Encoding; readonly record: RequestRecord }
): Messages[Name] | Promise<Messages[Name]> {
  if (!isCompressed) {
    record.received(bytes.length, bytes.length)
    return decodeTurns.decode(decodeProtobuf<Name>, type, bytes)
  }
  if (encoding === 'identity') {
    throw new BlobwireError({ code: 'internal', message: 'a compressed message requires grpc-encoding' })
  }
  const plain = inflate(bytes, { encoding, ...bounds })
  const decode = (message: Uint8Array) => {
    record.received(bytes.length, message.length)
    return decodeTurns.decode(decodeProtobuf<Name>, type, message)
  }
  return plain instanceof Promise ? plain.then(decode) : decode(plain)
}
