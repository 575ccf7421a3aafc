import type { Messages } from './messages.ts'

/** Name of a message of the schema. */
export type MessageName = keyof Messages

/** The scalar types of proto3 that the schema uses; 64-bit integers are plain numbers, safe up to 2^53 - 1. */
export type ScalarKind = 'string' | 'bytes' | 'bool' | 'uint32' | 'uint64' | 'int32' | 'int64'

/** One field of a message, with its number in protobuf. `oneof` names the group of which at most one field is set. */
export type Field<Type extends string = MessageName> = {
  readonly name: string
  readonly number: number
  readonly repeated?: true
  readonly oneof?: string
} & ({ readonly kind: ScalarKind } | { readonly kind: 'message'; readonly type: Type })

/** An RPC: its name on the wire and the shapes it carries. */
export interface Method<Request = unknown, Response = unknown> {
  readonly name: string
  readonly request: MessageName
  readonly response: MessageName
  readonly kind: 'unary' | 'client_streaming' | 'server_streaming' | 'bidi_streaming'
  /** It changes nothing on the server. */
  readonly readOnly: boolean
  /** Only for the compiler: the types behind the shapes. */
  types?(request: Request): Response
}

/** What may be left out when a message is made: everything that has a proto3 default. */
export type Init<T> = T extends Uint8Array | string
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : T extends object
      ? { readonly [K in keyof T]?: Init<T[K]> | undefined }
      : T

/** Gives a method the types of its messages. */
export function method<Request, Response>(definition: Method<Request, Response>): Method<Request, Response> {
  return definition
}
