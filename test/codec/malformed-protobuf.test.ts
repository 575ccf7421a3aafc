/** Protobuf as no encoder writes it: refused, or ignored as the specification says; never a success with part of the answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifierOf } from '../../src/client/verify/answers.ts'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { startCpuClock } from '../support/until.ts'

const content = Buffer.from('hello\n')
const oid = 'ce013625030ba8dba906f756967f9e9ca394464a'
const sound = encodeProtobuf('GetBlobResponse', { oid, size: 6, content })

/** As the gRPC transport and the client take an answer. */
function read(bytes: Uint8Array) {
  const answer = decodeProtobuf('GetBlobResponse', bytes)
  verifierOf('getBlob', true)?.({ oid }, answer)
  return answer
}

function quickly<Result>(work: () => Result): Result {
  const cpuMs = startCpuClock()
  try {
    return work()
  } finally {
    assert.ok(cpuMs() < 250, 'too slow')
  }
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('the sound answer passes', () => {
  assert.deepEqual(Buffer.from(read(sound).content), content)
})

test('cut at every offset it never passes', () => {
  for (let length = 0; length < sound.length; length++)
    assert.throws(() => read(sound.subarray(0, length)), `${length}`)
})

const refused: Record<string, Buffer> = {
  'a content that ends past the message': Buffer.concat([sound.subarray(0, -7), hex('ff ff ff ff 07'), content]),
  'an oid that ends past the message': Buffer.concat([hex('0a ff 7f'), Buffer.from(oid)]),
  'a length of 2^64 - 1': Buffer.concat([sound, hex('0a ff ff ff ff ff ff ff ff ff 01')]),
  'a length without end': Buffer.concat([sound, hex('0a'), Buffer.alloc(20, 0xff)]),
  'a tag without end': Buffer.concat([sound, Buffer.alloc(20, 0xff)]),
  'a wire type that there is not': Buffer.concat([sound, hex('a7 01')]),
  'a group that does not end': Buffer.concat([sound, hex('a3 01')]),
  'groups in groups, 100,000 deep': Buffer.concat([sound, ...Array.from({ length: 100_000 }, () => hex('a3 01'))]),
  'an unknown field that ends past the message': Buffer.concat([sound, hex('a2 01 ff ff 7f 00')])
}
for (const [name, bytes] of Object.entries(refused)) {
  test(`${name} is refused`, () => {
    quickly(() => assert.throws(() => read(bytes)))
  })
}

test('100,000 unknown fields are passed over', () => {
  const unknown = Array.from({ length: 100_000 }, (_, index) =>
    index % 2 ? hex('a0 01 01') : hex('a2 01 03 61 62 63')
  )
  const bytes = Buffer.concat([...unknown, sound])
  assert.deepEqual(Buffer.from(quickly(() => read(bytes)).content), content)
})

test('of a field that stands twice the last one counts', () => {
  const other = encodeProtobuf('GetBlobResponse', { oid, size: 6, content: Buffer.from('other\n') })
  assert.deepEqual(Buffer.from(read(Buffer.concat([other, sound])).content), content)
  assert.throws(() => read(Buffer.concat([sound, other])), { code: 'data_loss' })
})
