/** Walks of listings: the bounds of their pages, and their end when nobody waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { hashObject, zeroOid } from '../../src/git/oid.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { countingStore, history, nameOf, storeTree, treeBomb } from '../support/long-listings.ts'
import { atEnd, testServer } from '../support/server.ts'
import { type Call, openStore, repository, serverOn } from '../support/services.ts'

const unbounded = { maxSteps: Number.MAX_SAFE_INTEGER, maxMs: Number.MAX_SAFE_INTEGER }

test('a tree bomb takes one page at a time, and lets others have their turns', async () => {
  const store = await countingStore()
  const call = serverOn(store, { pageBounds: { maxSteps: 20_000, maxMs: 60_000 } })
  const [full, empty] = [await treeBomb(store, 'file'), await treeBomb(store, 'empty')]
  const { oid: nothing } = await call('StoreTree', { entries: [] })
  let turns = 0
  let isDone = false
  const takeTurn = () => {
    turns++
    if (!isDone) setImmediate(takeTurn)
  }
  setImmediate(takeTurn)
  const page = await call('GetTree', { revision: full, recursive: true, pageSize: 1000 })
  assert.equal(page.entries.length, 1000)
  const changes = await call('Compare', { base: nothing, head: full, pageSize: 1000 })
  assert.equal(changes.changes.length, 1000)
  turns = 0
  const none = await call('Compare', { base: nothing, head: empty })
  isDone = true
  assert.deepEqual(none.changes, [])
  assert.notEqual(none.nextPageToken, '', 'the walk is not at its end')
  assert.ok(turns > 1, `${turns} turns of the event loop`)
  // Each page goes on: the token changes.
  const next = await call('Compare', { pageToken: none.nextPageToken })
  assert.notEqual(next.nextPageToken, none.nextPageToken)
})

test('a page ends after its time, and the next one goes on there', async () => {
  const store = await countingStore()
  const call = serverOn(store, { pageBounds: { maxSteps: Number.MAX_SAFE_INTEGER, maxMs: 0 } })
  const bomb = await treeBomb(store, 'file')
  const first = await call('GetTree', { revision: bomb, recursive: true, pageSize: 1000 })
  assert.ok(first.entries.length > 0 && first.entries.length < 1000, `${first.entries.length} entries`)
  const { nextPageToken: pageToken } = first
  const second = await call('GetTree', { pageToken, pageSize: 1000 })
  const whole = await serverOn(store)('GetTree', { revision: bomb, recursive: true, pageSize: 1000 })
  const both = [...first.entries, ...second.entries]
  assert.deepEqual(both, whole.entries.slice(0, both.length))
})

test('every listing is whole where each page ends after one step, empty pages included', async (context) => {
  const { store } = await openStore(context, 'memory')
  const whole = serverOn(store)
  await whole('CreateRepository', {})
  const commits = await history(whole, 20, 3)
  const { oid: blob } = await whole('StoreBlob', { content: Buffer.from('x') })
  const entry = (path: string) => ({
    path,
    rawPath: new Uint8Array(0),
    mode: '100644' as const,
    rawMode: '',
    oid: blob
  })
  const paths = ['a/b/c', 'a/b/d', 'e', 'f/g', 'h']
  const { oid: base } = await whole('StoreTree', { entries: paths.map(entry) })
  const { oid: head } = await whole('StoreTree', { entries: [...paths.slice(1), 'z'].map(entry) })
  const hurried = serverOn(store, { pageBounds: { maxSteps: 1, maxMs: 60_000 } })
  const revision = commits.at(-1) ?? ''
  const listings = [
    async (call: Call, pageToken: string) => {
      const page = await call('Compare', { base, head, pageToken })
      return { items: page.changes as object[], pageToken: page.nextPageToken }
    },
    async (call: Call, pageToken: string) => {
      const page = await call('GetTree', { revision: base, recursive: true, pageToken })
      return { items: page.entries as object[], pageToken: page.nextPageToken }
    },
    async (call: Call, pageToken: string) => {
      const page = await call('ListCommits', { revision, pageToken })
      return { items: page.commits as object[], pageToken: page.nextPageToken }
    },
    async (call: Call, pageToken: string) => {
      const page = await call('ListCommits', { revision, path: 'none', pageToken })
      return { items: page.commits as object[], pageToken: page.nextPageToken }
    },
    async (call: Call, pageToken: string) => {
      const page = await call('ListRepositories', { pageToken })
      return { items: page.repositories as object[], pageToken: page.nextPageToken }
    }
  ]
  let emptyPages = 0
  for (const list of listings) {
    const items: object[] = []
    let pageToken = ''
    do {
      const page = await list(hurried, pageToken)
      assert.ok(page.items.length <= 1)
      if (page.items.length === 0) emptyPages++
      items.push(...page.items)
      pageToken = page.pageToken
    } while (pageToken !== '')
    assert.deepEqual(items, (await list(whole, '')).items)
  }
  assert.ok(emptyPages > 5, `${emptyPages} empty pages`)
})

test('a client goes on through empty pages', async (context) => {
  const { store } = await openStore(context, 'memory')
  const call = serverOn(store)
  await call('CreateRepository', {})
  const { oid: blob } = await call('StoreBlob', { content: Buffer.from('x') })
  const entries = ['a/b', 'c/d', 'e'].map((path) => ({
    path,
    rawPath: new Uint8Array(0),
    mode: '100644' as const,
    rawMode: '',
    oid: blob
  }))
  const { oid: head } = await call('StoreTree', { entries })
  const { oid: base } = await call('StoreTree', { entries: entries.slice(0, 2) })
  const options = { serverVersion: '0', onInternalError: () => undefined, pageBounds: { maxSteps: 1, maxMs: 60_000 } }
  const server = atEnd(context, await testServer({ decorate: () => new Service(store, options) }))
  const repo = server.client().repository(repository)
  const paths: string[] = []
  for await (const { path } of repo.changes({ base, head })) paths.push(path)
  assert.deepEqual(paths, ['e'])
  const tree = await repo.getTree({ revision: head, recursive: true })
  assert.deepEqual(
    tree.entries.map(({ path }) => path),
    ['a', 'a/b', 'c', 'c/d', 'e']
  )
})

for (const method of ['ListCommits', 'Compare', 'GetTree'] as const) {
  test(`${method} ends when nobody waits for it`, async () => {
    const store = await countingStore()
    const call = serverOn(store, { pageBounds: unbounded, limits: { maxBatchBytes: Number.MAX_SAFE_INTEGER } })
    const caller = new AbortController()
    let answer: Promise<unknown>
    if (method === 'ListCommits') {
      const commits = await history(call, 400)
      store.onRead = (total) => total > 100 && caller.abort()
      answer = call('ListCommits', { revision: commits.at(-1) ?? '', path: 'none' }, caller.signal)
    } else {
      const bomb = await treeBomb(store, 'empty')
      const { oid: nothing } = await call('StoreTree', { entries: [] })
      setTimeout(() => caller.abort(), 1)
      // The shown entries are few enough to fit one page: only the signal ends it.
      if (method === 'Compare') answer = call('Compare', { base: nothing, head: bomb }, caller.signal)
      else answer = listAll(call, bomb, caller.signal)
    }
    await assert.rejects(answer, { code: 'cancelled' })
    const { total } = store
    assert.ok(total < 150, `${total} reads`)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.equal(store.total, total)
  })
}

test('a comparison that reads nothing any more ends, too, when nobody waits for it', async () => {
  const store = await countingStore()
  const call = serverOn(store, { pageBounds: unbounded })
  const file = hashObject('blob', Buffer.from('x'), 'sha1')
  const items = Array.from({ length: 100_000 }, (_, index) => ({ name: nameOf(index), mode: '100644', oid: file }))
  const [base, head] = [await storeTree(store, items), await storeTree(store, items.slice(0, -1))]
  await call('Compare', { base, head })
  const caller = new AbortController()
  const answer = call('Compare', { base, head }, caller.signal)
  setImmediate(() => caller.abort())
  await assert.rejects(answer, { code: 'cancelled' })
})

test('a tree with more levels than Git walks is refused', async () => {
  const store = await countingStore()
  const call = serverOn(store)
  let revision = await storeTree(store, [])
  const { oid: base } = await call('StoreTree', { entries: [] })
  for (let depth = 0; depth < 2050; depth++) {
    revision = await storeTree(store, [{ name: 'd', mode: '040000', oid: revision }])
  }
  const tooDeep = { code: 'resource_exhausted', message: /2048 levels/ }
  await assert.rejects(listAll(call, revision), tooDeep)
  await assert.rejects(call('Compare', { base, head: revision }), tooDeep)
})

/** Asks for all pages. */
async function listAll(call: Call, revision: string, signal?: AbortSignal): Promise<void> {
  for (let pageToken = ''; ; ) {
    const page = await call('GetTree', { revision, recursive: true, pageSize: 10_000, pageToken }, signal)
    pageToken = page.nextPageToken
    if (pageToken === '') return
    await new Promise(setImmediate)
  }
}

