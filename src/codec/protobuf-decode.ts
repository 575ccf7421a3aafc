/** Protobuf bytes as messages: the reading half of `protobuf.ts`. */
import { FieldProblem } from '../core/field-problem.ts'
import type { MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { WireObject } from './codec.ts'
import { protobufMessage } from './protobuf-fields.ts'
import { readProtobuf } from './protobuf-read.ts'

/**
 * The message in protobuf bytes, checked as by the other codecs.
 * @throws BlobwireError `invalid_argument`, also with the reason `malformed`; `resource_exhausted`, reason
 * `message_too_large`, for too many values
 */
export function decodeProtobuf<Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name] {
  return decodeWireObject(type, bytes) as Messages[Name]
}

/** The same of any message, without the type. */
export function decodeWireObject(type: string, bytes: Uint8Array): WireObject {
  try {
    return readProtobuf(protobufMessage(type), bytes)
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.toError() : problem
  }
}
