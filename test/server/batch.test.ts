/** Promises of a batch: no answer before its objects are stored, ref changes together or not at all, few calls to the store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { MoveRecords, NewObject, RefMove } from '../../server-fixture/store/store.ts'
import { hashObject, zeroOid } from '../../src/git/oid.ts'
import type { Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'

const repository = 'demo'
const zero = zeroOid('sha1')
const inBatch = { repository: '' }
const paging = { pageSize: 0, pageToken: '' }

/** A store that counts its questions, and can fail to store. */
class WatchedStore extends MemoryStore {
  puts: number[] = []
  reads: number[] = []
  failures = 0

  override async putObjects(name: string, objects: readonly NewObject[]): Promise<void> {
    this.puts.push(objects.length)
    if (this.failures-- > 0) throw new Error('disk full')
    await super.putObjects(name, objects)
  }

  override async updateRefs(name: string, moves: readonly RefMove[], { objects = [], ...records }: MoveRecords = {}) {
    if (objects.length > 0) await this.putObjects(name, objects)
    return super.updateRefs(name, moves, records)
  }

  override async readObjects(name: string, oids: readonly string[], maxBytes: number) {
    this.reads.push(oids.length)
    return super.readObjects(name, oids, maxBytes)
  }
}

interface Fixture {
  readonly store: WatchedStore
  call<Answer = unknown>(method: string, request: object): Promise<Answer>
  batch(operations: object[], atomic?: boolean): Promise<Messages['OperationResult'][]>
  /** Two commits, the second on top of the first. */
  readonly first: string
  readonly second: string
}

async function setUp(limits: Partial<Limits> = {}): Promise<Fixture> {
  const store = new WatchedStore()
  const service = new Service(store, { limits, serverVersion: '0', onInternalError: () => undefined })
  const context = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }
  const call = <Answer>(method: string, request: object) => service.call(method, request, context) as Promise<Answer>
  await call('CreateRepository', { repository, objectFormat: '' })
  const { oid: tree } = await call<{ oid: string }>('StoreTree', { repository, entries: [], baseTree: '' })
  const author = { name: 'A', email: 'a@b', timeSeconds: 1, zone: '+0000' }
  const commit = { repository, tree, author, message: 'm' }
  const { oid: first } = await call<{ oid: string }>('StoreCommit', { ...commit, parents: [] })
  const { oid: second } = await call<{ oid: string }>('StoreCommit', { ...commit, parents: [first] })
  store.puts = []
  store.reads = []
  const batch = async (operations: object[], atomic = false) =>
    (await call<Messages['BatchOperationsResponse']>('BatchOperations', { repository, operations, atomic })).results
  return { store, call, batch, first, second }
}

const blob = (text: string) => ({ storeBlob: { ...inBatch, content: Buffer.from(text) } })
const oidOf = (text: string) => hashObject('blob', Buffer.from(text), 'sha1')
const move = (name: string, expectedOid: string, newOid: string, other = '') => ({
  updateRefs: { repository: other, updates: [{ name: `refs/heads/${name}`, expectedOid, newOid }] }
})
const list = { listRefs: { ...inBatch, prefix: '', ...paging } }
const reasons = (results: Messages['OperationResult'][]) =>
  results.map(({ error }) => error && `${error.code} ${error.detail?.reason}`.trim())

async function refsOf({ call }: Fixture): Promise<string[]> {
  const { refs } = await call<Messages['ListRefsResponse']>('ListRefs', { repository, prefix: '', ...paging })
  return refs.map(({ name }) => name)
}

