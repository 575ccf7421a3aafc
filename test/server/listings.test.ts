/** Listings page by page, each page at another server, over both stores. Git itself judges what they list. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Messages } from '../../src/schema/messages.ts'
import { storeAtOnce } from '../support/long-listings.ts'
import { randomNumbers } from '../support/random.ts'
import { type Call, openStore, repository, serverOn } from '../support/services.ts'

type Random = (below: number) => number

/** Names whose order is that of Git only where directories are compared with their slash. */
const names = ['a', 'a.b', 'a-', 'a0', 'ab', 'b', 'B', '\u{10000}', '\uffff', 'ü']
const modes = ['100644', '100755', '120000', '160000'] as const

/** The same calls on a store of each kind; Git knows the objects of one, and so those of the other. */
async function bothStores(context: TestContext) {
  const stores = [await openStore(context, 'memory'), await openStore(context, 'git')]
  const [, git] = stores
  const calls = stores.map(({ store }) => serverOn(store))
  const call: Call = async (method, request) => {
    const [first, second] = await Promise.all(calls.map((each) => each(method, request)))
    assert.deepEqual(first, second)
    return first as never
  }
  await call('CreateRepository', {})
  return {
    stores,
    call,
    lines: (...args: string[]) => (git?.git(...args) ?? '').split('\0').filter((line) => line !== '')
  }
}

