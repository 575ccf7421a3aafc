/** The messages of the schema as protobuf has them: fields by tag for the reader, by name for the writer. */
import type { Field, ScalarKind } from '../schema/descriptor.ts'
import { messageDescriptors, statusDescriptors } from '../schema/descriptors.ts'
import { isOfRequest } from './fields.ts'

/** The wire types (protobuf.dev, "Encoding"). */
export const wireTypes = { varint: 0, fixed64: 1, length: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

/** A field, with its tag. */
export interface ProtobufField {
  readonly name: string
  readonly kind: ScalarKind | 'message'
  /** Number and wire type, as the writer writes them: lists of numbers are packed. */
  readonly tag: number
  /** Place among the fields of its message. */
  readonly index: number
  readonly isRepeated: boolean
  readonly isPacked: boolean
  /** The bytes may be a view of the input. */
  readonly isShared: boolean
  /** The other fields of its oneof; undefined = it belongs to none, and has a default. */
  readonly others: readonly string[] | undefined
  /** Undefined for a scalar. */
  readonly message: ProtobufMessage | undefined
}

/** The fields of one message. */
export interface ProtobufMessage {
  /** In the order of their numbers. */
  readonly fields: ProtobufField[]
  /** Those that a reader takes: a list of numbers with either wire type. */
  readonly byTag: (ProtobufField | undefined)[]
  readonly byName: Map<string, ProtobufField>
  /** All fields belong to one oneof, so that absent ones have no defaults and one at most is present. */
  readonly isChoice: boolean
}

type AnyField = Field<string>

const descriptors: Readonly<Record<string, readonly AnyField[]>> = { ...messageDescriptors, ...statusDescriptors }
const messages = new Map<string, ProtobufMessage>()
for (const [type, fields] of Object.entries(descriptors)) {
  const isChoice = fields.length > 1 && fields.every(({ oneof }) => oneof !== undefined && oneof === fields[0]?.oneof)
  messages.set(type, { fields: [], byTag: [], byName: new Map(), isChoice })
}
// Fields refer to messages, so all of those have to exist first.
for (const [type, message] of messages) {
  const sorted = [...(descriptors[type] as readonly AnyField[])].sort((left, right) => left.number - right.number)
  for (const [index, field] of sorted.entries()) add(message, { field, index, all: sorted })
}

interface Place {
  readonly field: AnyField
  readonly index: number
  /** All fields of the message. */
  readonly all: readonly AnyField[]
}

function add(message: ProtobufMessage, { field, index, all }: Place): void {
  const { name, number, kind, oneof, repeated = false } = field
  const isNumber = kind !== 'message' && kind !== 'string' && kind !== 'bytes'
  const wireType = isNumber && !repeated ? wireTypes.varint : wireTypes.length
  const others = all.filter((other) => other !== field && other.oneof === oneof).map((other) => other.name)
  const found: ProtobufField = {
    name,
    kind,
    tag: number * 8 + wireType,
    index,
    isRepeated: repeated,
    isPacked: isNumber && repeated,
    isShared: isOfRequest(field),
    others: oneof === undefined ? undefined : others,
    message: kind === 'message' ? messages.get(field.type) : undefined
  }
  message.fields.push(found)
  message.byName.set(name, found)
  message.byTag[found.tag] = found
  if (found.isPacked) message.byTag[number * 8 + wireTypes.varint] = found
}

/** The fields of a message of the schema, or of `google.rpc.Status`. */
export function protobufMessage(type: string): ProtobufMessage {
  return messages.get(type) as ProtobufMessage
}
