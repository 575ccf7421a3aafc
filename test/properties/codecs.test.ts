/**
 * The codecs: every message of the schema comes back as it was sent, other implementations read the same bytes alike, and
 * bytes of any kind give a message or a typed error.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { encode as pack, decode as unpack } from '@msgpack/msgpack'
import fc from 'fast-check'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import { fromWire, toWire } from '../../src/codec/wire-object.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { holds } from '../support/property.ts'
import { protoImage } from '../support/vcs-service.ts'
import { anyMessage, messageNames, messageOf } from './messages.ts'

type Message = Messages[MessageName]

/** How a message becomes bytes and comes back. */
interface Wire {
  readonly name: string
  readonly encode: (type: MessageName, message: Message) => Uint8Array
  readonly decode: (type: MessageName, bytes: Uint8Array) => Message
}

const ofCodec = (codec: Codec): Wire => ({
  name: codec.name,
  encode: (type, message) => codec.encode(type, message),
  decode: (type, bytes) => codec.decode(type, bytes)
})
const json = ofCodec(jsonCodec)
const msgpack = ofCodec(msgpackCodec)
const protobuf = ofCodec(protobufCodec)
const wires = [json, msgpack, protobuf]

let descriptorOf: (type: MessageName) => DescMessage
before(async () => {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await protoImage()))
  descriptorOf = (type) => registry.getMessage(`blobwire.v1.${type}`) ?? assert.fail(type)
})

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** The fields of an object in another order, inside too. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, field]) => [name, reversed(field)])
      .reverse()
  )
}

for (const { name, encode, decode } of wires) {
  test(`${name}: a message comes back as it was sent`, () => {
    holds(anyMessage, ({ type, message }) => assert.deepEqual(decode(type, encode(type, message)), message), {
      runs: 2000
    })
  })
}

for (const codec of [jsonCodec, msgpackCodec, protobufCodec]) {
  test(`${codec.name}: written in pieces behind a header, a message is the same`, () => {
    const given = fc.record({ any: anyMessage, headroom: fc.nat(9) })
    holds(
      given,
      ({ any: { type, message }, headroom }) => {
        const pieces = Buffer.concat(codec.write(type, codec.prepare(type, message), headroom)).subarray(headroom)
        // Protobuf has a long chunk behind the other fields, as it is.
        if (codec === protobufCodec && 'chunk' in message) assert.deepEqual(codec.decode(type, pieces), message)
        else assert.deepEqual(pieces, Buffer.from(codec.encode(type, message)))
      },
      { runs: 200 }
    )
  })
}

test('protobuf: protobufjs and @bufbuild/protobuf read and write the same messages', () => {
  holds(
    anyMessage,
    ({ type, message }) => {
      const bytes = protobuf.encode(type, message)
      const { serialize, deserialize } = loadProto()[`blobwire.v1.${type}`] as MessageTypeDefinition<object, object>
      assert.deepEqual(Buffer.from(bytes), serialize(toWire(type, message)))
      assert.deepEqual(fromWire(type, deserialize(Buffer.from(bytes))), message)
      assert.deepEqual(readByBuf(type, bytes), message)
      const theirs = toBinary(descriptorOf(type), fromBinary(descriptorOf(type), bytes))
      assert.deepEqual(protobuf.decode(type, theirs), message)
    },
    { runs: 1500 }
  )
})

test('json: @bufbuild/protobuf reads and writes the same messages', () => {
  holds(
    anyMessage,
    ({ type, message }) => {
      const sent = JSON.parse(textOf(json.encode(type, message))) as JsonValue
      const theirs = fromJson(descriptorOf(type), sent)
      const options = { alwaysEmitImplicit: true, useProtoFieldName: true }
      const answer = JSON.stringify(toJson(descriptorOf(type), theirs, options))
      assert.deepEqual(json.decode(type, Buffer.from(answer)), message)
      assert.deepEqual(protobuf.decode(type, toBinary(descriptorOf(type), theirs)), message)
    },
    { runs: 1500 }
  )
})

test('msgpack: @msgpack/msgpack reads and writes the same messages, with fields in any order and unknown ones', () => {
  holds(
    anyMessage,
    ({ type, message }) => {
      const wire = unpack(new Uint8Array(msgpack.encode(type, message))) as object
      assert.deepEqual(wire, toWire(type, message))
      assert.deepEqual(msgpack.decode(type, pack(wire)), message)
      assert.deepEqual(msgpack.decode(type, pack(reversed(wire))), message)
      assert.deepEqual(msgpack.decode(type, pack({ ...wire, later: [wire, null, -1, 0.5] })), message)
    },
    { runs: 1500 }
  )
})

test('protobuf: two messages one behind the other are merged, as @bufbuild/protobuf merges them', () => {
  const pairs = fc.constantFrom(...messageNames).chain((type) => fc.tuple(messageOf(type), messageOf(type)))
  holds(
    pairs,
    ([one, other]) => {
      const both = Buffer.concat([one, other].map(({ type, message }) => protobuf.encode(type, message)))
      assert.deepEqual(protobuf.decode(one.type, both), readByBuf(one.type, both))
    },
    { runs: 500 }
  )
})

/** The message in protobuf bytes as @bufbuild/protobuf reads it. */
function readByBuf(type: MessageName, bytes: Uint8Array): Message {
  const theirs = toJson(descriptorOf(type), fromBinary(descriptorOf(type), bytes))
  return jsonCodec.decode(type, Buffer.from(JSON.stringify(theirs)))
}

/** Bytes without any sense, or those of a message with some replaced, put in or taken out. */
const damaged = (wire: Wire) =>
  fc.oneof(
    fc.record({ type: fc.constantFrom(...messageNames), bytes: fc.uint8Array({ maxLength: 64 }) }),
    fc
      .record({
        any: anyMessage,
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        gone: fc.nat(4),
        put: fc.uint8Array({ maxLength: 4 })
      })
      .map(({ any: { type, message }, at, gone, put }) => {
        const sound = wire.encode(type, message)
        const place = Math.floor(at * sound.length)
        const bytes = Buffer.concat([sound.subarray(0, place), put, sound.subarray(place + gone)])
        return { type, bytes: new Uint8Array(bytes) }
      })
  )

for (const wire of wires) {
  test(`${wire.name}: any bytes are a message, which comes back as it is, or a typed error`, () => {
    let refused = 0
    let read = 0
    holds(
      damaged(wire),
      ({ type, bytes }) => {
        let message: Message
        try {
          message = wire.decode(type, bytes)
        } catch (error) {
          assert.ok(isTyped(error), String(error))
          refused++
          return
        }
        read++
        assert.deepEqual(wire.decode(type, wire.encode(type, message)), message)
        // The fast reader has taken nothing that the other implementation reads in another way.
        if (wire === msgpack) assert.deepEqual(fromWire(type, unpack(bytes)), message)
      },
      { runs: 6000 }
    )
    assert.ok(refused > 0 && read > 0, `${refused} refused, ${read} read`)
  })
}

function isTyped(error: unknown): boolean {
  return error instanceof BlobwireError && (error.code === 'invalid_argument' || error.code === 'resource_exhausted')
}
