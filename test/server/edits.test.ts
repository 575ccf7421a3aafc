/** CommitFiles and StoreTree: the tree after a list of changes, and a branch that others move at the same time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { MoveRecords, RefMove } from '../../server-fixture/store/store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'

const repository = 'demo'
const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000, zone: '+0000' }

type Change = Partial<Messages['FileChange']> & { path: string }
type Outcome = Messages['CommitFilesResponse']

class RacingStore extends MemoryStore {
  /** Runs once, just before refs are moved. */
  before: (() => Promise<unknown>) | undefined

  override async updateRefs(name: string, moves: readonly RefMove[], records?: MoveRecords) {
    const race = this.before
    this.before = undefined
    await race?.()
    return super.updateRefs(name, moves, records)
  }
}

async function setUp() {
  const store = new RacingStore()
  const service = new Service(store, { serverVersion: '0', onInternalError: (error) => assert.fail(String(error)) })
  const context = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }
  const call = (method: string, request: object) => service.call(method, { repository, ...request }, context)
  await call('CreateRepository', { objectFormat: '' })
  const commit = (changes: Change[], expectedHead = '', message = 'm') => {
    const list = changes.map((change) => ({ mode: '', ...change }))
    const fields = { branch: 'main', expectedHead, author, message, baseTree: '', commitObject: new Uint8Array() }
    return call('CommitFiles', { ...fields, changes: list }) as Promise<Outcome>
  }
  const files = async (revision = 'main') => {
    const paging = { pageSize: 0, pageToken: '' }
    const answer = await call('GetTree', { revision, path: '', recursive: true, ...paging })
    return (answer as Messages['GetTreeResponse']).entries
      .filter(({ mode }) => mode !== '040000')
      .map(({ path }) => path)
  }
  return { store, call, commit, files }
}

const put = (path: string, text = path): Change => ({ path, content: Buffer.from(text) })
const remove = (path: string): Change => ({ path, delete: true })
const move = (moveFrom: string, path: string): Change => ({ path, moveFrom })

test('removals and moves come before puts', async () => {
  const start = ['d/a', 'd/e/b', 'f', 'g']
  const cases: [Change[], string[] | string][] = [
    [
      [remove('d'), move('d/a', 'kept')],
      ['f', 'g', 'kept']
    ],
    [
      [remove('d'), remove('d/e/b'), put('d/new')],
      ['d/new', 'f', 'g']
    ],
    [
      [move('d', 'e'), put('d')],
      ['d', 'e/a', 'e/e/b', 'f', 'g']
    ],
    [
      [remove('f'), put('f/x')],
      ['d/a', 'd/e/b', 'f/x', 'g']
    ],
    [[move('f', 'g'), move('g', 'f')], start],
    [[move('d', 'd/sub')], ['d/sub/a', 'd/sub/e/b', 'f', 'g']],
    [[remove('d/e/b')], ['d/a', 'f', 'g']],
    [[remove('d'), remove('d/none')], 'path_not_found'],
    [[remove('d'), remove('d/a/below')], 'path_not_found'],
    [[remove('none')], 'path_not_found'],
    [[move('none', 'x')], 'path_not_found'],
    [[put('d')], 'path_conflict'],
    [[put('f/x')], 'path_conflict'],
    [[put('x'), put('x/y')], ''],
    [[put('x'), put('x')], ''],
    [[remove('d'), put('d')], ''],
    [[put('.git/config')], '']
  ]
  for (const [changes, expected] of cases) {
    const { commit, files } = await setUp()
    const { oid } = await commit(start.map((path) => put(path)))
    const label = JSON.stringify(changes.map(({ path, moveFrom }) => [moveFrom, path]))
    if (Array.isArray(expected)) {
      await commit(changes, oid)
      assert.deepEqual(await files(), expected, label)
    } else {
      const code = expected === '' ? 'invalid_argument' : 'failed_precondition'
      await assert.rejects(commit(changes, oid), { code, reason: expected }, label)
      assert.deepEqual(await files(), start, label)
    }
  }
})

test('an expected head that the branch has left is refused, also where the same commit was made before', async () => {
  const { store, commit } = await setUp()
  const first = await commit([put('a')], zeroOid('sha1'))
  const second = await commit([put('b')], first.oid)
  const mismatch = (expectedOid: string, foundOid: string) => ({
    code: 'aborted',
    reason: 'ref_mismatch',
    details: { refMismatches: [{ name: 'refs/heads/main', expectedOid, foundOid }] }
  })
  await assert.rejects(commit([put('b')], first.oid), mismatch(first.oid, second.oid))
  // Between the look at the branch and its move, somebody else moves it.
  store.before = async () => {
    await store.updateRefs(repository, [{ name: 'refs/heads/main', expectedOid: second.oid, newOid: first.oid }])
  }
  await assert.rejects(commit([put('c')], second.oid), mismatch(second.oid, first.oid))
})

test('without an expected head, a lost race is run again on the new head', async () => {
  const { store, commit, files } = await setUp()
  const first = await commit([put('a')])
  const second = await commit([put('b')])
  store.before = async () => {
    await store.updateRefs(repository, [{ name: 'refs/heads/main', expectedOid: second.oid, newOid: first.oid }])
  }
  const last = await commit([put('c')])
  assert.deepEqual(last.parents, [first.oid])
  assert.deepEqual(await files(), ['a', 'c'])
})

test('an unchanged tree still makes a commit', async () => {
  const { commit } = await setUp()
  const first = await commit([put('a')])
  const second = await commit([put('a')], first.oid)
  assert.equal(second.tree, first.tree)
  assert.notEqual(second.oid, first.oid)
})

test('the targets of trees, commits and refs must exist and have the right kind', async () => {
  const { call, commit } = await setUp()
  const { oid: made, tree } = await commit([put('a')])
  const absent = 'ab'.repeat(20)
  const missing = { code: 'failed_precondition', reason: 'missing_object', details: { missingOids: [absent] } }
  const wrong = { code: 'failed_precondition', reason: 'wrong_kind' }
  const entry = { path: 'x', mode: '100644', oid: absent }
  const parents: string[] = []
  const update = { name: 'refs/heads/x', expectedOid: zeroOid('sha1'), newOid: absent }
  await assert.rejects(call('StoreTree', { entries: [entry], baseTree: '' }), missing)
  await assert.rejects(call('StoreTree', { entries: [], baseTree: absent }), missing)
  await assert.rejects(call('StoreTree', { entries: [{ ...entry, oid: tree }], baseTree: '' }), wrong)
  await assert.rejects(call('StoreCommit', { tree: absent, parents, author, message: '' }), missing)
  await assert.rejects(call('StoreCommit', { tree: made, parents, author, message: '' }), wrong)
  await assert.rejects(call('StoreCommit', { tree, parents: [tree], author, message: '' }), wrong)
  await assert.rejects(call('UpdateRefs', { updates: [update] }), missing)
  await assert.rejects(call('UpdateRefs', { updates: [{ ...update, newOid: tree }] }), wrong)
  await call('UpdateRefs', { updates: [{ ...update, name: 'refs/tags/x', newOid: tree }] })
})
