/** Frames of several repositories and headers of operations, from the client's call to the service. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { CallContext } from '../../server-fixture/service/context.ts'
import type { SessionBatch, VcsService } from '../../server-fixture/service/vcs-service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { BlobwireError, Repository } from '../../src/index.ts'
import { blobOid } from '../support/faulty-network.ts'
import { RawSession } from '../support/raw-session.ts'
import { atEnd, testServer } from '../support/server.ts'

interface Seen {
  readonly repository: string
  readonly content: string
  readonly headers: unknown
}

/** A service that notes each operation of a frame with its headers. */
function recording(seen: Seen[]): (service: VcsService) => VcsService {
  return (service) => ({
    limits: service.limits,
    capabilities: () => service.capabilities(),
    call: (method, request, context) => service.call(method, request, context),
    upload: (opening, context) => service.upload(opening, context),
    download: (request, context) => service.download(request, context),
    watch: (request, sink, context) => service.watch(request, sink, context),
    sessionBatch(batch: SessionBatch, context: CallContext) {
      batch.operations.forEach(({ storeBlob }, index) => {
        const content = Buffer.from(storeBlob?.content ?? []).toString()
        seen.push({ repository: batch.repository, content, headers: { ...context.headersOf?.(index) } })
      })
      return service.sessionBatch(batch, context)
    }
  })
}

/** A store that holds back whatever is asked of one repository. */
class GatedStore extends MemoryStore {
  readonly gate = Promise.withResolvers<void>()
  gated = ''

  override async getRepository(repository: string) {
    if (repository === this.gated) await this.gate.promise
    return super.getRepository(repository)
  }
}

async function fixtureOf(context: TestContext, transport: 'json' | 'msgpack' | 'grpc') {
  const seen: Seen[] = []
  const store = new GatedStore()
  const fixture = atEnd(context, await testServer({ store, decorate: recording(seen) }))
  const client = fixture.client({ transport, headers: { 'x-team': 'docs' }, retry: { maxAttempts: 1 } })
  for (const name of ['x', 'y', 'z']) await client.createRepository(name)
  const [x, y, z] = ['x', 'y', 'z'].map((name) => client.repository(name)) as [Repository, Repository, Repository]
  return { seen, store, fixture, client, x, y, z }
}

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  describe(transport, () => {
    test('headers reach the service with their operation, in one frame with those of other repositories', async (context) => {
      const { seen, client, x, y, z } = await fixtureOf(context, transport)
      await x.storeBlob('warm')
      seen.length = 0
      const before = client.stats()
      await Promise.all([
        x.storeBlob('a', { headers: { traceparent: '00-1-a-01', 'X-Tenant': 'acme "1"' } }),
        x.storeBlob('b'),
        y.storeBlob('c', { headers: { traceparent: '00-1-c-01' } }),
        z.storeBlob('d', { headers: { traceparent: '00-1-c-01', 'x-team': 'other' } })
      ])
      assert.deepEqual(seen, [
        { repository: 'x', content: 'a', headers: { traceparent: '00-1-a-01', 'x-tenant': 'acme "1"' } },
        { repository: 'x', content: 'b', headers: {} },
        { repository: 'y', content: 'c', headers: { traceparent: '00-1-c-01' } },
        { repository: 'z', content: 'd', headers: { traceparent: '00-1-c-01', 'x-team': 'other' } }
      ])
      const after = client.stats()
      assert.deepEqual([after.frames - before.frames, after.requests - before.requests], [1, 0])
    })

    test("the x-request-id of an operation is that of its error, others have their session's", async (context) => {
      const { x } = await fixtureOf(context, transport)
      const missing = '1'.repeat(40)
      const ends = await Promise.allSettled([
        x.getBlob(missing, { headers: { 'x-request-id': 'mine' } }),
        x.getBlob(missing)
      ])
      const ids = ends.map((end) => ((end as PromiseRejectedResult).reason as BlobwireError).requestId)
      assert.equal(ids[0], 'mine')
      assert.match(ids[1] ?? '', /-\d+$/, "the client's id of the session")
    })

    test('a repository that is blocked holds up neither the others of its frame nor later frames', async (context) => {
      const { store, x, y } = await fixtureOf(context, transport)
      store.gated = 'x'
      let isBlocked = true
      const held = [x.storeBlob('a'), x.storeBlob('b')]
      for (const call of held) call.finally(() => (isBlocked = false))
      assert.equal((await y.storeBlob('c')).oid, blobOid('c'))
      for (let round = 0; round < 10; round++) {
        held.push(x.storeBlob(`x${round}`))
        await y.storeBlob(`y${round}`)
      }
      assert.equal(isBlocked, true)
      store.gate.resolve()
      const oids = (await Promise.all(held)).map(({ oid }) => oid)
      assert.deepEqual(oids.slice(0, 3), ['a', 'b', 'x0'].map(blobOid))
    })

    test('a cancelled operation leaves the others of its frame alone', async (context) => {
      const { store, x, y } = await fixtureOf(context, transport)
      store.gated = 'x'
      const controller = new AbortController()
      const headers = { traceparent: '1' }
      const calls = [x.storeBlob('a', { headers, signal: controller.signal }), x.storeBlob('b', { headers })]
      await y.storeBlob('c', { headers })
      controller.abort()
      await assert.rejects(calls[0] as Promise<unknown>, { code: 'cancelled' })
      store.gate.resolve()
      assert.equal((await calls[1])?.oid, blobOid('b'))
    })
  })
}