test('pages end before they are larger than a message', async () => {
  const store = await countingStore()
  const maxBatchBytes = 64 * 1024
  const call = serverOn(store, { limits: { ...defaultLimits, maxBatchBytes } })
  const file = hashObject('blob', Buffer.from('x'), 'sha1')
  const long = Array.from({ length: 1500 }, (_, index) => ({
    name: nameOf(index).padEnd(240, 'é'),
    mode: '100644',
    oid: file
  }))
  const head = await storeTree(store, long)
  const base = await storeTree(store, [])
  const author = { name: 'A', email: 'a@b', timeSeconds: 1, zone: '+0000' }
  const parents: string[] = []
  for (let index = 0; index < 10; index++) {
    const message = `${index}`.padEnd(20_000, 'x')
    parents.splice(0, 1, (await call('StoreCommit', { tree: base, parents, author, committer: author, message })).oid)
  }
  const updates = Array.from({ length: 600 }, (_, index) => ({
    name: `refs/heads/${nameOf(index)}/${'d/'.repeat(100)}é`,
    rawName: new Uint8Array(0),
    expectedOid: zeroOid('sha1'),
    newOid: parents[0] ?? ''
  }))
  await call('UpdateRefs', { updates })
  const listings = {
    refs: (pageToken: string) => call('ListRefs', { prefix: 'refs/heads/', pageSize: 10_000, pageToken }),
    tree: (pageToken: string) => call('GetTree', { revision: head, pageSize: 10_000, pageToken }),
    compare: (pageToken: string) => call('Compare', { base, head, pageSize: 10_000, pageToken }),
    log: (pageToken: string) => call('ListCommits', { revision: parents[0] ?? '', pageToken })
  }
  for (const [name, list] of Object.entries(listings)) {
    let items = 0
    let pageToken = ''
    do {
      const page = await list(pageToken)
      const bytes = Buffer.byteLength(JSON.stringify(page))
      assert.ok(bytes <= maxBatchBytes, `${name}: a page of ${bytes} bytes`)
      if ('entries' in page) items += page.entries.length
      else if ('changes' in page) items += page.changes.length
      else items += ('refs' in page ? page.refs : page.commits).length
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    assert.equal(items, { log: 10, refs: updates.length }[name] ?? long.length, name)
  }
})