test('1,000 blobs are one put, and reading them a few reads', async () => {
  const { store, batch } = await setUp()
  const texts = Array.from({ length: 1000 }, (_, index) => `blob ${index}`)
  const stored = await batch(texts.map(blob))
  assert.deepEqual(
    stored.map(({ storeBlob }) => storeBlob?.oid),
    texts.map(oidOf)
  )
  assert.deepEqual(store.puts, [1000])
  const read = await batch(texts.map((text) => ({ getBlob: { ...inBatch, oid: oidOf(text), revision: '', path: '' } })))
  assert.deepEqual(
    read.map(({ getBlob }) => Buffer.from(getBlob?.content ?? []).toString()),
    texts
  )
  assert.ok(store.reads.length <= 16, `${store.reads.length} reads`)
})

test('a store that fails once, in the middle: what is answered as stored is stored', async () => {
  const fixture = await setUp()
  fixture.store.failures = 1
  const results = await fixture.batch([blob('precious'), move('x', zero, fixture.first), blob('more')])
  assert.deepEqual(reasons(results), [undefined, 'internal', undefined])
  const missing = await fixture.call('FindMissing', { repository, oids: [oidOf('precious'), oidOf('more')] })
  assert.deepEqual(missing, { missing: [] })
  assert.deepEqual(await refsOf(fixture), [])
})

test('a store that goes on failing: no write of the batch is answered as done', async () => {
  const fixture = await setUp()
  fixture.store.failures = 9
  await assert.rejects(fixture.batch([blob('precious'), move('x', zero, fixture.first)]), { code: 'internal' })
  await assert.rejects(fixture.batch([blob('precious'), move('x', zero, fixture.first)], true), { code: 'internal' })
  fixture.store.failures = 0
  assert.deepEqual(await refsOf(fixture), [])
})

test('atomic: one ref change that fails, for whatever reason, stops all', async () => {
  const fixture = await setUp()
  const { first, second, batch } = fixture
  await fixture.call('UpdateRefs', { ...move('there', zero, first).updateRefs, repository })
  const aborted = 'aborted batch_aborted'
  const cases: [object, string][] = [
    [move('there', second, zero), 'aborted ref_mismatch'],
    [move('y', zero, 'ab'.repeat(20)), 'failed_precondition missing_object'],
    [move('..', zero, first), 'invalid_argument'],
    [move('y', zero, first, 'another'), 'invalid_argument']
  ]
  for (const [failing, reason] of cases) {
    const before = await batch([move('x', zero, first), failing, blob(reason)], true)
    assert.deepEqual(reasons(before), [aborted, reason, undefined])
    const after = await batch([failing, blob(reason), move('x', zero, first)], true)
    assert.deepEqual(reasons(after), [reason, undefined, aborted])
    // Operations without a ref change were carried out.
    assert.deepEqual(await fixture.call('FindMissing', { repository, oids: [oidOf(reason)] }), { missing: [] })
  }
  assert.deepEqual(await refsOf(fixture), ['refs/heads/there'])
})

test('atomic: names that cannot stand beside each other fail their operations, not the blob beside them', async () => {
  const fixture = await setUp()
  const { first } = fixture
  const results = await fixture.batch([blob('kept'), move('n', zero, first), move('n/m', zero, first)], true)
  const conflict = 'failed_precondition ref_conflict'
  assert.deepEqual(reasons(results), [undefined, conflict, conflict])
  assert.deepEqual(await refsOf(fixture), [])
})

test('atomic: later operations see the moves before them; nobody else does before the end', async () => {
  const fixture = await setUp()
  const { first, second, batch } = fixture
  await fixture.call('UpdateRefs', { ...move('old', zero, first).updateRefs, repository })
  const operations = [move('new', zero, first), move('old', first, zero), list, move('new', first, second)]
  const log = { listCommits: { ...inBatch, revision: 'new', path: '', ...paging } }
  const results = await batch([...operations, log], true)
  assert.deepEqual(results[2]?.listRefs?.refs, [{ name: 'refs/heads/new', oid: first }])
  assert.deepEqual(
    results[4]?.listCommits?.commits.map(({ oid }) => oid),
    [second, first]
  )
  assert.deepEqual(await refsOf(fixture), ['refs/heads/new'])
})

