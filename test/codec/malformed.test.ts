/** Bytes that no codec may accept: each case is refused, quickly, in little memory, with a typed error. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encode } from '@msgpack/msgpack'
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'
import { startCpuClock } from '../support/until.ts'

function refused(codec: Codec, bytes: Uint8Array, type: MessageName = 'BatchOperationsRequest'): BlobwireError {
  const failure = failureOf(codec, bytes, type)
  assert.equal(failure.code, 'invalid_argument')
  return failure
}

function failureOf(codec: Codec, bytes: Uint8Array, type: MessageName): BlobwireError {
  const before = process.memoryUsage().rss
  const cpuMs = startCpuClock()
  let failure: unknown
  try {
    codec.decode(type, bytes)
  } catch (error) {
    failure = error
  }
  assert.ok(failure instanceof BlobwireError, `accepted, or untyped: ${failure}`)
  assert.ok(cpuMs() < 250, 'too slow')
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024, 'too much memory')
  return failure
}

const repeat = (byte: number, count: number) => Buffer.alloc(count, byte)
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const megabyte = 1024 * 1024

describe('MessagePack refuses', () => {
  const cases: Record<string, Uint8Array> = {
    'nothing at all': hex(''),
    'an array that claims 2^25 values': hex('dd 01 ff ff ff'),
    'nested arrays that each claim 65,535 values': Buffer.concat(Array.from({ length: 13 }, () => hex('dc ff ff'))),
    'a map that claims 2^32 - 1 pairs': hex('df ff ff ff ff'),
    'a binary that claims 4 GiB': hex('c6 ff ff ff ff'),
    'a string that claims 4 GiB': hex('db ff ff ff ff'),
    '900 KB of nested arrays': repeat(0x91, 900_000),
    '65 levels': Buffer.concat([repeat(0x91, 65), hex('c0')]),
    'the byte 0xc1': hex('c1'),
    'bytes after the value': hex('80 00'),
    'a key twice': hex('82 a1 61 01 a1 61 02'),
    'the key __proto__': Buffer.from([0x81, 0xa9, ...Buffer.from('__proto__'), 1]),
    'a number as a key': hex('81 01 01'),
    'a string that is not UTF-8': hex('81 a1 61 a1 ff'),
    'a key that is not UTF-8': hex('81 a1 ff 01'),
    'an integer of 2^53': hex('cf 00 20 00 00 00 00 00 00'),
    'an integer of -2^53 - 1': hex('d3 ff df ff ff ff ff ff ff'),
    'an extension type': hex('d4 01 00'),
    'a timestamp': hex('d6 ff 00 00 00 00'),
    'an array for a message': hex('90'),
    'a string for bytes': Buffer.from(encode({ operations: [{ storeBlob: { content: 'text' } }] })),
    'bytes for a string': Buffer.from(encode({ repository: new Uint8Array(3) })),
    'two results in one oneof': Buffer.from(encode({ operations: [{ storeBlob: {}, getBlob: {} }] }))
  }
  for (const [name, bytes] of Object.entries(cases)) test(name, () => void refused(msgpackCodec, bytes))

  test('a message cut at every offset', () => {
    const whole = msgpackCodec.encode('BatchOperationsRequest', {
      repository: 'demo',
      operations: [{ storeBlob: { content: repeat(1, 300) } }, { getBlob: { oid: 'ab'.repeat(20) } }],
      atomic: true
    })
    for (let length = 0; length < whole.length; length++) refused(msgpackCodec, whole.subarray(0, length))
  })
})

describe('JSON refuses', () => {
  const cases: Record<string, string | Uint8Array> = {
    'nothing at all': '',
    '100,000 levels of arrays': '['.repeat(100_000),
    '100,000 levels of objects': '{"a":'.repeat(100_000),
    '65 levels that are closed': '['.repeat(65) + ']'.repeat(65),
    'the key __proto__': '{"__proto__":{"polluted":1}}',
    'the key __proto__ in escapes': '{"\\u005f_proto__":{"polluted":1}}',
    'a key twice': '{"atomic":true,"atomic":false}',
    'a key twice, once in escapes': '{"atomic":true,"\\u0061tomic":false}',
    'a key twice behind a string with escapes': '{"repository":"\\\\\\"","repository":"b"}',
    'a lone surrogate': '{"repository":"\\ud800"}',
    'bad UTF-8': Buffer.from([...Buffer.from('{"repository":"'), 0xff, ...Buffer.from('"}')]),
    'a UTF-16 byte order mark': Buffer.from('\ufeff{}', 'utf16le'),
    'text after the value': '{} {}',
    'a string without end': '{"repository":"a',
    'a string that ends in a backslash': '{"repository":"a\\',
    'base64 with foreign characters': '{"operations":[{"storeBlob":{"content":"a$=="}}]}',
    'base64 of a wrong length': '{"operations":[{"storeBlob":{"content":"abcde"}}]}',
    'base64 with white space': '{"operations":[{"storeBlob":{"content":"YW Jj"}}]}',
    'base64 with padding in the middle': '{"operations":[{"storeBlob":{"content":"YQ==YQ=="}}]}',
    'a number for a string': '{"repository":5}',
    'an object for a list': '{"operations":{}}',
    'null in a list': '{"operations":[null]}',
    'two operations in one': '{"operations":[{"storeBlob":{},"getBlob":{}}]}'
  }
  for (const [name, text] of Object.entries(cases)) {
    test(name, () => void refused(jsonCodec, Buffer.from(text)))
  }

  test('integers beyond 2^53 - 1, as numbers and as strings', () => {
    for (const size of ['9007199254740993', '"9007199254740993"', '1.5', '"1e3"', '-1', '""', 'true']) {
      refused(jsonCodec, Buffer.from(`{"oid":"a","size":${size}}`), 'StoreBlobResponse')
    }
  })

  test('a long string of escapes in linear time', () => {
    const text = Buffer.from(`{"repository":"${'\\n'.repeat(megabyte)}","repository":""}`)
    refused(jsonCodec, text)
  })

  test('no refused message has touched a prototype', () => {
    assert.equal(({} as { polluted?: number }).polluted, undefined)
  })
})

describe('too many values are resource_exhausted', () => {
  const word = (value: number) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex')
  const list = (count: number, item: number) => Buffer.concat([hex('dd'), word(count), repeat(item, count)])
  /** The beginning of a map with one key. */
  const mapOf = (key: string) => Buffer.concat([hex('81'), Buffer.of(0xa0 | key.length), Buffer.from(key)])
  const claims = (key: string) => Buffer.concat([mapOf(key), hex('dd'), word(8_000_000)])
  const msgpack = (...parts: Buffer[]): [Codec, Buffer] => [msgpackCodec, Buffer.concat(parts)]
  const json = (text: string): [Codec, Buffer] => [jsonCodec, Buffer.from(text)]
  const nested = ['batches', 'batches', 'operations', 'storeTree', 'entries']
  const cases: [string, [Codec, Buffer], MessageName?][] = [
    ['2 million values', msgpack(list(2_000_000, 0xc0))],
    ['2 million values of an unknown field', msgpack(mapOf('future'), list(2_000_000, 0xc0))],
    ['100,000 objects of an unknown field', msgpack(mapOf('future'), list(100_000, 0x80))],
    ['1 million operations', msgpack(mapOf('operations'), list(1_000_000, 0x80))],
    ['100,000 operations', msgpack(mapOf('operations'), list(100_000, 0x80))],
    [
      '1 million oids',
      msgpack(mapOf('operations'), hex('91'), mapOf('findMissing'), mapOf('oids'), list(1_000_000, 0xa0))
    ],
    [
      'lists in lists that claim 8 million values each',
      msgpack(
        ...nested.map((key, place) => (place === 0 || key === 'storeTree' ? mapOf(key) : claims(key))),
        repeat(0x80, 9_000_000)
      ),
      'SessionRequest'
    ],
    ['2 million values', json(`[${'0,'.repeat(2_000_000)}0]`)],
    ['1 million operations', json(`{"operations":[${'{},'.repeat(1_000_000)}{}]}`)],
    ['100,000 operations', json(`{"operations":[${'{},'.repeat(100_000)}{}]}`)],
    ['1 million oids', json(`{"operations":[{"findMissing":{"oids":[${'"",'.repeat(1_000_000)}""]}}]}`)],
    ['1 million lists', json(`{"future":[${'[],'.repeat(1_000_000)}[]]}`)]
  ]
  for (const [name, [codec, bytes], type = 'BatchOperationsRequest'] of cases) {
    test(`${codec.name}: ${name}`, () => {
      const { code, reason } = failureOf(codec, bytes, type)
      assert.deepEqual([code, reason], ['resource_exhausted', 'message_too_large'])
    })
  }
})