/** All items of a listing in pages, each page from the next of these servers. */
async function inPages<Page extends { nextPageToken: string }>(
  servers: readonly Call[],
  fetchPage: (server: Call, pageToken: string) => Promise<Page>
): Promise<Page[]> {
  const pages: Page[] = []
  let pageToken = ''
  do {
    const page = await fetchPage(servers[pages.length % servers.length] as Call, pageToken)
    pages.push(page)
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return pages
}

async function randomTree(call: Call, random: Random, blobs: readonly string[]): Promise<string> {
  const entries: Messages['StoreTreeRequest']['entries'] = []
  const fill = (prefix: string, depth: number) => {
    for (const name of names) {
      const kind = random(depth === 0 ? 4 : 7)
      const path = prefix + name
      if (kind === 0 && depth < 3) fill(`${path}/`, depth + 1)
      else if (kind < 3) {
        const mode = modes[random(4)] ?? '100644'
        entries.push({ path, rawPath: new Uint8Array(0), mode, rawMode: '', oid: blobs[random(blobs.length)] ?? '' })
      }
    }
  }
  fill('', 0)
  const { oid } = await call('StoreTree', { entries })
  return oid
}

async function someBlobs(call: Call): Promise<string[]> {
  const stored = ['x', 'y', 'z'].map((text) => call('StoreBlob', { content: Buffer.from(text) }))
  return (await Promise.all(stored)).map(({ oid }) => oid)
}

const kindOf = (mode: string) => (mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob')

test('GetTree in pages of any size is git ls-tree, at any server', async (context) => {
  const { stores, call, lines } = await bothStores(context)
  const random = randomNumbers(1)
  const blobs = await someBlobs(call)
  for (let round = 0; round < 4; round++) {
    const tree = await randomTree(call, random, blobs)
    for (const recursive of [true, false]) {
      const expected = lines('ls-tree', '-z', ...(recursive ? ['-r', '-t'] : []), tree)
      for (const { store } of stores) {
        const servers = [serverOn(store), serverOn(store), serverOn(store)]
        for (const pageSize of [1, 2, 3, 7, expected.length || 1, 1000]) {
          const request = { revision: tree, recursive, pageSize }
          const pages = await inPages(servers, (at, pageToken) => at('GetTree', { ...request, pageToken }))
          const found = pages.flatMap(({ entries }) => entries)
          assert.deepEqual(
            found.map(({ mode, oid, path }) => `${mode} ${kindOf(mode)} ${oid}\t${path}`),
            expected
          )
          assert.equal(pages.length, Math.max(1, Math.ceil(expected.length / pageSize)))
        }
      }
    }
  }
})

test('Compare in pages of any size is git diff-tree -r, at any server', async (context) => {
  const { stores, call, lines } = await bothStores(context)
  const random = randomNumbers(2)
  const blobs = await someBlobs(call)
  let head = await randomTree(call, random, blobs)
  for (let round = 0; round < 5; round++) {
    const base = head
    head = await randomTree(call, random, blobs)
    const raw = lines('diff-tree', '-r', '--no-renames', '--raw', '--no-abbrev', '-z', base, head)
    const zero = '0'.repeat(40)
    for (const { store } of stores) {
      const servers = [serverOn(store), serverOn(store), serverOn(store)]
      for (const pageSize of [1, 2, 5, raw.length / 2 || 1, 1000]) {
        const request = { base, head, pageSize }
        const pages = await inPages(servers, (at, pageToken) => at('Compare', { ...request, pageToken }))
        const found = pages.flatMap(({ changes }) => changes)
        const letter = { added: 'A', deleted: 'D', modified: 'M', type_changed: 'T' }
        const shown = found.flatMap(({ path, status, oldMode, newMode, oldOid, newOid }) => [
          `:${oldMode || '000000'} ${newMode || '000000'} ${oldOid || zero} ${newOid || zero} ${letter[status as 'added']}`,
          path
        ])
        assert.deepEqual(shown, raw)
      }
    }
  }
})

/** History with merges, equal dates and dates that run backwards, over files that come, change and go. */
async function randomHistory(call: Call, random: Random, mergeOneIn: number): Promise<string[]> {
  const blobs = await someBlobs(call)
  const trees = [await randomTree(call, random, blobs), await randomTree(call, random, blobs)]
  const oids: string[] = []
  for (let index = 0; index < 40; index++) {
    const count = index === 0 || random(30) === 0 ? 0 : random(mergeOneIn) === 0 ? 2 + random(2) : 1
    // A history without merges is a line.
    const back = mergeOneIn > 1000 ? 1 : 10
    const parents = new Set(
      Array.from({ length: index === 0 ? 0 : Math.max(count, 1) }, () => {
        return oids[Math.max(0, oids.length - 1 - random(back))] ?? ''
      })
    )
    if (index % 7 === 0) trees[random(2)] = await randomTree(call, random, blobs)
    const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000 + index * 3 - random(40) * 2, zone: '+0000' }
    const commit = {
      tree: trees[random(2)] ?? '',
      parents: [...parents],
      author,
      committer: author,
      message: `${index}`
    }
    oids.push((await call('StoreCommit', commit)).oid)
  }
  return oids
}

for (const [kind, mergeOneIn] of [
  ['with merges', 3],
  ['of one line', 1e9]
] as const) {
  test(`ListCommits in pages of any size is git log, at any server, in a history ${kind}`, async (context) => {
    const { stores, lines } = await bothStores(context)
    const commits = await storeAtOnce(
      stores.map(({ store }) => store),
      (make) => randomHistory(make, randomNumbers(3), mergeOneIn)
    )
    for (const revision of commits.slice(-1)) {
      for (const path of ['', 'a', 'b/a', 'none']) {
        const expected = lines('log', '-z', '--format=%H', revision, '--', ...(path ? [path] : []))
        for (const { store } of stores) {
          const servers = [serverOn(store), serverOn(store)]
          for (const pageSize of [1, 3, 10, expected.length || 1, 1000]) {
            for (const at of [servers, servers.slice(0, 1)]) {
              const request = { revision, path, pageSize }
              const pages = await inPages(at, (server, pageToken) => server('ListCommits', { ...request, pageToken }))
              assert.deepEqual(
                pages.flatMap(({ commits: page }) => page.map(({ oid }) => oid)),
                expected
              )
            }
          }
        }
      }
    }
  })
}

test('every listing goes on after a restart of the server', async (context) => {
  const random = randomNumbers(4)
  const opened = await openStore(context, 'git')
  let server = serverOn(opened.store)
  for (let index = 0; index < 5; index++) await server('CreateRepository', { repository: `other/${index}` })
  await server('CreateRepository', {})
  const commits = await storeAtOnce([opened.store], (make) => randomHistory(make, random, 3))
  const updates = commits.slice(0, 9).map((newOid, index) => {
    return { name: `refs/heads/b${index}`, expectedOid: '0'.repeat(40), newOid }
  })
  await server('UpdateRefs', { updates })
  const revision = commits.at(-1) ?? ''
  const listings: { readonly [name: string]: (pageToken: string, pageSize: number) => Promise<[unknown[], string]> } = {
    async repositories(pageToken, pageSize) {
      const page = await server('ListRepositories', { pageToken, pageSize })
      return [page.repositories, page.nextPageToken]
    },
    async refs(pageToken, pageSize) {
      const page = await server('ListRefs', { prefix: 'refs/heads/', pageToken, pageSize })
      return [page.refs, page.nextPageToken]
    },
    async tree(pageToken, pageSize) {
      const page = await server('GetTree', { revision, recursive: true, pageToken, pageSize })
      return [page.entries, page.nextPageToken]
    },
    async log(pageToken, pageSize) {
      const page = await server('ListCommits', { revision, pageToken, pageSize })
      return [page.commits, page.nextPageToken]
    },
    async compare(pageToken, pageSize) {
      const page = await server('Compare', { base: commits[0] ?? '', head: revision, pageToken, pageSize })
      return [page.changes, page.nextPageToken]
    }
  }
  const whole = new Map<string, unknown[]>()
  const begun = new Map<string, [unknown[], string]>()
  for (const [name, list] of Object.entries(listings)) {
    whole.set(name, (await list('', 1000))[0])
    begun.set(name, await list('', 3))
  }
  server = serverOn(await opened.reopen())
  for (const [name, list] of Object.entries(listings)) {
    const [items = [], token = ''] = begun.get(name) ?? []
    assert.notEqual(token, '', name)
    const [rest, next] = await list(token, 1000)
    assert.deepEqual([...items, ...rest], whole.get(name), name)
    assert.equal(next, '', name)
  }
})

test('a token of another listing, of another version, or made up is an invalid argument', async (context) => {
  const { stores, call } = await bothStores(context)
  const tree = await randomTree(call, randomNumbers(5), await someBlobs(call))
  const { nextPageToken } = await call('GetTree', { revision: tree, pageSize: 1 })
  const made = (...values: unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url')
  const [first] = JSON.parse(Buffer.from(nextPageToken, 'base64url').toString()) as [number]
  const wrong = [
    'x',
    '!',
    'W10',
    'bnVsbA',
    'A'.repeat(100_000),
    `${nextPageToken}`.slice(0, -4),
    made(first, 'tree'),
    made(first, 'tree', tree, true, -1),
    made(first, 'tree', tree, true, [-1]),
    made(first, 'tree', tree, true, [0.5]),
    made(first, 'tree', tree, true, ['0']),
    made(first, 'tree', 'main', true, [0]),
    made(first, 'tree', tree, 1, [0]),
    made(first + 1, 'tree', tree, true, [0]),
    made(first, 'log', tree, true, [0]),
    made(first, 'tree', tree, true, [1000, 0]),
    made(first, 'tree', tree, false, [0, 0])
  ]
  for (const pageToken of wrong) {
    for (const { store } of stores) {
      await assert.rejects(
        serverOn(store)('GetTree', { pageToken }),
        { code: 'invalid_argument' },
        pageToken.slice(0, 80)
      )
    }
  }
  const missing = { code: 'not_found', reason: 'object' }
  const pageToken = made(first, 'tree', 'a'.repeat(40), true, [0])
  await assert.rejects(call('GetTree', { pageToken }), missing)
  for (const method of ['Compare', 'ListCommits', 'ListRefs', 'ListRepositories'] as const) {
    await assert.rejects(call(method, { pageToken: nextPageToken }), { code: 'invalid_argument' }, method)
  }
})

test('a token outlives its repository, and shows nothing of it in the next one of that name', async (context) => {
  const { stores, call } = await bothStores(context)
  const random = randomNumbers(6)
  const commits = await storeAtOnce(
    stores.map(({ store }) => store),
    (make) => randomHistory(make, random, 3)
  )
  const revision = commits.at(-1) ?? ''
  const { nextPageToken: tree } = await call('GetTree', { revision, pageSize: 1 })
  const { nextPageToken: log } = await call('ListCommits', { revision, pageSize: 1 })
  const { nextPageToken: changes } = await call('Compare', { base: commits[0] ?? '', head: revision, pageSize: 1 })
  // Another server deletes it: this one is not told.
  for (const { store } of stores) await serverOn(store)('DeleteRepository', { repository })
  for (const { store } of stores) await serverOn(store)('CreateRepository', { repository })
  const missing = { code: 'not_found', reason: 'object' }
  await assert.rejects(call('GetTree', { pageToken: tree }), missing)
  await assert.rejects(call('ListCommits', { pageToken: log }), missing)
  await assert.rejects(call('Compare', { pageToken: changes }), missing)
})
