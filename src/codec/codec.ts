/** The interface of the codecs, which turn messages into bytes and back. */
import type { Init, MessageName } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'

/** A message in the representation of one codec: defaults left out, bytes and integers as its format has them. */
export type WireObject = Record<string, unknown>

/** An operation of a batch, checked, with its size on the wire, which is estimated high. */
export interface WireOperation {
  readonly wire: WireObject
  readonly bytes: number
}

/** The formats of messages over HTTP, as Connect's content types name them. */
export type Format = 'json' | 'msgpack' | 'proto'

/** Encodes and decodes messages of the schema. */
export interface Codec<Name extends Format = Format> {
  readonly name: Name
  /** The content type of unary messages, without parameters. */
  readonly contentType: string
  /**
   * Bytes of a message; absent fields have their proto3 defaults.
   * @throws BlobwireError `invalid_argument` naming the field, where a value has the wrong type
   */
  encode<Type extends MessageName>(type: Type, message: Init<Messages[Type]>): Uint8Array
  /** The first step of `encode`: checks a message and makes its wire object. */
  prepare<Type extends MessageName>(type: Type, message: Init<Messages[Type]>): WireObject
  /** A 64-bit integer in a wire object. */
  readonly long: (value: number) => unknown
  /** `prepare` for an operation of a batch, without `repository`, which the batch names once. */
  prepareOperation(type: MessageName, request: object): WireOperation
  /**
   * The second step: the bytes of a wire object in one or more pieces. The first piece begins with `headroom` bytes for
   * the caller to fill in. Pieces may share memory with the message, and must not change until they are sent.
   */
  write(type: MessageName, prepared: WireObject, headroom: number): Uint8Array[]
  /**
   * The message in the bytes, with proto3 defaults filled in; unknown fields are ignored. `bytes` fields may be views
   * of the input.
   * @throws BlobwireError `invalid_argument`, reason `malformed`, for bytes that are not such a message
   */
  decode<Type extends MessageName>(type: Type, bytes: Uint8Array): Messages[Type]
}