test('atomic: pages of refs with moves held back', async () => {
  const fixture = await setUp()
  const { first, batch } = fixture
  const names = Array.from({ length: 9 }, (_, index) => `r${index}`)
  await batch(names.map((name) => move(name, zero, first)))
  const changes = [move('r3', first, zero), move('r35', zero, first), move('a', zero, first), move('r9', zero, first)]
  const pages: string[][] = []
  let pageToken = ''
  do {
    const results = await batch([...changes, { listRefs: { ...list.listRefs, pageSize: 4, pageToken } }, bad], true)
    const page = results[4]?.listRefs
    pages.push(page?.refs.map(({ name }) => name.slice('refs/heads/'.length)) ?? [])
    pageToken = page?.nextPageToken ?? ''
  } while (pageToken !== '')
  assert.deepEqual(pages, [
    ['a', 'r0', 'r1', 'r2'],
    ['r35', 'r4', 'r5', 'r6'],
    ['r7', 'r8', 'r9']
  ])
})

/** Keeps an atomic batch from being carried out. */
const bad = move('..', zero, zero)

test('atomic: a ref that is moved twice; not where the first move was made before', async () => {
  const fixture = await setUp()
  const { first, second, batch } = fixture
  const twice = [move('x', zero, first), move('x', first, second)]
  assert.deepEqual(reasons(await batch(twice, true)), [undefined, undefined])
  await fixture.call('UpdateRefs', { ...move('y', zero, first).updateRefs, repository })
  assert.deepEqual(reasons(await batch([move('y', zero, first), move('y', first, second)], true)), [
    'aborted ref_mismatch',
    'aborted batch_aborted'
  ])
})

test('a full answer fails the remaining operations with batch_response_full; the first content always fits', async () => {
  const { batch } = await setUp({ maxBatchBytes: 100, maxInlineBytes: 1000 })
  const text = 'x'.repeat(150)
  const read = { getBlob: { ...inBatch, oid: oidOf(text), revision: '', path: '' } }
  const results = await batch([blob(text), read, read])
  const full = 'resource_exhausted batch_response_full'
  assert.deepEqual(reasons(results), [undefined, undefined, full])
  assert.equal(results[2]?.error?.detail?.retryable, true)
})

test('lists count by their elements, too', async () => {
  const { batch, first } = await setUp({ maxBatchBytes: 4096 })
  const names = Array.from({ length: 30 }, (_, index) => `${'n'.repeat(100)}${index}`)
  const lists = Array.from({ length: 8 }, () => list)
  const results = reasons(await batch([...names.map((name) => move(name, zero, first)), ...lists])).slice(-8)
  const isFull = 'resource_exhausted batch_response_full'
  const taken = results.indexOf(isFull)
  // A page alone is bounded, too: it has room for some of the refs only.
  assert.ok(taken >= 2, `${taken} pages`)
  assert.deepEqual(
    results,
    lists.map((_, index) => (index < taken ? undefined : isFull))
  )
})

test('unknown operations, and those of another repository, fail alone; too many fail together', async () => {
  const { batch } = await setUp({ maxBatchOperations: 3 })
  const other = { storeBlob: { repository: 'another', content: Buffer.from('x') } }
  assert.deepEqual(reasons(await batch([{}, other, blob('x')])), ['invalid_argument', 'invalid_argument', undefined])
  await assert.rejects(batch([blob('1'), blob('2'), blob('3'), blob('4')]), {
    code: 'resource_exhausted',
    details: { limit: { limit: 'max_batch_operations', maximum: 3, actual: 4 } }
  })
})

test('a cancelled call stops walking history', async () => {
  const { store, second } = await setUp()
  const service = new Service(store, { serverVersion: '0', onInternalError: () => undefined })
  const context = { principal: { may: () => true }, signal: AbortSignal.abort(), requestId: 'test' }
  const request = { repository, revision: second, path: '', ...paging }
  await assert.rejects(service.call('ListCommits', request, context), { code: 'cancelled' })
})
