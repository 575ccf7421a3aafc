/** Our codecs against bytes that other implementations wrote; test/codec/golden/generate.py made them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { loadProto } from '../../src/codec/proto.ts'
import { checkMessage, pruneMessage } from '../../src/codec/shape-check.ts'
import type { ShapeName } from '../../src/schema/shape.ts'

interface Golden {
  shape: ShapeName
  json: string
  protobuf: string
  msgpack: string
}

const cases: Golden[] = JSON.parse(readFileSync(new URL('golden/golden.json', import.meta.url), 'utf8'))

for (const [index, golden] of cases.entries()) {
  test(`golden ${index} ${golden.shape}`, () => {
    const fromJson = jsonCodec.decode(golden.shape, Buffer.from(golden.json))
    const fromMsgpack = msgpackCodec.decode(golden.shape, Buffer.from(golden.msgpack, 'base64'))
    const type = loadProto()[`blobwire.v1.${golden.shape}`] as MessageTypeDefinition<object, object>
    const fromProtobuf = checkMessage(golden.shape, type.deserialize(Buffer.from(golden.protobuf, 'base64')))
    assert.deepEqual(fromMsgpack, fromJson)
    assert.deepEqual(fromProtobuf, fromJson)

    assert.deepEqual(
      JSON.parse(Buffer.from(jsonCodec.encode(golden.shape, fromJson)).toString()),
      JSON.parse(golden.json)
    )
    assert.equal(type.serialize(pruneMessage(golden.shape, fromJson)).toString('base64'), golden.protobuf)
    assert.deepEqual(msgpackCodec.decode(golden.shape, msgpackCodec.encode(golden.shape, fromJson)), fromMsgpack)
  })
}

test('MessagePack is written as Python writes it, byte for byte', () => {
  const golden = cases.find(({ shape }) => shape === 'StoreTreeRequest') as Golden
  const bytes = Buffer.from(golden.msgpack, 'base64')
  const message = msgpackCodec.decode('StoreTreeRequest', bytes)
  assert.equal(Buffer.from(msgpackCodec.encode('StoreTreeRequest', message)).toString('hex'), bytes.toString('hex'))
})
