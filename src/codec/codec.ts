import type { Init, MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'

/** A message in the form that one codec writes. */
export type WireObject = Record<string, unknown>

/** An operation of a batch, checked, with its estimated size on the wire: rather more than less. */
export interface WireOperation {
  readonly wire: WireObject
  readonly bytes: number
}

/** Turns messages of the schema into bytes and back. */
export interface Codec {
  readonly name: 'json' | 'msgpack'
  /** The content type that says so, without parameters. */
  readonly contentType: string
  /**
   * Bytes of a message; what is left out has its proto3 default.
   * @throws BlobwireError `invalid_argument` naming the field, where a value has the wrong type
   */
  encode<Name extends MessageName>(type: Name, message: Init<Messages[Name]>): Uint8Array
  /** `encode` in two halves: checks a message and gives it in the form that this codec writes. */
  prepare<Name extends MessageName>(type: Name, message: Init<Messages[Name]>): WireObject
  /** `prepare` for an operation of a batch, which leaves out `repository`: it stands once, outside. */
  prepareOperation(type: MessageName, request: object): WireOperation
  /**
   * The second half: the bytes of what was prepared, in one or more pieces, behind `headroom` bytes of the first that the
   * caller fills in. Pieces may be contents that were given to `prepare`, and must not change until they are sent.
   */
  write(prepared: WireObject, headroom: number): Uint8Array[]
  /**
   * The message in the bytes, with proto3 defaults filled in; unknown fields are ignored. `bytes` fields may be views
   * of the input.
   * @throws BlobwireError `invalid_argument`, reason `malformed`, for bytes that are not such a message
   */
  decode<Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name]
}
