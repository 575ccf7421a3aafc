/** Arbitrary messages of the schema. */
import fc from 'fast-check'
import { ranges } from '../../src/codec/fields.ts'
import { fromWire, toWire } from '../../src/codec/wire-object.ts'
import type { Field, MessageName } from '../../src/schema/descriptor.ts'
import { messageDescriptors } from '../../src/schema/descriptors.ts'
import type { Messages } from '../../src/schema/messages.ts'

/** Messages in messages; a batch of operations has changes three levels down. */
const maxDepth = 4
const maxItems = 3

/** The names of all messages. */
export const messageNames = Object.keys(messageDescriptors) as MessageName[]

/** Any text that UTF-8 has, short or as long as each of MessagePack's headers. */
const texts = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(31), 'é'.repeat(16), 'x'.repeat(255), 'x'.repeat(256)) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(65_536), '__proto__', '"\\', '\u2028') }
)
/** Likewise; above 4 KiB, JSON encodes them late. */
const contents = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 24 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(255, 256, 4096, 4097, 65_536).map((length) => new Uint8Array(length).fill(7))
  }
)
/** The edges of MessagePack's and protobuf's headers, and of each type. */
const edges = [-129, -33, -32, -1, 0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32]

function integers(kind: keyof typeof ranges): fc.Arbitrary<number> {
  const [min, max] = ranges[kind]
  const within = edges.filter((edge) => edge >= min && edge <= max)
  const all = { uint32: fc.nat(), int32: fc.integer(), uint64: fc.maxSafeNat(), int64: fc.maxSafeInteger() }
  return fc.oneof(fc.constantFrom(...within, min, max), all[kind])
}

const scalars = {
  string: texts,
  bytes: contents,
  bool: fc.boolean(),
  uint32: integers('uint32'),
  int32: integers('int32'),
  uint64: integers('uint64'),
  int64: integers('int64')
}

const made = new Map<string, fc.Arbitrary<object>>()

function messageAt(type: MessageName, depth: number): fc.Arbitrary<object> {
  const key = `${type} ${depth}`
  const known = made.get(key)
  if (known) return known
  const message = makeMessage(type, depth)
  made.set(key, message)
  return message
}

function makeMessage(type: MessageName, depth: number): fc.Arbitrary<object> {
  const groups = new Map<string, Field[]>()
  for (const field of messageDescriptors[type]) {
    if (field.kind === 'message' && depth === 0) continue
    const group = field.oneof ?? `= ${field.name}`
    groups.set(group, [...(groups.get(group) ?? []), field])
  }
  const parts = [...groups.values()].map((fields) => {
    const alternatives = fields.map((field) => anyValue(field, depth).map((value) => ({ [field.name]: value })))
    return fc.option(fc.oneof(...alternatives), { nil: {} })
  })
  return fc.tuple(...parts).map((fields) => Object.assign({}, ...fields) as object)
}

function anyValue(field: Field, depth: number): fc.Arbitrary<unknown> {
  const one = field.kind === 'message' ? messageAt(field.type, depth - 1) : scalars[field.kind]
  return field.repeated ? fc.array<unknown>(one, { maxLength: maxItems }) : one
}

/** A message as its receiver has it: with defaults filled in. */
export interface AnyMessage {
  readonly type: MessageName
  readonly message: Messages[MessageName]
}

/** Any message of one type, in its normal form. */
export function messageOf(type: MessageName): fc.Arbitrary<AnyMessage> {
  return messageAt(type, maxDepth).map((init) => ({ type, message: fromWire(type, toWire(type, init)) }))
}

/** Any message of the schema, in its normal form. */
export const anyMessage: fc.Arbitrary<AnyMessage> = fc.constantFrom(...messageNames).chain(messageOf)
