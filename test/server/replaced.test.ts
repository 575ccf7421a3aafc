/** What a server remembers of a repository that another server deletes, and makes again under the same name. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { PipelinedDatabase } from '../../server-fixture/store/postgres/database/pipelined-database.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { hashObject, type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { newCommit, newObject } from '../store/support.ts'
import { newDatabase } from '../support/database.ts'
import { repository, serverOn } from '../support/services.ts'

const urls = [await newDatabase()]
const one = await PostgresStore.open({ urls })
const other = await PostgresStore.open({ urls })
const call = serverOn(one)
const service = new Service(one, { serverVersion: '0', onInternalError: (error) => assert.fail(`${error}`) })
const caller = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }
after(async () => {
  await one.close()
  await other.close()
})

/** The other server deletes the repository, if it is there, and makes it again. */
async function replace(format: ObjectFormat = 'sha1'): Promise<void> {
  await other.deleteRepository(repository)
  await other.createRepository(repository, format)
}

/** A server on a store that replaces the repository once, right after this method was answered for the first time. */
function replacedAfter(method: 'hasObjects' | 'startWrite' | 'readRefs' | 'getRepository') {
  let replacing: Promise<void> | undefined
  const store = new Proxy<Store>(one, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      if (key !== method) return value.bind(target)
      return async (...values: unknown[]) => {
        const answer: unknown = await value.apply(target, values)
        replacing ??= replace()
        await replacing
        return answer
      }
    }
  })
  return serverOn(store)
}

const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000, zone: '+0000' }
const commit = (changes: Partial<Messages['FileChange']>[], fields: Partial<Messages['CommitFilesRequest']> = {}) =>
  ({
    ...{ branch: 'main', expectedHead: '', author, message: 'm', baseTree: '', prepare: false },
    ...{ commitObject: new Uint8Array(0), ...fields },
    changes: changes.map((change) => ({ path: 'dir/f', mode: '', oid: '', ...change }))
  }) as Messages['CommitFilesRequest']
const text = (content: string) => Buffer.from(content)
const missing = { code: 'failed_precondition', reason: 'missing_object' }
const isThere = async (oid: string) => (await other.hasObjects(repository, [oid]))[0] !== undefined
const batch = async (operations: object[], atomic = false) =>
  (await call('BatchOperations', { operations: operations as Messages['Operation'][], atomic })).results

test('trees and walks of the repository that was there before are no answer', async () => {
  await replace()
  const { tree, oid } = await call('CommitFiles', commit([{ content: text('1') }]))
  await call('CommitFiles', commit([{ content: text('2') }]))
  await call('GetTree', { revision: tree, recursive: true })
  const page = await call('ListCommits', { revision: 'main', pageSize: 1 })
  await replace()
  // From here on this server knows.
  await call('StoreBlob', { content: text('unrelated') })
  await assert.rejects(call('GetTree', { revision: tree }), { code: 'not_found' })
  await assert.rejects(call('GetCommit', { revision: oid }), { code: 'not_found' })
  await assert.rejects(call('ListCommits', { pageToken: page.nextPageToken }), { code: 'not_found' })
  await assert.rejects(
    call('CommitFiles', commit([{ content: text('3') }], { baseTree: tree, expectedHead: zeroOid('sha1') })),
    missing
  )
})

test('an object that names others is stored where they were found, or nowhere', async () => {
  await replace()
  const { oid } = await call('StoreBlob', { content: text('named') })
  const entries = [{ path: 'f', mode: '100644', oid }] as Messages['TreeEntry'][]
  await assert.rejects(replacedAfter('hasObjects')('StoreTree', { entries }), missing)
  const tree = hashObject('tree', Buffer.concat([text('100644 f\0'), Buffer.from(oid, 'hex')]), 'sha1')
  assert.equal(await isThere(tree), false)
  await call('StoreBlob', { content: text('named') })
  await assert.rejects(replacedAfter('hasObjects')('CommitFiles', commit([{ oid }])), missing)
  await call('StoreBlob', { content: text('named') })
  const operations = [{ commitFiles: commit([{ oid }]) }] as Messages['Operation'][]
  const { results } = await replacedAfter('hasObjects')('BatchOperations', { operations, atomic: true })
  assert.equal(results[0]?.error?.detail?.reason, 'missing_object')
  assert.deepEqual(await other.readRefs(repository, ['refs/heads/main']), [undefined])
})

test('a write is made on the new repository where its own is replaced while it is under way', async () => {
  await replace()
  await call('CommitFiles', commit([{ content: text('old') }]))
  const made = await replacedAfter('startWrite')('CommitFiles', commit([{ content: text('new') }]))
  assert.deepEqual([made.result, made.parents], ['created', []])
  assert.deepEqual(await other.readRefs(repository, ['refs/heads/main']), [made.oid])
  const operations = [
    { commitFiles: commit([{ content: text('newer') }], { branch: 'b' }) },
    { storeBlob: { content: text('x') } }
  ]
  const again = replacedAfter('startWrite')
  const { results } = await again('BatchOperations', {
    operations: operations as Messages['Operation'][],
    atomic: true
  })
  assert.deepEqual(await other.readRefs(repository, ['refs/heads/b']), [results[0]?.commitFiles?.oid])
  const stored = await replacedAfter('getRepository')('StoreBlob', { content: text('stored') })
  assert.ok(await isThere(stored.oid))
})

