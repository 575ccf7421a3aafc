/** The caches of reading: directories are read once, and walks through history go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptWalks } from '../../server-fixture/service/kept-walks.ts'
import { ReadCaches } from '../../server-fixture/service/read-caches.ts'
import { BoundedCache } from '../../server-fixture/store/bounded-cache.ts'
import { hashObject } from '../../src/git/oid.ts'
import { encodeTree } from '../../src/git/tree.ts'
import { openCounting } from '../support/counting-git.ts'
import { type CountingStore, countingStore, history, nameOf, storeAtOnce, storeTree } from '../support/long-listings.ts'
import { type Call, openStore, serverOn } from '../support/services.ts'

test('a directory that many calls pass is read once', async () => {
  const store = await countingStore()
  const call = serverOn(store)
  const content = Buffer.from('x')
  const { oid: file } = await call('StoreBlob', { content })
  const items = Array.from({ length: 2000 }, (_, index) => ({ name: nameOf(index), mode: '100644', oid: file }))
  const revision = await storeTree(store, items)
  await Promise.all(items.slice(0, 100).map(({ name: path }) => call('GetBlob', { revision, path })))
  for (const { name: path } of items.slice(100, 120)) await call('GetBlob', { revision, path })
  for (let pageToken = ''; ; ) {
    const page = await call('GetTree', { revision, pageSize: 300, pageToken })
    pageToken = page.nextPageToken
    if (pageToken === '') break
  }
  assert.equal(store.reads.get(revision), 1)
})

test('a batch of objects by their bytes looks for all that they name in one question, and reads a file once', async () => {
  const store = await countingStore()
  const call = serverOn(store)
  const { oid: file } = await call('StoreBlob', { content: Buffer.from('[submodule "a"]\n\turl = ../a\n') })
  let questions = 0
  const has = store.hasObjects.bind(store)
  store.hasObjects = (name, oids) => {
    questions++
    return has(name, oids)
  }
  const files = await Promise.all(
    Array.from({ length: 20 }, (_, index) => call('StoreBlob', { content: Buffer.from(String(index)) }))
  )
  questions = 0
  // Each has the one before it as a directory, which comes to the store with it.
  let below: { name: string; mode: string; oid: string }[] = []
  const operations = files.map(({ oid }) => {
    const named = { mode: '100644', oid: file, name: '.gitmodules' }
    const items = [...below, named, { name: 'own', mode: '100644', oid }]
    const content = encodeTree(
      items.map((item) => ({ ...item, name: Buffer.from(item.name) })),
      'sha1'
    )
    below = [{ name: 'below', mode: '040000', oid: hashObject('tree', content, 'sha1') }]
    return { storeObject: { repository: '', kind: 'tree', content, check: 'lenient' } as const }
  })
  const { results } = await call('BatchOperations', { operations, atomic: false })
  assert.deepEqual(
    results.map(({ storeObject }) => storeObject?.warnings.length),
    Array(20).fill(0)
  )
  assert.equal(questions, 1)
  assert.equal(store.reads.get(file), 1)
})

test('a caller that goes does not fail those who wait for the same directory', async () => {
  const store = await countingStore()
  const call = serverOn(store)
  const { oid } = await call('StoreBlob', { content: Buffer.from('x') })
  const revision = await storeTree(store, [{ name: 'f', mode: '100644', oid }])
  const caller = new AbortController()
  store.onRead = () => caller.abort()
  const [gone, stays] = await Promise.allSettled([
    call('GetBlob', { revision, path: 'f' }, caller.signal),
    call('GetBlob', { revision, path: 'f' })
  ])
  assert.equal(stays.status, 'fulfilled', String((stays as PromiseRejectedResult).reason))
  assert.ok(gone)
})

test('a tree that was missing for one caller is there for the next, who stored it meanwhile', async () => {
  const caches = new ReadCaches()
  const info = { repository: 'r', objectFormat: 'sha1', defaultBranch: 'refs/heads/main' } as const
  let fail: (error: Error) => void = () => undefined
  const failing = caches.trees.get(info, 'oid', () => new Promise((_resolve, reject) => (fail = reject)))
  const tree = { bytes: 10 } as never
  const second = caches.trees.get(info, 'oid', async () => tree)
  fail(new Error('not found'))
  await assert.rejects(failing, /not found/)
  assert.equal(await second, tree)
})

for (const mergeOneIn of [Number.POSITIVE_INFINITY, 3]) {
  const kind = mergeOneIn === 3 ? 'with merges' : 'of one line'
  test(`a walk through history ${kind} reads each commit once at one server`, async () => {
    const store = await countingStore()
    const call = serverOn(store)
    const commits = await history(call, 300, mergeOneIn)
    assert.ok((await readsOfAll([call], store, commits)) <= 300 + 30 * 2)
  })

  test(`a walk through history ${kind} is repeated once for another server`, async () => {
    const store = await countingStore()
    const servers = [serverOn(store), serverOn(store)]
    const commits = await history(servers[0] as Call, 300, mergeOneIn)
    const reads = await readsOfAll(servers, store, commits)
    // A line needs no repetition.
    assert.ok(reads <= (mergeOneIn === 3 ? 600 : 300) + 30 * 4, `${reads} reads`)
  })
}

/** Lists everything in pages of ten, each at the next server. Returns the number of objects read. */
async function readsOfAll(servers: readonly Call[], store: CountingStore, commits: readonly string[]): Promise<number> {
  const before = store.total
  const found: string[] = []
  let pageToken = ''
  for (let pages = 0; pages === 0 || pageToken !== ''; pages++) {
    const call = servers[pages % servers.length] as Call
    const page = await call('ListCommits', { revision: commits.at(-1) ?? '', pageSize: 10, pageToken })
    found.push(...page.commits.map(({ oid }) => oid))
    pageToken = page.nextPageToken
  }
  assert.equal(new Set(found).size, commits.length)
  assert.equal(found.length, commits.length)
  return store.total - before
}

