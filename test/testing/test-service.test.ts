/** Clients without sockets: the same calls, faults, deadlines and effects as over the network. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { BlobwireError } from '../../src/index.ts'
import { createTestClient, createTestService, Faults, startTestServer } from '../../testing/index.ts'
import { atEnd } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org' }
const noDelay = { baseMs: 1, maxMs: 1 }

describe('a client without sockets', () => {
  for (const transport of ['json', 'msgpack'] as const) {
    for (const batch of [undefined, false] as const) {
      test(`${transport}, ${batch === false ? 'each call a request' : 'on a session'}`, async (context) => {
        const client = atEnd(context, createTestClient({ transport, ...(batch === false ? { batch } : {}) }))
        await client.createRepository('demo')
        const repo = client.repository('demo')
        const { oid } = await repo.commitFiles({ branch: 'main', changes: { a: 'one\n' }, message: 'm', author })
        assert.equal((await repo.getCommit('main')).commit.oid, oid)
        assert.deepEqual(await Promise.all([repo.storeBlob('x'), repo.storeBlob('x')]).then((all) => all.length), 2)
        assert.equal(client.stats().sessions, batch === false ? 0 : 1)
        await assert.rejects(repo.getBlob('f'.repeat(40)), (error) => {
          assert(error instanceof BlobwireError)
          assert.deepEqual([error.code, error.transport, error.endpoint], ['not_found', transport, 'http://in-memory'])
          return true
        })
      })
    }
  }

  test('a lost answer is repeated, and has one effect', async (context) => {
    const service = atEnd(
      context,
      createTestService({
        faults: [{ rpc: 'StoreBlob', count: 1, fault: { kind: 'lost_answer' } }]
      })
    )
    const client = service.client({ retry: noDelay })
    await client.createRepository('demo')
    await client.storeBlob('demo', 'hello\n')
    assert.deepEqual([service.faults.fired('lost_answer'), service.faults.carriedOut('StoreBlob')], [1, 2])
    assert.deepEqual(
      service.effects.map(({ kind }) => kind),
      ['repository_created', 'object']
    )
  })

  const faults = ['reset', 'truncate', 'refuse'] as const
  for (const kind of faults) {
    test(`${kind}: the next attempt succeeds, of a request and of a session`, async (context) => {
      for (const batch of [true, false]) {
        const rpc = kind === 'refuse' && batch ? 'Session' : 'StoreBlob'
        const service = atEnd(context, createTestService({ faults: [{ rpc, count: 1, fault: { kind } }] }))
        const client = service.client({ retry: noDelay, ...(batch ? {} : { batch: false }) })
        await client.createRepository('demo')
        await client.storeBlob('demo', 'hello\n')
        assert.equal(service.faults.fired(kind), 1)
      }
    })
  }

  for (const kind of ['corrupt', 'bad_gzip'] as const) {
    test(`${kind}: an answer that cannot be read is told of`, async (context) => {
      const faults = [{ rpc: 'StoreBlob', fault: { kind } }]
      const client = atEnd(context, createTestClient({ batch: false, retry: noDelay, service: { faults } }))
      await client.createRepository('demo')
      await assert.rejects(client.storeBlob('demo', 'x'), { reason: 'malformed_response', sent: 'processed' })
    })
  }

  test('an answer of a proxy', async (context) => {
    const fault = { kind: 'http_status', status: 403 } as const
    const client = atEnd(context, createTestClient({ batch: false, service: { faults: [{ rpc: '*', fault }] } }))
    await assert.rejects(client.createRepository('demo'), { code: 'permission_denied', sent: 'processed' })
  })

  test('silence lasts until the deadline', async (context) => {
    for (const batch of [true, false]) {
      const service = atEnd(context, createTestService({ faults: [{ rpc: 'StoreBlob', fault: { kind: 'silence' } }] }))
      const client = service.client(batch ? {} : { batch: false })
      await client.createRepository('demo')
      await assert.rejects(client.storeBlob('demo', 'x', { timeoutMs: 20 }), { code: 'deadline_exceeded' })
      assert.equal(service.faults.carriedOut('StoreBlob'), 0)
    }
  })

  test('a call that the caller gives up has no effect later', async (context) => {
    const fault = { kind: 'delay', ms: 20 } as const
    const service = atEnd(context, createTestService({ faults: [{ rpc: 'CreateRepository', fault }] }))
    const client = service.client({ batch: false })
    const controller = new AbortController()
    const given = client.createRepository('given-up', { signal: controller.signal })
    const kept = client.createRepository('kept')
    while (service.faults.fired('delay') < 2) await new Promise(setImmediate)
    controller.abort()
    await assert.rejects(given, { code: 'cancelled' })
    // The delays are equally long: that of the first call is over before the second call's.
    await kept
    assert.deepEqual(
      service.effects.map(({ repository }) => repository),
      ['kept']
    )
  })

  test('large blobs go on after a cut, both ways', async (context) => {
    const cut = { kind: 'cut', afterBytes: 100_000 } as const
    const service = atEnd(
      context,
      createTestService({
        faults: [
          { rpc: 'UploadBlob', count: 1, fault: cut },
          { rpc: 'DownloadBlob', count: 1, fault: cut }
        ]
      })
    )
    const client = service.client({ retry: noDelay })
    await client.createRepository('demo')
    const content = randomBytes(2_500_000)
    const { oid, size } = await client.upload('demo', content)
    assert.equal(size, content.length)
    const hash = createHash('sha256')
    for await (const chunk of client.download('demo', oid)) hash.update(chunk)
    assert.equal(hash.digest('hex'), createHash('sha256').update(content).digest('hex'))
    assert.equal(service.faults.fired('cut'), 2)
    const failing = async function* () {
      yield content
      throw new Error('the disk is gone')
    }
    await assert.rejects(client.upload('demo', failing()), /the disk is gone/)
  })

  test('a watch tells of moves, and grants and limits count', async (context) => {
    const service = atEnd(
      context,
      createTestService({
        grants: [
          { token: 'writer', access: 'write', repositories: ['*'] },
          { token: 'reader', access: 'read', repositories: ['*'] }
        ],
        limits: { maxBatchBytes: 1024 * 1024 }
      })
    )
    const writer = service.client({ token: 'writer' })
    const reader = service.client({ token: 'reader' })
    await writer.createRepository('demo')
    const watch = reader.repository('demo').watch()
    assert.equal((await watch.next()).value?.kind, 'start')
    const first = watch.next()
    const { oid } = await writer.commitFiles('demo', { branch: 'main', changes: { a: 'a' }, message: 'm', author })
    const { value } = await first
    assert.match(JSON.stringify(value), new RegExp(oid))
    await watch.return()
    await assert.rejects(reader.storeBlob('demo', 'x'), { code: 'permission_denied' })
    for (const batch of [{}, { batch: false } as const]) {
      await assert.rejects(service.client(batch).storeBlob('demo', 'x'), { reason: 'no_token' })
    }
    assert.equal((await reader.getCapabilities()).limits.maxBatchBytes, 1024 * 1024)
  })

  test('a closed service takes no calls, a wrong rule and gRPC are told of', async () => {
    const service = createTestService()
    const client = service.client({ transport: 'grpc' })
    await assert.rejects(client.createRepository('demo'), { reason: 'no_grpc' })
    await service.close()
    await assert.rejects(service.client({ retry: false }).createRepository('demo'), { reason: 'refused' })
    assert.throws(() => createTestService({ faults: [{ rpc: 'Nothing', fault: { kind: 'refuse' } }] }), /rule\.rpc/)
  })
})

test('a server of a test has faults, effects and clients over each transport', async (context) => {
  const server = atEnd(context, await startTestServer({ faults: new Faults({ seed: 7 }) }))
  for (const transport of ['msgpack', 'grpc'] as const) {
    const client = server.client({ transport, retry: noDelay })
    server.faults.add({ rpc: 'CreateRepository', count: 1, fault: { kind: 'reset' } })
    await client.createRepository(transport)
    assert.equal(client.stats().sessions, 0)
  }
  assert.equal(server.faults.fired('reset'), 2)
  assert.deepEqual(
    server.effects.map(({ repository }) => repository),
    ['msgpack', 'grpc']
  )
})