test('the object format of the repository that was there before refuses nothing', async () => {
  const objects = [newObject('blob', 'one', 'sha256'), ...newCommit('sha256', 'sha256')]
  const [blob, tree, head] = objects.map(({ oid }) => oid) as [string, string, string]
  const main = { name: 'refs/heads/main', expectedOid: zeroOid('sha256'), newOid: head, rawName: new Uint8Array(0) }
  const calls: Record<string, () => Promise<unknown>> = {
    storeBlob: async () => assert.equal((await call('StoreBlob', { content: text('one') })).oid, blob),
    blobs: async () => {
      const results = await batch([{ storeBlob: { content: text('one') } }, { storeBlob: { content: text('one') } }])
      assert.deepEqual(
        results.map(({ storeBlob }) => storeBlob?.oid),
        [blob, blob]
      )
    },
    getBlob: async () => assert.deepEqual(Buffer.from((await call('GetBlob', { oid: blob })).content), text('one')),
    reads: async () => {
      const [found, listed] = await batch([
        { getBlob: { oid: blob, revision: '', path: '' } },
        { listCommits: { revision: head, path: '', pageSize: 0, pageToken: '' } }
      ])
      assert.deepEqual([found?.getBlob?.oid, listed?.listCommits?.commits[0]?.oid], [blob, head])
    },
    findMissing: async () => assert.deepEqual((await call('FindMissing', { oids: [blob] })).missing, []),
    listCommits: async () => assert.equal((await call('ListCommits', { revision: head })).commits[0]?.oid, head),
    updateRefs: async () => {
      const updates = [{ ...main, name: 'refs/heads/other' }]
      await call('Apply', { requestKey: 'updates', updateRefs: { repository: '', updates } })
    },
    commitFiles: () => call('CommitFiles', commit([{ oid: blob }], { expectedHead: head, baseTree: tree })),
    upload: async () => {
      const opening = { repository, uploadId: 'opened', size: 3, oid: blob, offset: undefined }
      for (const [uploadId, oid] of [
        ['told-first', blob],
        ['told-last', undefined]
      ] as const) {
        if (uploadId === 'told-last') await renew()
        const upload = await service.upload({ ...opening, uploadId, oid }, caller)
        await upload.write(text('one'))
        assert.equal((await upload.finish({ oid: blob, sha256: undefined })).oid, blob)
      }
    },
    download: async () => {
      const request = {
        repository,
        oid: blob,
        revision: '',
        path: '',
        rawPath: new Uint8Array(0),
        offset: 0,
        length: 0,
        digestFrom: undefined
      }
      await (await service.download(request, caller)).close()
    },
    'the store': async () => {
      assert.deepEqual(await one.hasObjects(repository, [blob]), [{ kind: 'blob', size: 3 }])
    },
    'a put': async () => {
      const two = newObject('blob', 'two', 'sha256')
      await one.putObjects(repository, [two])
      assert.ok(await isThere(two.oid))
    }
  }
  async function renew(): Promise<void> {
    await replace('sha1')
    await call('StoreBlob', { content: text('this server knows sha1') })
    await replace('sha256')
    await other.updateRefs(repository, [main], { objects })
  }
  for (const [name, run] of Object.entries(calls)) {
    await renew()
    await assert.doesNotReject(run, name)
  }
})

test('a put that joins one under way is in the repository that has the name by then', async (context) => {
  await replace()
  const blob = newObject('blob', 'joined', 'sha1')
  // This server knows the repository.
  await one.putObjects(repository, [newObject('blob', 'before', 'sha1')])
  const real = PipelinedDatabase.prototype.write
  const [written, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const held = context.mock.method(
    PipelinedDatabase.prototype,
    'write',
    async function (this: PipelinedDatabase, statement: never) {
      const rows = await real.call(this, statement)
      if ((statement as { name: string }).name !== 'insert objects') return rows
      written.resolve()
      await answer.promise
      return rows
    }
  )
  const first = one.putObjects(repository, [blob])
  await written.promise
  await replace()
  const second = one.putObjects(repository, [blob])
  await new Promise(setImmediate)
  held.mock.restore()
  answer.resolve()
  await Promise.all([first, second])
  assert.ok(await isThere(blob.oid))
})

test('the key of a creation or a deletion is no key for a move, on any server', async () => {
  await replace()
  const objects = newCommit('moved', 'sha1')
  const newOid = objects[1]?.oid ?? ''
  const serverTwo = serverOn(other)
  const named = 'keyed'
  await serverTwo('Apply', {
    repository: named,
    requestKey: 'creation',
    createRepository: { repository: '', objectFormat: 'sha1', defaultBranch: '' }
  })
  await serverTwo('Apply', { repository: named, requestKey: 'deletion', deleteRepository: { repository: '' } })
  await serverTwo('Apply', {
    repository: named,
    requestKey: 'anew',
    createRepository: { repository: '', objectFormat: 'sha1', defaultBranch: '' }
  })
  await other.putObjects(named, objects)
  const reused = { reason: 'request_key_reused' }
  const expectedOid = zeroOid('sha1')
  let branch = 0
  for (const requestKey of ['creation', 'deletion', 'anew']) {
    for (const expected of [expectedOid, newOid]) {
      const name = `refs/heads/b${++branch}`
      if (expected === newOid) await other.updateRefs(named, [{ name, expectedOid, newOid }])
      const updates = [{ name, expectedOid: expected, newOid, rawName: new Uint8Array(0) }]
      const updateRefs = { repository: '', updates }
      await assert.rejects(
        call('Apply', { repository: named, requestKey, updateRefs }),
        reused,
        `${requestKey} ${branch}`
      )
    }
    const commitFiles = commit([{ content: text('x') }], { branch: `c${++branch}` })
    await assert.rejects(call('Apply', { repository: named, requestKey, commitFiles }), reused)
    assert.deepEqual(await other.readRefs(named, [`refs/heads/c${branch}`]), [undefined])
  }
})