const operation = { storeBlob: { content: Buffer.from('a') } }

/** A frame of one operation in each of two repositories. */
function framed(firstId: number, lists: object[], numbers: number[] = []): object {
  const batch = (repository: string, id: number) => ({ repository, firstId: id, operations: [operation] })
  const batches = [{ ...batch('x', firstId), headerLists: numbers }, batch('y', firstId + 1)]
  return { batches: { headerLists: lists, batches } }
}

const list = (...headers: [string, string][]) => ({ headers: headers.map(([name, value]) => ({ name, value })) })

test('header lists that a request could not have refuse their whole frame, and the session goes on', async (context) => {
  const { seen, fixture } = await fixtureOf(context, 'msgpack')
  const session = new RawSession(fixture.server.http)
  const bad: [object[], number[]][] = [
    [[list(['authorization', 'Bearer x'])], [1]],
    [[list(['Authorization', 'Bearer x'])], []],
    [[list(['grpc-timeout', '1S'])], [1]],
    [[list([':path', '/'])], [1]],
    [[list(['x y', '1'])], [1]],
    [[list(['', '1'])], [1]],
    [[list(['x-a', 'line\nfeed'])], [1]],
    [[list(['x-a', '1'], ['x-a', '2'])], [1]],
    [[list(['x-a', '1'])], [2]],
    [[], [1]],
    [[list(['x-a', '1'])], [1, 1]]
  ]
  for (const [index, [lists, numbers]] of bad.entries()) session.send(framed(1 + 2 * index, lists, numbers))
  session.send(framed(101, [list(['x-a', '1'])], [1]))
  const ids = bad.flatMap((_frame, index) => [1 + 2 * index, 2 + 2 * index])
  while (session.results.size < ids.length + 2) await session.received(session.messages.length + 1)
  for (const id of ids) assert.equal(session.results.get(id), 'invalid_argument', `id ${id}`)
  assert.deepEqual([session.results.get(101), session.results.get(102)], [blobOid('a'), blobOid('a')])
  assert.deepEqual(
    seen.map(({ headers }) => headers),
    [{ 'x-a': '1' }, {}],
    'nothing else was carried out'
  )
  session.stream.close()
})

test('a frame with more operations than a batch may have is refused, whatever its batches have', async (context) => {
  const fixture = atEnd(context, await testServer({ limits: { maxBatchOperations: 3 } }))
  for (const name of ['x', 'y']) await fixture.client().createRepository(name)
  const session = new RawSession(fixture.server.http)
  const batch = (repository: string, firstId: number) => ({ repository, firstId, operations: [operation, operation] })
  session.send({ batches: { batches: [batch('x', 1), batch('y', 3)] } })
  while (session.results.size < 4) await session.received(session.messages.length + 1)
  assert.deepEqual([...session.results.values()], Array(4).fill('resource_exhausted'))
  session.stream.close()
  const client = fixture.client()
  const calls = ['x', 'x', 'y', 'y', 'y'].map((name, index) => client.storeBlob(name, `content ${index}`))
  assert.equal(new Set((await Promise.all(calls)).map(({ oid }) => oid)).size, 5, 'the client sends them again')
})

for (const [what, batches] of [
  ['no batch', []],
  ['an empty batch', [{ repository: 'x', firstId: 1, operations: [] }]],
  [
    'ids with a gap',
    [
      { repository: 'x', firstId: 1, operations: [operation] },
      { repository: 'y', firstId: 3, operations: [operation] }
    ]
  ],
  [
    'ids twice',
    [
      { repository: 'x', firstId: 1, operations: [operation] },
      { repository: 'y', firstId: 1, operations: [operation] }
    ]
  ]
] as const) {
  test(`a frame of several batches with ${what} ends the session with invalid_argument`, async (context) => {
    const { fixture } = await fixtureOf(context, 'msgpack')
    const session = new RawSession(fixture.server.http)
    session.send({ batches: { batches } })
    const end = (await session.all()).at(-1)
    assert.deepEqual([end?.flags, end?.value.error.code], [2, 'invalid_argument'])
  })
}

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: calls with tokens of their own reach the server as their owners, on one session each`, async (context) => {
    const grants = ['main', 'guest'].map((token) => {
      return { token, access: token === 'main' ? ('write' as const) : ('read' as const), repositories: ['*'] }
    })
    const fixture = atEnd(context, await testServer({ grants }))
    const client = fixture.client({ transport, token: 'main', retry: { maxAttempts: 1 } })
    await client.createRepository('demo')
    const { oid } = await client.storeBlob('demo', 'a')
    await assert.rejects(client.storeBlob('demo', 'b', { token: 'guest' }), { code: 'permission_denied' })
    assert.equal((await client.getBlob('demo', oid, { token: 'guest' })).content.length, 1)
    await assert.rejects(client.getBlob('demo', oid, { token: 'nobody' }), { code: 'unauthenticated' })
    await assert.rejects(client.getBlob('demo', oid, { token: 'line\nfeed' }), (error: BlobwireError) => {
      return error.code === 'invalid_argument' && !error.message.includes('feed')
    })
    const { sessions, unframed } = client.stats()
    assert.deepEqual([sessions, unframed.tokens], [3, 0], 'main, guest, and one that was refused')
  })
}
