/** The reader of protobuf: proto3's rules, the limits of a message, and damage. protobufjs and protobuf-es are the judges. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { encodeStatus, loadProto } from '../../server-fixture/grpc/proto.ts'
import { maxDepth, maxMessages, maxValues } from '../../src/codec/limits.ts'
import { decodeProtobuf, decodeStatus, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'
import { messageDescriptors } from '../../src/schema/descriptors.ts'
import { randomNumbers } from '../support/random.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** The same two or three bytes again and again. */
const times = (bytes: Buffer, count: number) => Buffer.alloc(bytes.length * count, bytes)

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) + 0x80)
  return Buffer.from([...bytes, value])
}

function withLength(tag: Buffer, content: Buffer): Buffer {
  return Buffer.concat([tag, varint(content.length), content])
}

function refusal(type: MessageName, bytes: Buffer): BlobwireError {
  try {
    decodeProtobuf(type, bytes)
  } catch (error) {
    assert.ok(error instanceof BlobwireError, String(error))
    return error
  }
  return assert.fail('accepted')
}

describe('a message has at most', () => {
  test(`${maxMessages} messages`, () => {
    // The batch is one, too.
    decodeProtobuf('BatchOperationsRequest', times(hex('12 00'), maxMessages - 1))
    const error = refusal('BatchOperationsRequest', times(hex('12 00'), maxMessages))
    assert.deepEqual([error.code, error.reason], ['resource_exhausted', 'message_too_large'])
    assert.match(error.message, /more than 87381 objects/)
    // Messages in messages count as well: operations and their storeBlob.
    assert.equal(refusal('BatchOperationsRequest', times(hex('12 02 0a 00'), (maxMessages + 1) / 2)).code, error.code)
  })

  test(`${maxValues} values, unknown ones and packed ones included`, () => {
    const packed = (count: number) => withLength(hex('12'), withLength(hex('0a'), Buffer.alloc(count)))
    for (const [type, bytes] of [
      ['FindMissingRequest', times(hex('12 00'), maxValues + 1)],
      ['FindMissingRequest', times(hex('98 3f 01'), maxValues + 1)],
      ['FindMissingRequest', Buffer.concat([hex('9b 3f'), times(hex('98 3f 01'), maxValues), hex('9c 3f')])],
      ['SessionRequest', packed(maxValues + 1)]
    ] as const) {
      const error = refusal(type, bytes)
      assert.deepEqual([error.code, error.reason], ['resource_exhausted', 'message_too_large'])
      assert.match(error.message, /more than 262144 values/)
    }
    decodeProtobuf('FindMissingRequest', times(hex('12 00'), maxValues))
    assert.equal(decodeProtobuf('SessionRequest', packed(maxValues - 2)).cancel?.ids.length, maxValues - 2)
  })

  test('fewer levels than the limit, because no message is in itself', () => {
    const depths = new Map<MessageName, number>()
    const depthOf = (type: MessageName, within: readonly MessageName[] = []): number => {
      assert.ok(!within.includes(type), `${type} is within itself`)
      const known = depths.get(type)
      if (known !== undefined) return known
      const inner = messageDescriptors[type].map((field) =>
        field.kind === 'message' ? depthOf(field.type, [...within, type]) : 0
      )
      depths.set(type, 1 + Math.max(0, ...inner))
      return depths.get(type) as number
    }
    for (const type of Object.keys(messageDescriptors) as MessageName[]) assert.ok(depthOf(type) < maxDepth)
  })
})

