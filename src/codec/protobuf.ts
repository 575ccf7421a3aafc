/** Protobuf: the messages of gRPC, and the details of errors on all transports. */
import { FieldProblem } from '../core/field-problem.ts'
import type { NativeBytes } from '../platform/platform.ts'
import type { Init, MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { WireObject } from './codec.ts'
import { protobufMessage } from './protobuf-fields.ts'
import { readProtobuf } from './protobuf-read.ts'
import { writeProtobuf } from './protobuf-write.ts'
import { toWire } from './wire-object.ts'

/** A `google.rpc.Status`: gRPC's code, a message, and at most one `ErrorDetail`. */
export interface Status {
  readonly code: number
  readonly message: string
  readonly detail?: Messages['ErrorDetail'] | undefined
}

/** The type of our detail in a status. */
export const detailTypeUrl = 'type.googleapis.com/blobwire.v1.ErrorDetail'

/** Bytes of a message; absent fields have their proto3 defaults. @throws BlobwireError `invalid_argument` naming the field */
export function encodeProtobuf<Name extends MessageName>(type: Name, message: Init<Messages[Name]>): NativeBytes {
  return encodeWireObject(type, toWire(type, message))
}

/** Bytes of a message that is prepared already; contents are copied. */
export function encodeWireObject(type: MessageName, wire: WireObject): NativeBytes {
  return writeProtobuf(protobufMessage(type), wire)
}

/**
 * The message in protobuf bytes, checked as by the other codecs.
 * @throws BlobwireError `invalid_argument`, also with the reason `malformed`; `resource_exhausted`, reason
 * `message_too_large`, for too many values
 */
export function decodeProtobuf<Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name] {
  return decode(type, bytes) as Messages[Name]
}

/**
 * Reads `grpc-status-details-bin` (gRPC "Richer error model"), which HTTP/2 bounds as it does all headers. Details of other
 * types are ignored.
 * @throws BlobwireError
 */
export function decodeStatus(bytes: Uint8Array): Status {
  const { code, message, details } = decode('Status', bytes) as unknown as {
    readonly code: number
    readonly message: string
    readonly details: readonly { readonly typeUrl: string; readonly value: Uint8Array }[]
  }
  const ours = details.find(({ typeUrl }) => typeUrl === detailTypeUrl)
  return { code, message, detail: ours && decodeProtobuf('ErrorDetail', ours.value) }
}

function decode(type: string, bytes: Uint8Array): WireObject {
  try {
    return readProtobuf(protobufMessage(type), bytes)
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.toError() : problem
  }
}
