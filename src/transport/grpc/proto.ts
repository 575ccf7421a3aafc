/** The proto file, loaded for gRPC and for the typed details of errors. */
import { fileURLToPath } from 'node:url'
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader'
import { malformed } from '../../codec/malformed.ts'
import { scanProtobuf } from '../../codec/protobuf-scan.ts'
import { fromWire, toWire } from '../../codec/wire-object.ts'
import type { Init, MessageName } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'

const protoDirectory = fileURLToPath(new URL('../../../proto', import.meta.url))
let definition: PackageDefinition | undefined

/** The definitions of the proto files, read from disk once. 64-bit integers are numbers, bytes are Buffers. */
export function loadProto(): PackageDefinition {
  definition ??= loadSync(['blobwire/v1/vcs.proto', 'google/rpc/status.proto'], {
    includeDirs: [protoDirectory],
    longs: Number,
    defaults: false
  })
  return definition
}

function messageType(name: string): MessageTypeDefinition<object, object> {
  return loadProto()[name] as MessageTypeDefinition<object, object>
}

const deserializers = new Map<MessageName, (bytes: Buffer) => object>()

/**
 * The message in protobuf bytes, scanned before it is decoded, and checked as by the other codecs. Every message that a
 * peer sends is read here.
 * @throws BlobwireError `invalid_argument`, or `resource_exhausted`, reason `message_too_large`, for too many values
 */
export function decodeProtobuf<Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name] {
  scanProtobuf(type, bytes)
  let deserialize = deserializers.get(type)
  if (deserialize === undefined) {
    deserialize = messageType(`blobwire.v1.${type}`).deserialize
    deserializers.set(type, deserialize)
  }
  let wire: object
  try {
    wire = deserialize(bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  } catch (cause) {
    throw malformed('the message is not valid protobuf', cause)
  }
  return fromWire(type, wire)
}

/** Protobuf bytes of a `blobwire.v1.ErrorDetail`. */
export function encodeErrorDetail(detail: Init<Messages['ErrorDetail']>): Uint8Array {
  return messageType('blobwire.v1.ErrorDetail').serialize(toWire('ErrorDetail', detail))
}

/** A `google.rpc.Status`: gRPC's code, a message, and at most one `ErrorDetail`. */
export interface Status {
  code: number
  message: string
  detail?: Messages['ErrorDetail'] | undefined
}

const detailTypeUrl = 'type.googleapis.com/blobwire.v1.ErrorDetail'

/** Bytes for gRPC's `grpc-status-details-bin`. Source: gRPC "Richer error model". */
export function encodeStatus(status: Status): Buffer {
  const details = status.detail ? [{ type_url: detailTypeUrl, value: encodeErrorDetail(status.detail) }] : []
  return messageType('google.rpc.Status').serialize({ code: status.code, message: status.message, details })
}

/** Reads `grpc-status-details-bin`, which HTTP/2 bounds as it does all headers; details of other types are ignored. */
export function decodeStatus(bytes: Uint8Array): Status {
  const status = messageType('google.rpc.Status').deserialize(Buffer.from(bytes)) as {
    code?: number
    message?: string
    details?: { typeUrl?: string; type_url?: string; value?: Uint8Array }[]
  }
  const ours = status.details?.find((any) => (any.typeUrl ?? any.type_url) === detailTypeUrl)
  return {
    code: status.code ?? 2,
    message: status.message ?? '',
    detail: ours?.value ? decodeProtobuf('ErrorDetail', ours.value) : undefined
  }
}
