/** What no protocol can carry in an answer: names of refs that are not UTF-8, and answers that are wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org' }
const named = (text: string) => new Uint8Array(Buffer.from(`refs/heads/${text}`, 'latin1'))
const timeoutMs = 5000

for (const store of ['memory', 'git'] as const) {
  test(`errors that name a ref which is not UTF-8 arrive (${store})`, async (context) => {
    const fixture = atEnd(context, await testServer({ store }))
    for (const transport of transports) {
      const repo = fixture.client({ transport, timeoutMs }).repository(transport)
      await repo.createRepository()
      const { oid } = await repo.commitFiles({ branch: 'main', changes: { a: 'a' }, message: 'm\n', author })
      const { oid: blob } = await repo.storeBlob('b')
      const update = (name: string, newOid: string) => ({ name: named(name), expectedOid: null, newOid })
      await repo.updateRefs([update('caf\xe9', oid)])
      await assert.rejects(repo.updateRefs([update('th\xe9', blob)]), { reason: 'wrong_kind' })
      await assert.rejects(repo.updateRefs([update('caf\xe9/x', oid)]), { reason: 'ref_conflict' })
      await assert.rejects(repo.updateRefs([update('caf\xe9', oid)]), { reason: 'ref_mismatch' })
      const updates = [update('th\xe9', blob)]
      const atomic = await repo.batch([{ updateRefs: { updates } }, { getCommit: {} }], { atomic: true })
      assert.equal(atomic[0].ok, false)
    }
  })
}

for (const store of ['memory', 'git'] as const) {
  test(`a default branch whose name is not UTF-8 is told, and other repositories are listed (${store})`, async (context) => {
    const fixture = atEnd(context, await testServer({ store }))
    for (const transport of transports) {
      const client = fixture.client({ transport, timeoutMs })
      const repo = client.repository(transport)
      await repo.createRepository()
      const { oid: blob } = await repo.storeBlob('x')
      const { oid: tree } = await repo.storeTree([{ path: 'x', mode: '100644', oid: blob }])
      const { oid } = await repo.storeCommit({ tree, author, message: 'm\n' })
      await repo.updateRefs([{ name: named('caf\xe9'), expectedOid: null, newOid: oid }])
      assert.equal((await repo.getCommit()).commit.oid, oid)
      const defaultBranch = 'refs/heads/caf\ufffd'
      assert.equal((await repo.getRepository()).defaultBranch, defaultBranch)
      assert.equal((await repo.createRepository()).defaultBranch, defaultBranch)
      const { repositories } = await client.listRepositories({ prefix: transport })
      assert.deepEqual(
        repositories.map((each) => each.defaultBranch),
        [defaultBranch]
      )
    }
  })
}

test('an answer that cannot be encoded ends its session, and no other call', async (context) => {
  class WrongStore extends MemoryStore {
    override async readRefs(): Promise<never> {
      const mismatch = { path: 'a', rawPath: {} as never, expectedOid: '', foundOid: '' }
      throw new BlobwireError({
        code: 'failed_precondition',
        message: 'wrong',
        details: { pathMismatches: [mismatch] }
      })
    }
  }
  const fixture = atEnd(context, await testServer({ store: new WrongStore() }))
  for (const transport of transports) {
    const repo = fixture.client({ transport, timeoutMs }).repository(transport)
    await repo.createRepository()
    await assert.rejects(repo.getCommit('main'), (error: BlobwireError) => error.code !== 'deadline_exceeded')
    const { oid } = await repo.storeBlob('x')
    assert.deepEqual(await repo.findMissing([oid]), { missing: [] })
  }
})
