/** Answers that are bombs, damaged, enormous or lead elsewhere: a typed error, little memory, and the token stays at home. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encode } from '@msgpack/msgpack'
import { createClient } from '../../src/index.ts'
import { type Answer, type AnsweringServer, startAnsweringServer } from '../support/answering-server.ts'
import { failureOf } from '../support/faulty-network.ts'
import { atEnd } from '../support/server.ts'

const maxResponseBytes = 1_000_000
const token = 'Sup3rS3cretT0ken'

/** 256 MB of zeros in 16 gzip members (RFC 1952 section 2.2 allows several); 256 KB on the wire. */
const member = gzipSync(Buffer.alloc(16 * 1024 * 1024))
const bomb = Buffer.concat(Array.from({ length: 16 }, () => member))

/** The five bytes in front of a message, of gRPC and of Connect's streams. */
function envelope(flags: number, payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, payload])
}

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const index = (copy.length + at) % copy.length
  copy[index] = (copy[index] ?? 0) ^ 0x55
  return copy
}

type Way = 'msgpack single' | 'json single' | 'msgpack session' | 'grpc single' | 'grpc session'

function open(context: TestContext, server: AnsweringServer, way: Way) {
  const [transport, kind] = way.split(' ') as ['json' | 'msgpack' | 'grpc', string]
  const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${server.port}`
  const single = kind === 'single' ? ({ batch: false } as const) : {}
  const client = createClient({ endpoint, transport, timeoutMs: 3000, maxResponseBytes, token, ...single })
  context.after(() => client.close())
  return client
}

/** As each way would send the payload in good order. */
function answerOf(way: Way, payload: Buffer, isGzip: boolean): Answer {
  const encoding = isGzip ? 'gzip' : 'identity'
  if (way.startsWith('grpc')) {
    return {
      headers: { 'content-type': 'application/grpc', 'grpc-encoding': encoding },
      body: envelope(isGzip ? 1 : 0, payload),
      trailers: { 'grpc-status': '0' }
    }
  }
  if (way.endsWith('session')) {
    return {
      headers: { 'content-type': 'application/connect+msgpack', 'connect-content-encoding': encoding },
      body: envelope(isGzip ? 1 : 0, payload)
    }
  }
  const name = way.startsWith('json') ? 'json' : 'msgpack'
  return { headers: { 'content-type': `application/${name}`, 'content-encoding': encoding }, body: payload }
}

const sound = Buffer.from(encode({ repository: 'demo', text: 'x'.repeat(5000) }))
const packed = gzipSync(sound)
const lyingSize = Buffer.concat([packed.subarray(0, -4), Buffer.from([1, 0, 0, 0])])

const ways: Way[] = ['json single', 'msgpack single', 'msgpack session', 'grpc single', 'grpc session']
for (const way of ways) {
  test(`${way}: 256 MB in 256 KB of gzip are resource_exhausted, and are not unpacked`, async (context) => {
    const server = atEnd(context, await startAnsweringServer())
    server.answer = answerOf(way, bomb, true)
    const client = open(context, server, way)
    const before = process.memoryUsage.rss()
    const { error } = await failureOf(client.getRepository('demo'))
    const grown = process.memoryUsage.rss() - before
    assert.equal(error.code, 'resource_exhausted', error.message)
    assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes`)
  })

  const cases: [string, Buffer][] = [
    ['no gzip at all', sound],
    ['a wrong checksum', damaged(packed, -8)],
    ['a wrong size', lyingSize],
    ['damage in the middle', damaged(packed, packed.length >> 1)],
    ['a truncated end', packed.subarray(0, -5)],
    ['gzip in gzip', gzipSync(packed)],
    ['nothing', Buffer.alloc(0)]
  ]
  for (const [name, bytes] of cases) {
    test(`${way}: gzip with ${name} is internal`, async (context) => {
      const server = atEnd(context, await startAnsweringServer())
      server.answer = answerOf(way, bytes, true)
      const { error } = await failureOf(open(context, server, way).getRepository('demo'))
      assert.deepEqual([error.code, error.reason], ['internal', 'malformed_response'], error.message)
    })
  }

  test(`${way}: a redirect is not followed, and the token goes nowhere else`, async (context) => {
    const server = atEnd(context, await startAnsweringServer())
    const elsewhere = atEnd(context, await startAnsweringServer())
    const client = open(context, server, way)
    const targets = [
      `http://127.0.0.1:${elsewhere.port}/`,
      `http://localhost:${elsewhere.port}/`,
      'http://169.254.169.254/latest/meta-data/'
    ]
    for (const [index, status] of [301, 307, 308].entries()) {
      server.answer = { status, headers: { location: targets[index] ?? '' } }
      const { error } = await failureOf(client.getRepository('demo'))
      if (!way.startsWith('grpc'))
        assert.deepEqual([error.code, error.reason], ['failed_precondition', 'redirect_refused'])
      assert.ok(!JSON.stringify([error, error.message, String(error.cause)]).includes(token))
    }
    assert.equal(server.seen[0]?.['authorization'], `Bearer ${token}`)
    assert.equal(elsewhere.seen.length, 0)
  })
}