test('on the Git store, commits are read ahead: few processes for many pages', async (context) => {
  const { store, started } = await openCounting(context)
  const call = serverOn(store)
  await call('CreateRepository', {})
  const commits = await storeAtOnce([store], (make) => history(make, 400, 3))
  const found: string[] = []
  let pageToken = ''
  do {
    const page = await call('ListCommits', { revision: commits.at(-1) ?? '', pageSize: 16, pageToken })
    found.push(...page.commits.map(({ oid }) => oid))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  assert.deepEqual(found, commits.toReversed())
  const lists = await started('rev-list')
  // 17 and 2,720 commits.
  assert.ok(lists > 0 && lists <= 2, `git rev-list was started ${lists} times`)
})

test('a repeated walk that takes longer than a page goes on, page by page', async () => {
  const store = await countingStore()
  const call = serverOn(store)
  const commits = await history(call, 200, 3)
  const revision = commits.at(-1) ?? ''
  const whole = await call('ListCommits', { revision, pageSize: 1000 })
  const { nextPageToken } = await call('ListCommits', { revision, pageSize: 150 })
  const other = serverOn(store, { pageBounds: { maxSteps: 40, maxMs: 60_000 } })
  const found: string[] = []
  const tokens: string[] = []
  for (let pageToken = nextPageToken; pageToken !== ''; ) {
    const page = await other('ListCommits', { pageToken, pageSize: 1000 })
    found.push(...page.commits.map(({ oid }) => oid))
    tokens.push(pageToken)
    pageToken = page.nextPageToken
  }
  assert.deepEqual(
    found,
    whole.commits.slice(150).map(({ oid }) => oid)
  )
  assert.ok(tokens.length >= 5 && tokens.length < 8, `${tokens.length} pages`)
})

test('the trees of a deleted repository are forgotten', async () => {
  const store = await countingStore()
  const call = serverOn(store)
  const { oid } = await call('StoreBlob', { content: Buffer.from('x') })
  const items = [{ name: 'f', mode: '100644', oid }]
  const revision = await storeTree(store, items)
  await call('GetTree', { revision })
  await call('DeleteRepository', {})
  await call('CreateRepository', {})
  await storeTree(store, items)
  await call('GetTree', { revision })
  assert.equal(store.reads.get(revision), 2)
})

test('a cache has a bound in bytes and in time, and the entry used least recently goes first', () => {
  let now = 0
  const cache = new BoundedCache<number>({ maxBytes: 10, maxAgeMs: 100, now: () => now })
  const held = () => ['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined).join('')
  for (const [index, key] of ['a', 'b', 'c'].entries()) cache.set(key, index, 3)
  assert.equal(cache.get('a'), 0)
  cache.set('d', 3, 3)
  assert.equal(held(), 'acd')
  cache.set('b', 1, 6)
  assert.equal(held(), 'acd', 'more than half of the room')
  now = 101
  assert.equal(held(), '')
  assert.equal(cache.size, 0)
})

test('of the walks that wait, the nearest in front of the page goes on, and the oldest are dropped', () => {
  let now = 0
  const walks = new KeptWalks({ now: () => now, maxBytes: 1000 })
  const waiting = (visited: number, bytes = 1) => ({ path: '', bytes, position: { start: 's', visited } })
  const page = { repository: 'r', path: '', start: 's', visited: 25 }
  for (const visited of [10, 20, 30]) walks.keep('r', waiting(visited))
  for (const other of [{ repository: 'q' }, { path: 'p' }, { start: 't' }, { visited: 9 }]) {
    assert.equal(walks.take({ ...page, ...other }), undefined)
  }
  assert.equal(walks.take(page)?.position.visited, 20)
  assert.equal(walks.take(page)?.position.visited, 10)
  assert.equal(walks.take(page), undefined)
  for (let count = 0; count < 100; count++) walks.keep('r', waiting(count))
  assert.equal(walks.size, 64)
  walks.keep('r', waiting(1, 1000))
  assert.equal(walks.size, 1)
  now = 11 * 60_000
  assert.equal(walks.take(page), undefined)
})

test('a deleted repository is forgotten', async (context) => {
  const { store } = await openStore(context, 'memory')
  const call = serverOn(store)
  await call('CreateRepository', {})
  const commits = await history(call, 20, 3)
  const { nextPageToken } = await call('ListCommits', { revision: commits.at(-1) ?? '', pageSize: 5 })
  await call('DeleteRepository', {})
  await call('CreateRepository', {})
  await assert.rejects(call('ListCommits', { pageToken: nextPageToken }), { code: 'not_found', reason: 'object' })
})
