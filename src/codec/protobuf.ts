/** Protobuf: the messages of gRPC, and the details of errors on all transports. */
import type { NativeBytes } from '../platform/platform.ts'
import type { Init, MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { WireObject } from './codec.ts'
import { decodeProtobuf, decodeWireObject } from './protobuf-decode.ts'
import { protobufMessage } from './protobuf-fields.ts'
import { writeProtobuf } from './protobuf-write.ts'
import { toWire } from './wire-object.ts'

export { decodeProtobuf } from './protobuf-decode.ts'

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
 * Reads `grpc-status-details-bin` (gRPC "Richer error model"), which HTTP/2 bounds as it does all headers. Details of other
 * types are ignored.
 * @throws BlobwireError
 */
export function decodeStatus(bytes: Uint8Array): Status {
  const { code, message, details } = decodeWireObject('Status', bytes) as unknown as {
    readonly code: number
    readonly message: string
    readonly details: readonly { readonly typeUrl: string; readonly value: Uint8Array }[]
  }
  const ours = details.find(({ typeUrl }) => typeUrl === detailTypeUrl)
  return { code, message, detail: ours && decodeProtobuf('ErrorDetail', ours.value) }
}
