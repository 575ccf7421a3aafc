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

/** The method of this name, with the types of its messages; a schema that `buf lint` passes names those after it. */
export function method<Request, Response>(
  name: string,
  { kind = 'unary', readOnly = false }: Partial<Pick<Method, 'kind' | 'readOnly'>> = {}
): Method<Request, Response> {
  return { name, request: `${name}Request` as MessageName, response: `${name}Response` as MessageName, kind, readOnly }
}

const scalarKinds: ReadonlySet<string> = new Set(['string', 'bytes', 'bool', 'uint32', 'uint64', 'int32', 'int64'])

/**
 * The fields of messages from their short notation: `name type oneof`, with commas between. Strings without a oneof leave
 * the type out; a number that does not follow the one before stands as `name=9`; lists are `type[]`.
 */
export function readDescriptors<Name extends string, Type extends string>(
  notations: Readonly<Record<Name, string>>
): Readonly<Record<Name, readonly Field<Type>[]>> {
  const found: Record<string, readonly Field<Type>[]> = {}
  for (const [message, notation] of Object.entries<string>(notations)) {
    let number = 0
    const fields = notation === '' ? [] : notation.split(', ')
    found[message] = fields.map((field) => {
      const [label = '', type = 'string', oneof] = field.split(' ')
      const [name, given] = label.split('=')
      const single = type.replace('[]', '')
      number = Number(given ?? number + 1)
      const isScalar = scalarKinds.has(single)
      // All of one hidden class, because codecs walk them for every message.
      return {
        name,
        number,
        kind: isScalar ? single : 'message',
        type: isScalar ? undefined : single,
        repeated: single === type ? undefined : true,
        oneof
      } as Field<Type>
    })
  }
  return found as Record<Name, readonly Field<Type>[]>
}
