/**
 * Checks messages against the schema, for every codec alike. Defaults are filled in where messages are received, and left
 * out where they are sent. Rules: proto3 field presence and the ProtoJSON mapping (protobuf.dev, "ProtoJSON Format").
 */
import { goneContent, isGone } from '../core/contents.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { ownBytes, toUint8Array, utf8Length } from '../platform/bytes.ts'
import type { Field, Init, MessageName } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import type { Messages } from '../schema/messages.ts'
import type { WireObject, WireOperation } from './codec.ts'
import { defaultOf, defaults, type IntegerKind, isOfRequest, ranges } from './fields.ts'

/** A codec's representation of bytes and 64-bit integers, in which formats differ. */
export interface Representation {
  /** The bytes of a decoded value; undefined = it represents none. */
  readBytes(value: unknown): Uint8Array | undefined
  writeBytes(bytes: Uint8Array): unknown
  /** Length on the wire of bytes of this length. */
  encodedLength(length: number): number
  /** The number of a decoded 64-bit value; undefined = it represents none. */
  readLong(value: unknown): number | undefined
  writeLong(value: number): unknown
  /** ProtoJSON also accepts the field names of the proto file. */
  readonly acceptsProtoNames: boolean
}

/** The representation of MessagePack and protobufjs: bytes are bytes, and integers are numbers. */
const binaryRepresentation: Representation = {
  readBytes: (value) => (value instanceof Uint8Array ? value : undefined),
  writeBytes: (bytes) => bytes,
  encodedLength: (length) => length,
  readLong: (value) => (typeof value === 'number' ? value : undefined),
  writeLong: (value) => value,
  acceptsProtoNames: false
}

const protoNames = new Map(
  Object.values(messageDescriptors)
    .flat()
    .map((field) => [field.name, field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)])
)

/** Whether the value is the default of the field, which is not sent. */
function isDefault(field: Field, value: unknown): boolean {
  if (field.kind === 'bytes' || field.repeated) {
    if ((value as { length?: unknown } | null)?.length !== 0) return false
    if (value instanceof Uint8Array && isGone(value)) throw goneContent()
    return true
  }
  return field.kind !== 'message' && value === defaults[field.kind]
}

/** Fields by name of messages that are a single oneof, where a lookup replaces the walk through all fields. */
const choices = new Map<MessageName, ReadonlyMap<string, Field>>()
for (const type of Object.keys(messageDescriptors) as MessageName[]) {
  const fields = messageDescriptors[type]
  const isChoice = fields.length > 1 && fields.every(({ oneof }) => oneof !== undefined && oneof === fields[0]?.oneof)
  if (isChoice) choices.set(type, new Map(fields.map((field) => [field.name, field])))
}

/** The one field that is set in a message that is a single oneof; undefined = none is, or several are. */
function onlyField(type: MessageName, wire: WireObject): Field | undefined {
  const choice = choices.get(type)
  if (choice === undefined) return undefined
  let only: string | undefined
  for (const name in wire) {
    if (only !== undefined) return undefined
    only = name
  }
  return choice.get(only ?? '')
}

function checkInteger(value: unknown, kind: IntegerKind): number {
  const [least, most] = ranges[kind]
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw new FieldProblem(`must be an integer from ${least} to ${most}`)
}

function checkString(value: unknown): string {
  if (typeof value !== 'string') throw new FieldProblem('must be a string')
  if (!value.isWellFormed()) throw new FieldProblem('must be well-formed Unicode, without lone surrogates')
  return value
}

function checkBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new FieldProblem('must be true or false')
  return value
}

function readValue(field: Field, value: unknown, as: Representation): unknown {
  switch (field.kind) {
    case 'message':
      return fromWireMessage(field.type, value, as)
    case 'string':
      return checkString(value)
    case 'bool':
      return checkBoolean(value)
    case 'bytes': {
      const bytes = as.readBytes(value)
      if (bytes === undefined) throw new FieldProblem(as.acceptsProtoNames ? 'must be base64' : 'must be bytes')
      return isOfRequest(field) ? toUint8Array(bytes) : ownBytes(bytes)
    }
    case 'int64':
    case 'uint64':
      return checkInteger(as.readLong(value), field.kind)
    default:
      return checkInteger(value, field.kind)
  }
}

/** Approximate bytes of a field besides its value, for key and length. */
const perFieldBytes = 16
/** Estimated size of the wire object that is being made; synchronous, so that one variable serves all. */
let estimatedBytes = 0

