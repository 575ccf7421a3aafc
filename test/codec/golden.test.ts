/** Our codecs against bytes that other implementations wrote; test/codec/golden/generate.py made them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'

interface Golden {
  type: MessageName
  json: string
  protobuf: string
  msgpack: string
}

const cases: Golden[] = JSON.parse(readFileSync(new URL('golden/golden.json', import.meta.url), 'utf8'))

for (const [index, golden] of cases.entries()) {
  test(`golden ${index} ${golden.type}`, () => {
    const fromJson = jsonCodec.decode(golden.type, Buffer.from(golden.json))
    const fromMsgpack = msgpackCodec.decode(golden.type, Buffer.from(golden.msgpack, 'base64'))
    const fromProtobuf = decodeProtobuf(golden.type, Buffer.from(golden.protobuf, 'base64'))
    assert.deepEqual(fromMsgpack, fromJson)
    assert.deepEqual(fromProtobuf, fromJson)

    assert.deepEqual(
      JSON.parse(Buffer.from(jsonCodec.encode(golden.type, fromJson)).toString()),
      JSON.parse(golden.json)
    )
    assert.equal(Buffer.from(encodeProtobuf(golden.type, fromJson)).toString('base64'), golden.protobuf)
    assert.deepEqual(msgpackCodec.decode(golden.type, msgpackCodec.encode(golden.type, fromJson)), fromMsgpack)
  })
}

test('MessagePack is written as Python writes it, byte for byte', () => {
  const golden = cases.find(({ type }) => type === 'StoreTreeRequest') as Golden
  const bytes = Buffer.from(golden.msgpack, 'base64')
  const message = msgpackCodec.decode('StoreTreeRequest', bytes)
  assert.equal(Buffer.from(msgpackCodec.encode('StoreTreeRequest', message)).toString('hex'), bytes.toString('hex'))
})