describe('refused is', () => {
  const cases: Record<string, Buffer> = {
    'a length past the end': hex('12 05 00'),
    'a message that claims 2 MiB': hex('12 ff ff 7f 00'),
    'a message that ends behind the one around it': hex('12 02 0a 03 61 61 61'),
    'a message that ends in the middle of a number': hex('12 03 72 01 10 01'),
    'a length of 2^64 - 1': hex('0a ff ff ff ff ff ff ff ff ff 01'),
    'a length of six bytes': hex('0a 81 80 80 80 80 00 61'),
    'a length without end': Buffer.concat([hex('0a'), Buffer.alloc(20, 0xff)]),
    'a number without end': Buffer.concat([hex('18'), Buffer.alloc(20, 0xff)]),
    'a number that is cut short': hex('18 ff'),
    'a fixed number of 8 bytes that is cut short': hex('99 3f 01 02'),
    'a fixed number of 4 bytes that is cut short': hex('9d 3f 01 02'),
    'a tag without a value': hex('12'),
    'a tag above 32 bits': hex('98 80 80 80 10 01'),
    'field 0': hex('02 01 61'),
    'a group without end': hex('9b 3f 08 01'),
    'the end of another group': hex('9b 3f a4 3f'),
    'the end of a group': hex('9c 3f'),
    'a group in a group, as deep as 65': Buffer.concat([times(hex('9b 3f'), 65), times(hex('9c 3f'), 65)]),
    'wire type 6': hex('9e 3f'),
    'wire type 7': hex('9f 3f'),
    'a text that is not UTF-8': hex('0a 02 61 ff'),
    'a surrogate in a text': hex('0a 03 ed a0 80')
  }
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, () => {
      const error = refusal('BatchOperationsRequest', bytes)
      assert.deepEqual([error.code, error.reason], ['invalid_argument', 'malformed'])
    })
  }

  test('an integer that a number does not hold exactly, by its path', () => {
    for (const bytes of ['80 80 80 80 80 80 80 10', 'ff ff ff ff ff ff ff ff ff 01']) {
      const error = refusal('SessionResponse', Buffer.concat([hex('0a 00'), withLength(hex('0a'), hex(`08 ${bytes}`))]))
      assert.equal(error.code, 'invalid_argument')
      assert.match(error.message, /results\[1\]\.id: must be an integer from 0 to 9007199254740991/)
    }
  })

  test('a text that is not UTF-8, by its path', () => {
    assert.match(
      refusal('BatchOperationsRequest', hex('12 05 12 03 12 01 ff')).message,
      /operations\[0\]\.getBlob\.oid/
    )
  })
})

