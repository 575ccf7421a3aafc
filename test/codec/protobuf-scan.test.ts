/** The scan of protobuf: the limits of a message, lengths and groups, against golden bytes and their damage. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { maxDepth, maxMessages, maxValues } from '../../src/codec/limits.ts'
import { scanProtobuf } from '../../src/codec/protobuf-scan.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'
import { messageDescriptors } from '../../src/schema/descriptors.ts'
import { decodeProtobuf, loadProto } from '../../src/transport/grpc/proto.ts'
import { randomNumbers } from '../support/random.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** The same two or three bytes again and again. */
const times = (bytes: Buffer, count: number) => Buffer.alloc(bytes.length * count, bytes)
/** An unknown field of so many bytes: a message that is long enough to be scanned, whatever else is in it. */
const padding = withLength(hex('9a 3f'), Buffer.alloc(2 * maxMessages))

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
    scanProtobuf(type, bytes)
  } catch (error) {
    assert.ok(error instanceof BlobwireError, String(error))
    return error
  }
  return assert.fail('accepted')
}

describe('a message has at most', () => {
  test(`${maxMessages} messages`, () => {
    // The batch is one, too.
    scanProtobuf('BatchOperationsRequest', times(hex('12 00'), maxMessages - 1))
    const error = refusal('BatchOperationsRequest', times(hex('12 00'), maxMessages))
    assert.deepEqual([error.code, error.reason], ['resource_exhausted', 'message_too_large'])
    assert.match(error.message, /more than 87381 objects/)
    // Messages in messages count as well: operations and their storeBlob.
    assert.equal(refusal('BatchOperationsRequest', times(hex('12 02 0a 00'), (maxMessages + 1) / 2)).code, error.code)
  })

  test(`${maxValues} values, unknown ones and packed ones included`, () => {
    for (const [type, bytes] of [
      ['FindMissingRequest', times(hex('12 00'), maxValues + 1)],
      ['FindMissingRequest', times(hex('98 3f 01'), maxValues + 1)],
      ['SessionRequest', withLength(hex('12'), withLength(hex('0a'), Buffer.alloc(maxValues + 1)))]
    ] as const) {
      const error = refusal(type, bytes)
      assert.deepEqual([error.code, error.reason], ['resource_exhausted', 'message_too_large'])
      assert.match(error.message, /more than 262144 values/)
    }
    scanProtobuf('FindMissingRequest', times(hex('12 00'), maxValues))
    // 100,000 numbers of three bytes.
    const ids = times(hex('ff ff 01'), 100_000)
    scanProtobuf('SessionRequest', withLength(hex('12'), withLength(hex('0a'), ids)))
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
    'a length of 2^64 - 1': hex('0a ff ff ff ff ff ff ff ff ff 01'),
    'a length without end': Buffer.concat([hex('0a'), Buffer.alloc(20, 0xff)]),
    'a number without end': Buffer.concat([hex('18'), Buffer.alloc(20, 0xff)]),
    'a number that is cut short': hex('18 ff'),
    'a fixed number of 8 bytes that is cut short': hex('99 3f 01 02'),
    'a fixed number of 4 bytes that is cut short': hex('9d 3f 01 02'),
    'a tag without a value': hex('12'),
    'a group': hex('9b 3f 9c 3f'),
    'the end of a group': hex('9c 3f'),
    'wire type 6': hex('9e 3f'),
    'wire type 7': hex('9f 3f')
  }
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, () => {
      const error = refusal('BatchOperationsRequest', Buffer.concat([padding, bytes]))
      assert.deepEqual([error.code, error.reason], ['invalid_argument', 'malformed'])
    })
  }
})

interface Golden {
  readonly type: MessageName
  readonly protobuf: string
}
const goldens: Golden[] = JSON.parse(readFileSync(new URL('golden/golden.json', import.meta.url), 'utf8'))

test('golden bytes pass, long or short', () => {
  for (const { type, protobuf } of goldens) {
    const bytes = Buffer.from(protobuf, 'base64')
    scanProtobuf(type, bytes)
    scanProtobuf(type, Buffer.concat([padding, bytes]))
    assert.deepEqual(decodeProtobuf(type, Buffer.concat([padding, bytes])), decodeProtobuf(type, bytes))
  }
})

test('damaged golden bytes: the scan accepts whatever protobufjs reads in full, and refuses with typed errors', () => {
  const random = randomNumbers(77)
  const counts = { accepted: 0, refused: 0, laxer: 0 }
  for (let round = 0; round < 20_000; round++) {
    const { type, protobuf } = goldens[random(goldens.length)] as Golden
    const bytes = Buffer.from(protobuf, 'base64')
    if (bytes.length === 0) continue
    for (let change = random(3); change >= 0; change--) bytes[random(bytes.length)] = random(256)
    const long = Buffer.concat([padding, bytes])
    const { deserialize } = loadProto()[`blobwire.v1.${type}`] as MessageTypeDefinition<object, object>
    let decodes = true
    try {
      deserialize(long)
    } catch {
      decodes = false
    }
    try {
      scanProtobuf(type, long)
      counts.accepted++
    } catch (error) {
      assert.ok(error instanceof BlobwireError, String((error as Error).stack))
      counts.refused++
      // protobufjs cuts strings short and passes over groups.
      if (decodes) counts.laxer++
    }
  }
  assert.ok(counts.accepted > 2000 && counts.refused > 2000 && counts.laxer < counts.refused, JSON.stringify(counts))
})
