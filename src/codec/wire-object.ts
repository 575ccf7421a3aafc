/**
 * Checks messages against the schema, the same way for every codec: what comes in gets its defaults, what goes out
 * loses them. Rules: proto3 field presence and the ProtoJSON mapping (protobuf.dev, "ProtoJSON Format").
 */
import { invalidArgument } from '../core/error.ts'
import { toPlain } from '../platform/bytes.ts'
import type { Field, Init, MessageName } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import type { Messages } from '../schema/messages.ts'
import type { WireObject } from './codec.ts'
import { defaults, type IntegerKind, isDefault, isInteger, onlyField, ranges } from './fields.ts'

/** How a codec represents the two kinds of value on which formats differ. */
export interface Representation {
  /** The bytes behind a decoded value; undefined = it is none. */
  readBytes(value: unknown): Uint8Array | undefined
  writeBytes(bytes: Uint8Array): unknown
  /** The number behind a decoded 64-bit value; undefined = it is none. */
  readLong(value: unknown): number | undefined
  writeLong(value: number): unknown
  /** ProtoJSON also accepts the field names of the proto file. */
  readonly acceptsProtoNames: boolean
}

/** Bytes are bytes and integers are integers: MessagePack, and the objects that protobufjs takes and gives. */
const binaryRepresentation: Representation = {
  readBytes: (value) => (value instanceof Uint8Array ? toPlain(value) : undefined),
  writeBytes: (bytes) => bytes,
  readLong: (value) => (typeof value === 'number' ? value : undefined),
  writeLong: (value) => value,
  acceptsProtoNames: false
}

/** Carries the path of a wrong field up to the message it stands in. */
class FieldProblem {
  path = ''
  readonly description: string

  constructor(description: string) {
    this.description = description
  }

  within(step: string): this {
    this.path = this.path === '' || this.path.startsWith('[') ? step + this.path : `${step}.${this.path}`
    return this
  }
}

const protoNames = new Map(
  Object.values(messageDescriptors)
    .flat()
    .map((field) => [field.name, field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)])
)

function checkInteger(value: unknown, kind: IntegerKind): number {
  if (isInteger(kind, value)) return value
  const [least, most] = ranges[kind]
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
      return bytes
    }
    case 'int64':
    case 'uint64':
      return checkInteger(as.readLong(value), field.kind)
    default:
      return checkInteger(value, field.kind)
  }
}

function writeValue(field: Field, value: unknown, as: Representation): unknown {
  switch (field.kind) {
    case 'message':
      return toWireMessage(field.type, value, as)
    case 'string':
      return checkString(value)
    case 'bool':
      return checkBoolean(value)
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw new FieldProblem('must be a Uint8Array')
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

type Convert = (field: Field, value: unknown, as: Representation) => unknown

function convertField(field: Field, value: unknown, convert: Convert, as: Representation): unknown {
  let index = -1
  try {
    if (!field.repeated) return convert(field, value, as)
    if (!Array.isArray(value)) throw new FieldProblem('must be a list')
    const items = new Array(value.length)
    for (index = 0; index < value.length; index++) items[index] = convert(field, value[index], as)
    return items
  } catch (problem) {
    if (!(problem instanceof FieldProblem)) throw problem
    throw problem.within(index < 0 ? field.name : `${field.name}[${index}]`)
  }
}

function checkOneof(seen: WireObject, field: Field): void {
  if (field.oneof === undefined) return
  const other = seen[field.oneof]
  if (other !== undefined) throw new FieldProblem(`only one of ${other} and ${field.name} may be set`)
  seen[field.oneof] = field.name
}

function fromWireMessage(type: MessageName, value: unknown, as: Representation): WireObject {
  const wire = asWireObject(value)
  const only = onlyField(type, wire)
  const message: WireObject = {}
  const oneofs: WireObject = {}
  for (const field of only ? [only] : messageDescriptors[type]) {
    const { name } = field
    let found = wire[name]
    if (found === undefined && as.acceptsProtoNames) found = wire[protoNames.get(name) ?? name]
    if (found !== undefined && found !== null) {
      checkOneof(oneofs, field)
      message[name] = convertField(field, found, readValue, as)
    } else if (field.repeated) message[name] = []
    else if (field.oneof === undefined && field.kind !== 'message') message[name] = defaults[field.kind]
  }
  return message
}

function toWireMessage(type: MessageName, value: unknown, as: Representation, omit = ''): WireObject {
  const wire = asWireObject(value)
  const only = onlyField(type, wire)
  const message: WireObject = {}
  let oneofs: WireObject | undefined
  for (const field of only ? [only] : messageDescriptors[type]) {
    const found = wire[field.name]
    if (found === undefined || field.name === omit) continue
    if (field.oneof !== undefined) {
      oneofs ??= {}
      checkOneof(oneofs, field)
    }
    if (field.oneof === undefined && isDefault(field, found)) continue
    message[field.name] = convertField(field, found, writeValue, as)
  }
  return message
}

function asError(problem: unknown): unknown {
  return problem instanceof FieldProblem ? invalidArgument(problem.path, problem.description) : problem
}

/**
 * Checks a decoded plain object and fills in defaults; oneof and message fields stay absent, unknown fields are dropped.
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
 * Checks a message that is to be sent and drops what proto3 does not write: defaults, and fields it does not know.
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

/** The same for an operation of a batch, which leaves out `repository`: it stands once, outside. */
export function toWireOperation(
  type: MessageName,
  request: object,
  as: Representation = binaryRepresentation
): WireObject {
  try {
    return toWireMessage(type, request, as, 'repository')
  } catch (problem) {
    throw asError(problem)
  }
}
