/** What the schema's fields hold, for every codec. Rules: proto3 (protobuf.dev, "Language Guide"). */
import type { Field, MessageName, ScalarKind } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import type { WireObject } from './codec.ts'

/** The scalar types that are whole numbers. */
export type IntegerKind = Exclude<ScalarKind, 'string' | 'bytes' | 'bool'>

/** What a field has that nobody has set. */
export const defaults: Readonly<Record<ScalarKind, unknown>> = {
  string: '',
  bytes: new Uint8Array(0),
  bool: false,
  uint32: 0,
  uint64: 0,
  int32: 0,
  int64: 0
}

/** The least and the greatest number of each type; of those of 64 bits, what JavaScript can tell apart. */
export const ranges: Readonly<Record<IntegerKind, readonly [number, number]>> = {
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
}

/** Whether the value is a number of this type. */
export function isInteger(kind: IntegerKind, value: unknown): value is number {
  const range = ranges[kind]
  return Number.isInteger(value) && (value as number) >= range[0] && (value as number) <= range[1]
}

/** Whether the value is what the field has anyway, and is not written. */
export function isDefault(field: Field, value: unknown): boolean {
  if (field.kind === 'bytes' || field.repeated) return (value as { length?: unknown } | null)?.length === 0
  return field.kind !== 'message' && value === defaults[field.kind]
}

/** The fields of messages that are one of many, by name: so that not all of them have to be looked for. */
const choices = new Map<MessageName, ReadonlyMap<string, Field>>()
for (const type of Object.keys(messageDescriptors) as MessageName[]) {
  const fields = messageDescriptors[type]
  const isChoice = fields.length > 1 && fields.every(({ oneof }) => oneof !== undefined && oneof === fields[0]?.oneof)
  if (isChoice) choices.set(type, new Map(fields.map((field) => [field.name, field])))
}

/** The one field that is set of a message that is one of many; undefined = there may be none, or several. */
export function onlyField(type: MessageName, wire: WireObject): Field | undefined {
  const choice = choices.get(type)
  if (choice === undefined) return undefined
  let only: string | undefined
  for (const name in wire) {
    if (only !== undefined) return undefined
    only = name
  }
  return choice.get(only ?? '')
}
