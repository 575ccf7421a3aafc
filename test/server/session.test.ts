/** The session's bytes by hand: MessagePack over node:http2. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { encode } from '@msgpack/msgpack'
import { blobOid } from '../support/faulty-network.ts'
import { frameOf, RawSession } from '../support/raw-session.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { BlockingStore, SlowStore } from '../support/stores.ts'
import { settlesWithin, startCpuClock } from '../support/until.ts'
import { badZstd } from '../support/zstd.ts'

let fixture: TestServer
before(async () => {
  fixture = await testServer({ limits: { maxBatchBytes: 1 << 20, maxBatchOperations: 100 } })
  await fixture.client().createRepository('demo')
})
after(() => fixture[Symbol.asyncDispose]())

const open = (headers = {}) => new RawSession(fixture.server.http, headers)

test('the first message is empty and confirms the session; frames are answered by their ids', async () => {
  const session = open()
  const [greeting] = await session.received(1)
  assert.deepEqual([session.status, session.contentType], [200, 'application/connect+msgpack'])
  assert.deepEqual([greeting?.flags, greeting?.value.results ?? []], [0, []])
  session.send(frameOf(7, ['a', 'b']))
  session.send(frameOf(100, ['c']))
  await session.received(3)
  session.stream.end()
  const messages = await session.all()
  assert.deepEqual(messages.at(-1), { flags: 2, value: {}, bytes: 2 })
  assert.deepEqual(
    [...session.results].sort(([a], [b]) => a - b),
    [
      [7, blobOid('a')],
      [8, blobOid('b')],
      [100, blobOid('c')]
    ]
  )
})

test('half-close answers everything that was sent before it', async () => {
  const session = open()
  for (let frame = 0; frame < 50; frame++) session.send(frameOf(frame * 10, [`x${frame}`, `y${frame}`]))
  session.stream.end()
  const messages = await session.all()
  assert.deepEqual(messages.at(-1)?.value, {})
  assert.equal(session.results.size, 100)
  assert.equal(session.results.get(491), blobOid('y49'))
})

test('an error of a whole frame fails each of its operations, and the session goes on', async () => {
  const session = open()
  session.send(frameOf(1, ['a'], 'nowhere'))
  session.send(frameOf(10, ['a'], '../x'))
  session.send(frameOf(20, Array(101).fill('a')))
  session.send(frameOf(200, ['a']))
  await session.received(5)
  const { results } = session
  assert.deepEqual(
    [results.get(1), results.get(10), results.get(20), results.get(120), results.get(200)],
    ['not_found', 'invalid_argument', 'resource_exhausted', 'resource_exhausted', blobOid('a')]
  )
  session.stream.close()
})

test('gzip, both ways: flagged frames are decompressed, and answers above 64 KiB are compressed where the client accepts that', async () => {
  const content = 'all work and no play '.repeat(5000)
  const { oid } = await fixture.client().storeBlob('demo', content)
  for (const asks of [true, false]) {
    const session = open({ 'connect-content-encoding': 'gzip', ...(asks ? { 'connect-accept-encoding': 'gzip' } : {}) })
    session.send(frameOf(1, [content]), 1)
    session.send(frameOf(2, ['not compressed']))
    session.send({ batch: { repository: 'demo', firstId: 3, operations: [{ getBlob: { oid } }] } }, 1)
    session.stream.end()
    const messages = await session.all()
    assert.equal(session.encoding, asks ? 'gzip' : undefined)
    assert.equal(session.results.get(1), oid)
    assert.equal(session.results.get(2), blobOid('not compressed'))
    const answer = messages.find(({ value }) => value.results?.some(({ id }: { id: number }) => id === 3))
    assert.equal(Buffer.from(answer?.value.results[0].result.getBlob.content).toString(), content)
    assert.equal(answer?.flags, asks ? 1 : 0)
    assert.ok(asks ? (answer?.bytes ?? 0) < 10_000 : (answer?.bytes ?? 0) > 100_000)
  }
})

test('zstd and deflate: frames by the encoding of the stream, or zstd in one of gzip; answers as the client accepts them', async () => {
  const content = 'all work and no play '.repeat(5000)
  const { oid } = await fixture.client().storeBlob('demo', content)
  const read = { batch: { repository: 'demo', firstId: 3, operations: [{ getBlob: { oid } }] } }
  const cases = [
    { declared: 'gzip', sent: 'zstd', accepts: 'gzip, zstd', answered: 'zstd' },
    { declared: 'zstd', sent: 'zstd', accepts: 'zstd;q=0, gzip', answered: 'gzip' },
    { declared: 'deflate', sent: 'deflate', accepts: 'deflate', answered: undefined }
  ] as const
  for (const { declared, sent, accepts, answered } of cases) {
    const session = open({ 'connect-content-encoding': declared, 'connect-accept-encoding': accepts })
    session.send(frameOf(1, [content]), 1, sent)
    session.send(read, 1, sent)
    session.stream.end()
    const messages = await session.all()
    assert.equal(session.encoding, answered)
    assert.equal(session.results.get(1), oid)
    const answer = messages.find(({ value }) => value.results?.some(({ id }: { id: number }) => id === 3))
    assert.equal(Buffer.from(answer?.value.results[0].result.getBlob.content).toString(), content)
    assert.equal(answer?.flags, answered ? 1 : 0)
  }
  const unknown = open({ 'connect-content-encoding': 'br' })
  await unknown.all()
  assert.equal(unknown.status, 501)
})

const garbage: [name: string, send: (session: RawSession) => void, code: string][] = [
  ['not MessagePack', (session) => session.sendBytes(Buffer.from('c1', 'hex')), 'invalid_argument'],
  ['an empty message', (session) => session.sendBytes(Buffer.alloc(0)), 'invalid_argument'],
  ['neither batch nor cancel', (session) => session.send({}), 'invalid_argument'],
  ['a batch of nothing', (session) => session.send(frameOf(1, [])), 'invalid_argument'],
  ['unknown flags', (session) => session.send(frameOf(1, ['a']), 4), 'invalid_argument'],
  ['an end-stream message', (session) => session.send({}, 2), 'invalid_argument'],
  ['what is not gzip', (session) => session.sendBytes(Buffer.from('hello'), 1), 'invalid_argument'],
  ...Object.entries(badZstd(encode(frameOf(1, ['a'])))).map(([what, bytes]): (typeof garbage)[number] => [
    `zstd: ${what}`,
    (session) => session.sendBytes(bytes, 1),
    'invalid_argument'
  ]),
  ['a zstd bomb', (session) => session.send(frameOf(1, ['x'.repeat(5 << 20)]), 1, 'zstd'), 'resource_exhausted'],
  ['the compressed flag without an encoding', (session) => session.send(frameOf(1, ['a']), 1), 'invalid_argument'],
  [
    'a large declared length',
    (session) => session.stream.write(Buffer.from('0000100001', 'hex')),
    'resource_exhausted'
  ],
  ['a huge declared length', (session) => session.stream.write(Buffer.from('00ffffffff', 'hex')), 'resource_exhausted'],
  ['a gzip bomb', (session) => session.send(frameOf(1, ['x'.repeat(5 << 20)]), 1), 'resource_exhausted'],
  [
    'an id beyond 2^53',
    (session) => session.send({ batch: { repository: 'demo', firstId: 2 ** 53 - 1, operations: [{}, {}] } }),
    'invalid_argument'
  ],
  ['nesting without end', (session) => session.sendBytes(Buffer.alloc(100_000, 0x91)), 'invalid_argument']
]

for (const [name, send, code] of garbage) {
  test(`${name} ends that session with ${code}, and no other`, async () => {
    const other = open()
    await other.received(1)
    const encoding = name.startsWith('the compressed flag') ? {} : { 'connect-content-encoding': 'gzip' }
    const session = open(encoding)
    await session.received(1)
    send(session)
    const messages = await session.all()
    const last = messages.at(-1)
    assert.equal(last?.flags, 2)
    assert.equal(last?.value.error?.code, code, JSON.stringify(last?.value))
    other.send(frameOf(1, ['still here']))
    await other.received(2)
    assert.equal(other.results.get(1), blobOid('still here'))
    other.stream.close()
  })
}

test('a stream that ends in the middle of a frame ends with an error', async () => {
  const session = open()
  await session.received(1)
  session.stream.end(Buffer.from('00000000ff01', 'hex'))
  assert.equal((await session.all()).at(-1)?.value.error?.code, 'invalid_argument')
})

test('an unknown compression is refused before the session begins', async () => {
  const session = open({ 'connect-content-encoding': 'br' })
  await session.all()
  assert.equal(session.status, 501)
})

/** A server whose reads are blocked until the test releases them. */
async function blockedServer(context: { after(callback: () => Promise<void>): void }) {
  const store = new BlockingStore()
  await store.createRepository('demo', 'sha1')
  const blocked = await testServer({ store })
  context.after(async () => {
    store.release()
    await blocked[Symbol.asyncDispose]()
  })
  return { store, blocked }
}