describe('as proto3 has it,', () => {
  test('unknown fields are skipped: numbers, texts, fixed ones and groups', () => {
    const unknown = hex(
      '98 3f 96 01  9a 3f 01 61  99 3f 01 02 03 04 05 06 07 08  9d 3f 01 02 03 04  9b 3f 0b 08 01 0c 9c 3f'
    )
    const message = decodeProtobuf('GetBlobRequest', Buffer.concat([unknown, hex('0a 01 61'), unknown]))
    assert.deepEqual(message, { ...decodeProtobuf('GetBlobRequest', hex('')), repository: 'a' })
  })

  test('a field of another wire type is unknown', () => {
    assert.deepEqual(decodeProtobuf('StoreBlobResponse', hex('08 05 12 01 61')), { oid: '', size: 0 })
  })

  test('lists of numbers may be packed, or not, or both', () => {
    const cancel = (ids: string) => decodeProtobuf('SessionRequest', withLength(hex('12'), hex(ids))).cancel?.ids
    assert.deepEqual(cancel('0a 03 01 80 01'), [1, 128])
    assert.deepEqual(cancel('08 01 08 80 01'), [1, 128])
    assert.deepEqual(cancel('08 01 0a 02 80 01 08 02'), [1, 128, 2])
  })

  test('of a field that stands twice the last one counts, and messages are merged', () => {
    const message = decodeProtobuf(
      'GetCommitResponse',
      hex('0a 07 0a 01 61 1a 02 70 71  0a 08 0a 01 62 1a 01 72 32 00')
    )
    assert.deepEqual([message.commit.oid, message.commit.parents], ['b', ['pq', 'r']])
  })

  test('of a oneof the last one counts, and the same one is merged', () => {
    assert.deepEqual(decodeProtobuf('FileChange', hex('1a 01 61 22 01 62')), {
      path: '',
      mode: '',
      rawPath: new Uint8Array(0),
      oid: 'b'
    })
    const apply = decodeProtobuf('KeyedOperation', hex('1a 03 12 01 61  22 00  1a 03 12 01 62 '))
    assert.deepEqual([apply.commitFiles?.branch, apply.updateRefs], ['b', undefined])
    const merged = decodeProtobuf('KeyedOperation', hex('1a 03 12 01 61  1a 03 3a 01 62'))
    assert.deepEqual([merged.commitFiles?.branch, merged.commitFiles?.message], ['a', 'b'])
  })

  test('an optional number of 0 is there', () => {
    assert.deepEqual(decodeProtobuf('NewSignature', hex('18 00')), { name: '', email: '', timeSeconds: 0, zone: '' })
    assert.ok(!('timeSeconds' in decodeProtobuf('NewSignature', hex(''))))
  })

  test('numbers keep their low bits, and any bit makes true', () => {
    assert.equal(decodeProtobuf('ListRefsRequest', hex('18 81 80 80 80 90 01')).pageSize, 1)
    assert.equal(decodeProtobuf('DeleteRepositoryResponse', hex('08 80 80 80 80 80 80 80 80 80 01')).deleted, true)
    assert.equal(decodeStatus(hex('08 ff ff ff ff ff ff ff ff ff 01')).code, -1)
    for (const timeSeconds of [-1, -(2 ** 28), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
      assert.equal(decodeProtobuf('Signature', encodeProtobuf('Signature', { timeSeconds })).timeSeconds, timeSeconds)
    }
  })

  test('contents that are read own their memory, and those of requests are views', () => {
    const answer = Buffer.from(encodeProtobuf('GetBlobResponse', { content: Buffer.from('hello') }))
    const { content } = decodeProtobuf('GetBlobResponse', answer)
    assert.equal(content.buffer.byteLength, 5)
    assert.ok(!(content instanceof Buffer))
    const request = Buffer.from(encodeProtobuf('StoreBlobRequest', { content: Buffer.from('hello') }))
    assert.equal(decodeProtobuf('StoreBlobRequest', request).content.buffer, request.buffer)
    assert.notEqual(
      decodeProtobuf('GetBlobResponse', hex('')).content,
      decodeProtobuf('GetBlobResponse', hex('')).content
    )
  })
})

test('a status of another type has no detail, and ours is found among others', () => {
  const detail = decodeProtobuf('ErrorDetail', encodeProtobuf('ErrorDetail', { reason: 'tls', missingOids: ['a'] }))
  const status = encodeStatus({ code: 5, message: 'no', detail })
  assert.deepEqual(decodeStatus(status), { code: 5, message: 'no', detail })
  const other = withLength(hex('1a'), hex('0a 01 61 12 01 62'))
  assert.deepEqual(decodeStatus(Buffer.concat([other, status])).detail, detail)
  assert.equal(decodeStatus(other).detail, undefined)
})

interface Golden {
  readonly type: MessageName
  readonly protobuf: string
}
const goldens: Golden[] = JSON.parse(readFileSync(new URL('golden/golden.json', import.meta.url), 'utf8'))

test('damaged golden bytes: whatever is accepted protobufjs reads, too, and refusals are typed', () => {
  const random = randomNumbers(77)
  const counts = { accepted: 0, refused: 0, laxer: 0 }
  for (let round = 0; round < 20_000; round++) {
    const { type, protobuf } = goldens[random(goldens.length)] as Golden
    const bytes = Buffer.from(protobuf, 'base64')
    if (bytes.length === 0) continue
    for (let change = random(3); change >= 0; change--) bytes[random(bytes.length)] = random(256)
    const { deserialize } = loadProto()[`blobwire.v1.${type}`] as MessageTypeDefinition<object, object>
    let decodes = true
    try {
      deserialize(bytes)
    } catch {
      decodes = false
    }
    try {
      decodeProtobuf(type, bytes)
      counts.accepted++
    } catch (error) {
      assert.ok(error instanceof BlobwireError, String((error as Error).stack))
      counts.refused++
      // protobufjs cuts strings short and takes any bytes for text.
      if (decodes) counts.laxer++
    }
  }
  assert.ok(counts.accepted > 2000 && counts.refused > 2000 && counts.laxer < counts.refused, JSON.stringify(counts))
})