for (const way of ['json single', 'msgpack single', 'msgpack session'] as const) {
  test(`${way}: an error with a message of 10 MB is not kept, and one below the cap is cut`, async (context) => {
    const server = atEnd(context, await startAnsweringServer())
    const client = open(context, server, way)
    const error = (length: number) => JSON.stringify({ code: 'aborted', message: 'm'.repeat(length) })
    const headers = { 'content-type': 'application/json' }
    for (const [length, code] of [
      [10_000_000, /^(resource_exhausted|unknown)$/],
      [50_000, /^aborted$/]
    ] as const) {
      server.answer = { status: 409, headers, body: Buffer.from(error(length)) }
      const found = (await failureOf(client.getRepository('demo'))).error
      assert.match(found.code, code)
      assert.ok(found.message.length <= 4096 + 100, `${found.message.length}`)
    }
  })
}

test('gRPC: a status with a long message is cut', async (context) => {
  const server = atEnd(context, await startAnsweringServer())
  for (const way of ['grpc single', 'grpc session'] as const) {
    server.answer = {
      headers: { 'content-type': 'application/grpc' },
      trailers: { 'grpc-status': '10', 'grpc-message': 'm'.repeat(20_000) }
    }
    const { error } = await failureOf(open(context, server, way).getRepository('demo'))
    assert.equal(error.code, 'aborted')
    assert.ok(error.message.length <= 4096 + 100)
  }
})

const frames: [string, Buffer, readonly string[]][] = [
  ['a compressed message without an encoding', envelope(1, sound), ['internal']],
  ['a message that says 4 GiB', envelope(0, Buffer.alloc(10), 0xffffffff), ['resource_exhausted']],
  ['a message that is cut short', envelope(0, Buffer.alloc(10), 100), ['internal', 'unavailable']],
  ['half the head of a message', Buffer.from([0, 0, 0]), ['internal', 'unavailable']],
  ['noise for a message', envelope(0, Buffer.alloc(300, 0xff)), ['internal']],
  ['no message', Buffer.alloc(0), ['internal', 'unavailable', 'unimplemented']]
]
for (const way of ['msgpack session', 'grpc single', 'grpc session'] as const) {
  for (const [name, body, codes] of frames) {
    test(`${way}: ${name} is no success`, async (context) => {
      const server = atEnd(context, await startAnsweringServer())
      server.answer = { ...answerOf(way, Buffer.alloc(0), false), body }
      const { error } = await failureOf(open(context, server, way).getRepository('demo'))
      assert.ok(codes.includes(error.code), `${error.code} ${error.message}`)
    })
  }
}