function writeValue(field: Field, value: unknown, as: Representation): unknown {
  switch (field.kind) {
    case 'message':
      return toWireMessage(field.type, value, as)
    case 'string': {
      const text = checkString(value)
      estimatedBytes += perFieldBytes + utf8Length(text)
      return text
    }
    case 'bool':
      return checkBoolean(value)
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw new FieldProblem('must be a Uint8Array')
      if (value.length === 0 && isGone(value)) throw goneContent()
      estimatedBytes += as.encodedLength(value.length)
      return as.writeBytes(value)
    case 'int64':
    case 'uint64':
      return as.writeLong(checkInteger(value, field.kind))
    default:
      return checkInteger(value, field.kind)
  }
}

function asWireObject(value: unknown): WireObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new FieldProblem('must be an object')
  }
  return value as WireObject
}

/** Adds the field to the path of a problem; `index` = the place in a repeated field, or -1. */
function located(problem: unknown, field: Field | undefined, index: number): unknown {
  if (!(problem instanceof FieldProblem) || field === undefined) return problem
  return problem.within(index < 0 ? field.name : `${field.name}[${index}]`)
}

function checkOneof(seen: WireObject, field: Field): void {
  if (field.oneof === undefined) return
  const other = seen[field.oneof]
  if (other !== undefined) throw new FieldProblem(`only one of ${other} and ${field.name} may be set`)
  seen[field.oneof] = field.name
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new FieldProblem('must be a list')
  return value
}

function fromWireMessage(type: MessageName, value: unknown, as: Representation): WireObject {
  const wire = asWireObject(value)
  const only = onlyField(type, wire)
  const message: WireObject = {}
  let oneofs: WireObject | undefined
  let field: Field | undefined
  let index = -1
  try {
    for (field of only ? [only] : messageDescriptors[type]) {
      const { name } = field
      let found = wire[name]
      if (found === undefined && as.acceptsProtoNames) found = wire[protoNames.get(name) ?? name]
      if (found !== undefined && found !== null) {
        if (field.oneof !== undefined) {
          oneofs ??= {}
          checkOneof(oneofs, field)
        }
        if (field.repeated) {
          const list = asList(found)
          const items = new Array(list.length)
          for (index = 0; index < list.length; index++) items[index] = readValue(field, list[index], as)
          index = -1
          message[name] = items
        } else message[name] = readValue(field, found, as)
      } else if (field.repeated) message[name] = []
      else if (field.oneof === undefined && field.kind !== 'message') message[name] = defaultOf(field)
    }
  } catch (problem) {
    throw located(problem, field, index)
  }
  return message
}

function toWireMessage(type: MessageName, value: unknown, as: Representation, omit = ''): WireObject {
  const source = asWireObject(value)
  const only = onlyField(type, source)
  const message: WireObject = {}
  let oneofs: WireObject | undefined
  let field: Field | undefined
  let index = -1
  try {
    for (field of only ? [only] : messageDescriptors[type]) {
      const { name } = field
      const found = source[name]
      if (found === undefined || name === omit) continue
      if (field.oneof !== undefined) {
        oneofs ??= {}
        checkOneof(oneofs, field)
      } else if (isDefault(field, found)) continue
      estimatedBytes += name.length + perFieldBytes
      if (field.repeated) {
        const list = asList(found)
        const items = new Array(list.length)
        for (index = 0; index < list.length; index++) items[index] = writeValue(field, list[index], as)
        index = -1
        message[name] = items
      } else message[name] = writeValue(field, found, as)
    }
  } catch (problem) {
    throw located(problem, field, index)
  }
  return message
}

function asError(problem: unknown): unknown {
  return problem instanceof FieldProblem ? problem.toError() : problem
}

/**
 * The message of a decoded wire object, checked, with defaults filled in. Absent oneof and message fields stay absent, and
 * unknown fields are dropped.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function fromWire<Name extends MessageName>(
  type: Name,
  wire: unknown,
  as: Representation = binaryRepresentation
): Messages[Name] {
  try {
    return fromWireMessage(type, wire, as) as Messages[Name]
  } catch (problem) {
    throw asError(problem)
  }
}

/**
 * The wire object of a message, checked; defaults and unknown fields are left out.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function toWire<Name extends MessageName>(
  type: Name,
  message: Init<Messages[Name]>,
  as: Representation = binaryRepresentation
): WireObject {
  try {
    return toWireMessage(type, message, as)
  } catch (problem) {
    throw asError(problem)
  }
}

/** The wire object of an operation of a batch, without `repository`, which the batch names once. */
export function toWireOperation(
  type: MessageName,
  request: object,
  as: Representation = binaryRepresentation
): WireOperation {
  estimatedBytes = perFieldBytes
  try {
    const wire = toWireMessage(type, request, as, 'repository')
    return { wire, bytes: estimatedBytes }
  } catch (problem) {
    throw asError(problem)
  }
}
