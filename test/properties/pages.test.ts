/**
 * Listings: pages of any sizes, one after the other, are the whole listing, and so is the client's walk through them; refs
 * that others make or remove in between neither hide the other refs nor show them twice.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Client, Repository } from '../../src/index.ts'
import { holdsLater } from '../support/property.ts'
import { type TestServer, testServer } from '../support/server.ts'

const author = { name: 'A', email: 'a@example.org', timeSeconds: 1_700_000_000, zone: '+0000' }
/** In directories whose order differs from that of their names. */
const file = (index: number) => `${['a', 'a.', 'b/c', 'b/c0', 'é'][index % 5]}/${index}`
const refName = (index: number) => `refs/${['heads', 'tags', 'x'][index % 3]}/${['r', 'r.', 'r/s'][index % 2]}${index}`

interface Page {
  readonly items: readonly unknown[]
  readonly nextPageToken?: string
}

interface PageRequest {
  readonly pageSize: number
  readonly pageToken?: string
}

/** A listing, by pages and as the client walks through it. */
interface Listing {
  readonly page: (page: PageRequest) => Promise<Page>
  readonly walk?: (pageSize: number) => AsyncIterable<unknown>
}

let server: TestServer
let client: Client
let repo: Repository
let head: string

/** A history with a merge, of files in many directories; refs; repositories. */
before(async () => {
  server = await testServer()
  client = server.client({ transport: 'msgpack' })
  for (let index = 0; index < 9; index++) await client.createRepository(`other/${index}`)
  repo = client.repository('demo')
  await repo.createRepository()
  for (const branch of ['main', 'side']) {
    for (let index = 0; index < 12; index++) {
      const changes = { [file(index)]: `${branch} ${index}`, [file(index + 12)]: '' }
      head = (await repo.commitFiles({ branch, changes, author, message: `${branch} ${index}` })).oid
    }
  }
  const main = (await repo.getCommit('main')).commit
  head = (await repo.storeCommit({ tree: main.tree, parents: [main.oid, head], author, message: 'merge' })).oid
  await repo.updateRefs([
    { name: 'refs/heads/main', expectedOid: main.oid, newOid: head },
    ...Array.from({ length: 22 }, (_, index) => ({ name: refName(index), expectedOid: null, newOid: head }))
  ])
})
after(() => server[Symbol.asyncDispose]())

/** One page as any client can ask for it. */
async function ask(method: string, request: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${server.server.http}/blobwire.v1.VcsService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ repository: 'demo', ...request })
  })
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as Record<string, unknown>
}

async function treePage(request: object): Promise<Page> {
  const { entries, nextPageToken = '' } = await ask('GetTree', request)
  return { items: (entries ?? []) as unknown[], nextPageToken: nextPageToken as string }
}

const listings: Readonly<Record<string, Listing>> = {
  listRefs: {
    async page(page) {
      const { refs, nextPageToken } = await repo.listRefs(page)
      return { items: refs, nextPageToken }
    },
    walk: (pageSize) => repo.refs({ pageSize })
  },
  'listRefs of a prefix': {
    async page(page) {
      const { refs, nextPageToken } = await repo.listRefs({ prefix: 'refs/tags/r', ...page })
      return { items: refs, nextPageToken }
    },
    walk: (pageSize) => repo.refs({ prefix: 'refs/tags/r', pageSize })
  },
  listCommits: {
    async page(page) {
      const { commits, nextPageToken } = await repo.listCommits({ revision: 'main', ...page })
      return { items: commits, nextPageToken }
    },
    walk: (pageSize) => repo.commits({ revision: 'main', pageSize })
  },
  'listCommits of a path': {
    async page(page) {
      const { commits, nextPageToken } = await repo.listCommits({ revision: 'main', path: 'b', ...page })
      return { items: commits, nextPageToken }
    },
    walk: (pageSize) => repo.commits({ revision: 'main', path: 'b', pageSize })
  },
  compare: {
    async page(page) {
      const { changes, nextPageToken } = await repo.compare({ base: 'main', head: 'side', ...page })
      return { items: changes, nextPageToken }
    },
    walk: (pageSize) => repo.changes({ base: 'main', head: 'side', pageSize })
  },
  getTree: { page: (page) => treePage({ revision: 'main', ...page }) },
  'getTree, recursive': { page: (page) => treePage({ revision: 'main', recursive: true, ...page }) },
  listRepositories: {
    async page(page) {
      const { repositories, nextPageToken } = await client.listRepositories(page)
      return { items: repositories, nextPageToken }
    },
    walk: (pageSize) => client.repositories({ pageSize })
  }
}

/** All items, by pages of these sizes, over and over; `between` is called after each page. */
async function byPages({ page }: Listing, sizes: readonly number[], between = async (_at: number) => {}) {
  const items: unknown[] = []
  let pageToken = ''
  for (let at = 0; at === 0 || pageToken !== ''; at++) {
    const pageSize = sizes[at % sizes.length] as number
    const found = await page({ pageSize, ...(pageToken !== '' && { pageToken }) })
    assert.ok(found.items.length <= pageSize, `${found.items.length} items on a page of ${pageSize}`)
    items.push(...found.items)
    pageToken = found.nextPageToken ?? ''
    if (pageToken !== '') await between(at)
  }
  return items
}

const anySizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 })

for (const [name, listing] of Object.entries(listings)) {
  test(`${name}: pages of any sizes are the whole listing`, async () => {
    const { items: all } = await listing.page({ pageSize: 1000 })
    assert.ok(all.length > 3 && new Set(all.map((item) => JSON.stringify(item))).size === all.length)
    await holdsLater(
      anySizes,
      async (sizes) => {
        assert.deepEqual(await byPages(listing, sizes), all)
        if (listing.walk === undefined) return
        const walked: unknown[] = []
        for await (const item of listing.walk(sizes[0] as number)) walked.push(item)
        assert.deepEqual(walked, all)
      },
      { runs: 15 }
    )
  })
}

test('listRefs: refs that are made and removed between pages do not disturb the others', async () => {
  const listing = listings['listRefs'] as Listing
  const { items: steady } = await listing.page({ pageSize: 1000 })
  // Deleted and made again, in turns, somewhere in the order.
  const moving = fc.uniqueArray(fc.tuple(fc.constantFrom('heads', 'm', 'tags', 'zz'), fc.nat(9)), { maxLength: 5 })
  await holdsLater(
    fc.tuple(anySizes, moving),
    async ([sizes, places]) => {
      const names = places.map(([kind, number]) => `refs/${kind}/moving${number}`)
      const there = new Set<string>()
      const toggle = async (at: number) => {
        const name = names[at % names.length]
        if (name === undefined) return
        const isThere = there.delete(name)
        if (!isThere) there.add(name)
        await repo.updateRefs([{ name, expectedOid: isThere ? head : null, newOid: isThere ? null : head }])
      }
      const items = (await byPages(listing, sizes, toggle)) as { name: string }[]
      assert.deepEqual(
        items.filter(({ name }) => !name.includes('moving')),
        steady
      )
      assert.equal(new Set(items.map(({ name }) => name)).size, items.length)
      if (there.size === 0) return
      await repo.updateRefs([...there].map((name) => ({ name, expectedOid: head, newOid: null })))
    },
    { runs: 15 }
  )
})
