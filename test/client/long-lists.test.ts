/** Lists of changes too long for one request, under a key of the caller's: repeated by another process, they are one commit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { RequestInterceptor } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org' }
const commit = { branch: 'main', message: 'm\n', author }
const changes = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`dir-${index % 7}/${index}`, `${index}`]))
const limits = { maxBatchBytes: 16 * 1024, maxBatchOperations: 50 }
const requestKey = 'import-7'
const reused = { code: 'invalid_argument', reason: 'request_key_reused' }

for (const [at, store] of (['memory', 'git'] as const).entries()) {
  for (const [index, transport] of transports.entries()) {
    // Both with each store and with each transport.
    const isExpected = (index + at) % 2 === 0
    const head = isExpected ? 'with an expected head' : 'on the head that is found'
    test(`a job that is started again, ${head}: one commit, and its answer (${store}, ${transport})`, async (context) => {
      const faults = new Faults()
      const fixture = atEnd(context, await testServer({ store, limits, faults }))
      let onTrees = 0
      const request: RequestInterceptor = (one, next) => {
        if (one.method === 'commitFiles' && one.message.baseTree) onTrees++
        return next(one)
      }
      const connect = async () => {
        const client = fixture.client({ transport, interceptors: [{ request }] })
        await client.getCapabilities()
        return client.repository('demo')
      }
      const dying = fixture.client({ transport, retry: { maxAttempts: 1 }, batch: false })
      await dying.getCapabilities()
      const repo = await connect()
      await repo.createRepository()
      const { oid } = await repo.commitFiles({ ...commit, changes: { 'to/move': 'x' } })
      const moved = { ...changes, moved: { moveFrom: 'to/move' }, new: { content: 'y', expectedOid: null } }
      const job = { ...commit, changes: moved, ...(isExpected && { expectedHead: oid }) }
      // The process dies before it has its answer.
      faults.add({ rpc: 'CommitFiles', count: 1, fault: { kind: 'lost_answer' } })
      await assert.rejects(dying.commitFiles('demo', job, { requestKey }), { code: 'unavailable', sent: 'maybe' })
      const made = (await repo.getCommit('main')).commit.oid
      await repo.commitFiles({ ...commit, changes: { later: '' } })

      const first = await (await connect()).commitFiles(job, { requestKey })
      assert.deepEqual([first.oid, first.parents], [made, [oid]])
      const backwards = Object.fromEntries(Object.entries(moved).reverse())
      assert.deepEqual(await (await connect()).commitFiles({ ...job, changes: backwards }, { requestKey }), first)
      assert.equal(onTrees, 2, 'the list is too long for one request')
      assert.equal((await repo.listCommits({ revision: 'main' })).commits.length, 3)
      for (const other of [
        { ...job, message: 'n\n' },
        { ...job, changes: { ...moved, more: '' } }
      ]) {
        await assert.rejects((await connect()).commitFiles(other, { requestKey }), reused)
      }
    })
  }
}

test('a job that lost a race in its first process goes on where that process was', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const others = fixture.client().repository('demo')
  await others.createRepository()
  await others.commitFiles({ ...commit, changes: { first: '' } })
  let races = 1
  const racing = fixture.client({
    interceptors: [
      {
        async request(one, next) {
          if (one.method === 'commitFiles' && one.message.baseTree && races-- > 0)
            await others.commitFiles({ ...commit, changes: { theirs: '' } })
          return next(one)
        }
      }
    ]
  })
  const made = await racing.commitFiles('demo', { ...commit, changes }, { requestKey })
  assert.equal(races, -1)
  await others.commitFiles({ ...commit, changes: { later: '' } })
  assert.deepEqual(await fixture.client().commitFiles('demo', { ...commit, changes }, { requestKey }), made)
  assert.equal((await others.listCommits({ revision: 'main' })).commits.length, 4)
})