test('cancel: operations that have not begun are answered with cancelled, once each; unknown ids are ignored', async (context) => {
  const { store, blocked } = await blockedServer(context)
  const session = new RawSession(blocked.server.http)
  await session.received(1)
  session.send(frameOf(1, ['a', 'b', 'c']))
  session.send({ cancel: { ids: [2, 99, 0] } })
  session.send({ cancel: { ids: [2] } })
  session.send(frameOf(10, ['d']))
  session.send({ cancel: { ids: [10] } })
  session.stream.end()
  // Its answer says that all of it has been read.
  await new Promise<void>((resolve) => session.connection.ping(() => resolve()))
  store.release()
  await session.all()
  const { results } = session
  assert.deepEqual(
    [...results.keys()].sort((a, b) => a - b),
    [1, 2, 3, 10]
  )
  assert.deepEqual([results.get(1), results.get(2), results.get(3)], [blobOid('a'), 'cancelled', blobOid('c')])
  assert.equal(results.get(10), 'cancelled')
})

test('an id in flight may not be used again', async (context) => {
  const { blocked } = await blockedServer(context)
  const session = new RawSession(blocked.server.http)
  await session.received(1)
  session.send(frameOf(1, ['a', 'b']))
  session.send(frameOf(2, ['c']))
  assert.equal((await session.all()).at(-1)?.value.error?.code, 'invalid_argument')
})

