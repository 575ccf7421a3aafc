/** How often a write waits for the store: questions of one write that follow each other, on every store. */
import assert from 'node:assert/strict'
import { after, before, describe, mock, test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { makeDirectory, removeDirectory } from '../store/support.ts'
import { newDatabase } from '../support/database.ts'
import { countedStore, countStatements, Questions } from './counted-questions.ts'

const database = await newDatabase()

const stores: Record<string, (directory: string) => Promise<Store>> = {
  memory: async () => new MemoryStore(),
  git: (directory) => GitStore.open(directory),
  postgres: async () => PostgresStore.open({ urls: [database] })
}

const repository = 'demo'
const zero = zeroOid('sha1')
const inBatch = { repository: '' }
const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000, zone: '+0000' }
const blob = (text: string) => ({ ...inBatch, content: Buffer.from(text) })
const update = (name: string, expectedOid: string, newOid: string) => ({
  ...inBatch,
  updates: [{ name: `refs/heads/${name}`, expectedOid, newOid, rawName: new Uint8Array(0) }]
})
const files = (paths: readonly string[], branch = 'main') => {
  const changes = paths.map((path) => ({ path, mode: '', content: Buffer.from(`${path} ${Math.random()}`) }))
  const fields = { branch, expectedHead: '', author, message: 'm', baseTree: '', commitObject: new Uint8Array(0) }
  return { ...inBatch, ...fields, changes, prepare: false }
}

for (const [kind, open] of Object.entries(stores)) {
  describe(`${kind} store`, () => {
    let directory: string
    let store: Store
    const questions = new Questions()
    let service: Service
    let requestKeys = 0
    // Refs that come or go, and several refs together, are looked at under a lock before they are written.
    const underLock = kind === 'postgres' ? 1 : 0
    before(async () => {
      directory = await makeDirectory()
      store = await open(directory)
      // What the other stores ask for is on this machine.
      if (kind === 'postgres') countStatements({ mock }, questions)
      else store = countedStore(store, questions)
      service = new Service(store, { serverVersion: '0', onInternalError: (error) => assert.fail(`${error}`) })
      await call('CreateRepository', { objectFormat: '' })
      await commit(['deep/in/here/a', 'deep/beside/b', 'c'])
      await commit(['d'], 'other')
    })
    after(async () => {
      mock.restoreAll()
      await store.close()
      await removeDirectory(directory)
    })

    async function call<Answer>(method: string, request: object, of = repository): Promise<Answer> {
      const context = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }
      return (await service.call(method, { ...request, repository: of }, context)) as Answer
    }
    const apply = (write: object, of?: string) =>
      call<Messages['ApplyResponse']>('Apply', { requestKey: `k${++requestKeys}`, ...write }, of)
    const commit = (paths: readonly string[], branch?: string) => apply({ commitFiles: files(paths, branch) })
    const batch = async (operations: object[], atomic = false) =>
      (await call<Messages['BatchOperationsResponse']>('BatchOperations', { operations, atomic })).results
    const keyed = (operation: object) => ({ apply: { requestKey: `k${++requestKeys}`, timeoutMs: 0, ...operation } })
    const head = async (branch = 'main') => (await store.readRefs(repository, [`refs/heads/${branch}`]))[0] ?? zero
    const newCommit = async () => {
      const made = await commit([`file ${Math.random()}`], `branch-${++requestKeys}`)
      return made.commitFiles?.oid ?? ''
    }

    /** Asserts that nothing fails, and that the work waits for the store so many times at most. */
    async function within(most: number, work: () => Promise<unknown>): Promise<void> {
      // What the first call leaves to be looked up is not counted: the repository is open.
      await call('FindMissing', { oids: [] })
      const rounds = await questions.during(work)
      assert.ok(rounds.length <= most, `${rounds.length} rounds of questions: ${rounds.join(', then ')}`)
    }

    test('storeBlob', () => within(1, () => call('StoreBlob', blob('one'))))

    test('blobs of a batch', () => within(1, () => batch(['a', 'b', 'c'].map((text) => ({ storeBlob: blob(text) })))))

    test('commitFiles', async () => {
      await within(2, () => commit(['deep/in/here/a', 'deep/beside/b']))
      await within(2, () => commit(['deep/in/here/new', 'c']))
      await within(2, () => call('CommitFiles', files(['c'])))
    })

    test('the first commit of a branch', () => within(2 + underLock, () => commit(['first'], 'fresh')))

    test('commits on one branch that wait together', () =>
      within(3, () => Promise.all(Array.from({ length: 40 }, (_, index) => commit([`deep/in/here/${index}`])))))

    test('commits of a batch', async () => {
      const results: Messages['OperationResult'][] = []
      await within(3, async () => {
        results.push(
          ...(await batch([{ storeBlob: blob(`${Math.random()}`) }, keyed({ commitFiles: files(['deep/beside/b']) })]))
        )
      })
      assert.equal(results[1]?.error, undefined)
    })

    test('moves of refs: created, moved and deleted', async () => {
      const [one, two] = [await newCommit(), await newCommit()]
      await within(1 + underLock, () => apply({ updateRefs: update('moved', zero, one) }))
      await within(1, () => apply({ updateRefs: update('moved', one, two) }))
      await within(1, () => call('UpdateRefs', update('moved', two, one)))
      await within(1 + underLock, () => apply({ updateRefs: update('moved', one, zero) }))
      await within(4, () =>
        assert.rejects(apply({ updateRefs: update('moved', one, two) }), { reason: 'ref_mismatch' })
      )
    })

    test('a batch of objects and the moves of refs to them', async () => {
      const fields = { ...inBatch, author, message: 'm' }
      const [commits, tree] = [[await head(), await newCommit()], '4b825dc642cb6eb9a060e54bf8d69288fbee4904']
      const operations = () => [
        { storeBlob: blob(`${Math.random()}`) },
        { storeTree: { ...inBatch, entries: [], baseTree: '' } },
        ...commits.map((parent) => ({ storeCommit: { ...fields, tree, parents: [parent] } })),
        keyed({ updateRefs: update(`of-batch-${++requestKeys}`, zero, commits[0] ?? '') })
      ]
      await within(3 + underLock, async () =>
        assert.ok((await batch(operations())).every(({ error }) => error === undefined))
      )
    })

    test('an atomic batch', async () => {
      const targets = [await newCommit(), await newCommit()]
      const from = await head()
      const operations = [
        { storeBlob: blob('in it') },
        { updateRefs: update('x', zero, targets[0] ?? '') },
        { updateRefs: update('y', zero, targets[1] ?? '') },
        { updateRefs: update('main', from, targets[0] ?? '') },
        { commitFiles: files(['deep/in/here/z'], 'other') }
      ]
      let answer: Messages['ApplyResponse'] | undefined
      await within(2 + underLock, async () => {
        answer = await apply({ batch: { ...inBatch, operations, atomic: true } })
      })
      assert.deepEqual(
        answer?.batch?.results.map(({ error }) => error?.message),
        operations.map(() => undefined)
      )
      await within(3, () => apply({ batch: { ...inBatch, operations: [{ storeBlob: blob('alone') }], atomic: true } }))
    })

    test('repositories: created, changed and deleted', async () => {
      // A name and its repository lie in two places of a distributed database.
      const most = kind === 'postgres' ? 6 : 2
      await within(most, () => apply({ createRepository: { ...inBatch, objectFormat: '' } }, 'new'))
      await within(most, () => apply({ updateRepository: { ...inBatch, defaultBranch: 'trunk' } }, 'new'))
      await within(most, () => apply({ deleteRepository: inBatch }, 'new'))
    })
  })
}