test('an error names the field, however deep', () => {
  const bytes = Buffer.from('{"operations":[{"storeTree":{"entries":[{"path":"a"},{"path":"b","mode":5}]}}]}')
  const error = refused(jsonCodec, bytes)
  assert.equal(error.details.violations?.[0]?.field, 'operations[0].storeTree.entries[1].mode')
  assert.match(error.message, /must be a string/)
})

test('unknown fields are ignored, at every level', () => {
  for (const codec of [jsonCodec, msgpackCodec]) {
    const message = {
      repository: 'demo',
      future: { a: [1, { b: null }] },
      operations: [{ getRepository: { more: 1 } }]
    }
    const bytes = codec === jsonCodec ? Buffer.from(JSON.stringify(message)) : encode(message)
    const decoded = codec.decode('BatchOperationsRequest', bytes)
    assert.deepEqual(decoded, {
      repository: 'demo',
      operations: [{ getRepository: { repository: '' } }],
      atomic: false
    })
  }
})

test('JSON takes URL-safe and unpadded base64, strings for integers, names of the proto file, and null as absent', () => {
  const decode = (text: string) => jsonCodec.decode('GetBlobResponse', Buffer.from(text))
  assert.deepEqual(decode('{"content":"-_8","size":"5","oid":null}'), {
    oid: '',
    size: 5,
    content: new Uint8Array([0xfb, 0xff])
  })
  const refs = jsonCodec.decode('ListRefsRequest', Buffer.from('{"page_size":7}'))
  assert.equal(refs.pageSize, 7)
})

test('seeded noise gives typed errors or sound messages, never anything else', () => {
  let state = 12345
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const message = {
    repository: 'demo',
    operations: [{ storeBlob: { content: repeat(7, 40) } }, { findMissing: { oids: ['ab'.repeat(20)] } }]
  }
  for (const codec of [jsonCodec, msgpackCodec]) {
    const sound = codec.encode('BatchOperationsRequest', message)
    let accepted = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(sound)
      for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256)
      try {
        const decoded = codec.decode('BatchOperationsRequest', bytes)
        codec.encode('BatchOperationsRequest', decoded)
        accepted++
      } catch (error) {
        assert.ok(error instanceof BlobwireError, String(error))
      }
    }
    assert.ok(accepted > 0 && accepted < 20_000, `${codec.name} accepted ${accepted}`)
  }
})