test('frames are answered in the order in which they are done', async (context) => {
  const { store, blocked } = await blockedServer(context)
  const session = new RawSession(blocked.server.http)
  await session.received(1)
  session.send(frameOf(1, ['slow']))
  session.send(frameOf(2, ['refused'], '../x'))
  await session.received(2)
  assert.deepEqual([...session.results.keys()], [2])
  store.release()
  session.stream.end()
  await session.all()
  assert.equal(session.results.size, 2)
})

test('frames that were cancelled do not keep others from being begun', async (context) => {
  const { blocked } = await blockedServer(context)
  const session = new RawSession(blocked.server.http)
  await session.received(1)
  for (let id = 1; id <= 200; id++) session.send(frameOf(id, ['x']))
  session.send(frameOf(1000, ['refused'], '../x'))
  await new Promise<void>((resolve) => session.connection.ping(() => resolve()))
  assert.equal(session.results.size, 0, 'it waits: so many are not carried out at once')
  session.send({ cancel: { ids: Array.from({ length: 200 }, (_, index) => index + 1) } })
  await session.received(2)
  assert.equal(session.results.get(1000), 'invalid_argument')
})

test('a server that drains ends a session in good order, however much its client goes on sending', async (context) => {
  const store = new SlowStore()
  await store.createRepository('demo', 'sha1')
  const slow = atEnd(context, await testServer({ store }))
  const session = new RawSession(slow.server.http)
  await session.received(1)
  let id = 0
  const sender = setInterval(() => {
    if (!session.stream.writableEnded && !session.closed) session.send(frameOf(++id, ['x']))
  }, 2)
  context.after(() => clearInterval(sender))
  await session.received(10)
  await slow.server.close()
  const messages = await session.all()
  assert.deepEqual(messages.at(-1), { flags: 2, value: {}, bytes: 2 })
  const answered = [...session.results.keys()]
  assert.deepEqual(
    answered,
    Array.from({ length: answered.length }, (_, index) => index + 1),
    'in order, no gap'
  )
})

test('the server drains without waiting for a client that vanished', async (context) => {
  const { store, blocked } = await blockedServer(context)
  const session = new RawSession(blocked.server.http)
  await session.received(1)
  session.send(frameOf(1, ['a']))
  await new Promise<void>((resolve) => session.connection.ping(() => resolve()))
  session.connection.destroy()
  await session.all()
  store.release()
  // The server cuts off after 8 s the connections that it waits for.
  await settlesWithin(blocked.server.close(), 7000)
})

test('a long list of cancels over many frames is not more work than both together', async (context) => {
  const { blocked } = await blockedServer(context)
  const session = new RawSession(blocked.server.http)
  await session.received(1)
  for (let id = 1; id <= 10_000; id++) session.send(frameOf(id, ['x']))
  session.sendBytes(encode({ cancel: { ids: Array.from({ length: 200_000 }, (_, index) => 20_000 + index) } }))
  const cpuMs = startCpuClock()
  // Everything before the PING has been read when it is answered.
  await new Promise<void>((resolve) => session.connection.ping(() => resolve()))
  assert.ok(cpuMs() < 3000, `${cpuMs()} ms`)
  session.stream.close()
})
