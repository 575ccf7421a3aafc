/** How many requests a commit takes: contents go with it, and what the server is known to have is named. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Client, ClientOptions, RequestInterceptor } from '../../src/index.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1_700_000_000 }
const commit = { branch: 'main', message: 'm\n', author }

interface Sent {
  readonly method: string
  readonly message: object
}

/** A client whose requests are written down, in the order in which they begin. */
function recorded(fixture: TestServer, options: Partial<ClientOptions>): { client: Client; sent: Sent[] } {
  const sent: Sent[] = []
  const request: RequestInterceptor = (one, next) => {
    sent.push({ method: one.method, message: one.message })
    return next(one)
  }
  return { client: fixture.client({ ...options, interceptors: [{ request }] }), sent }
}

async function scene(context: TestContext, options: Partial<ClientOptions>) {
  const fixture = atEnd(context, await testServer())
  await fixture.client().createRepository('demo')
  return { fixture, ...recorded(fixture, options) }
}

const files = (count: number, content: (index: number) => Uint8Array | string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`dir-${index % 7}/${index}`, content(index)]))

const text = (index: number) => `line ${index} of a text that compresses\n`.repeat(56)
const methodsOf = (sent: readonly Sent[]) => sent.map(({ method }) => method)
const changesOf = (sent: Sent | undefined) =>
  (sent?.message as Messages['CommitFilesRequest'] | undefined)?.changes ?? []

for (const transport of transports) {
  test(`a commit is the first and only request of a client, contents and all (${transport})`, async (context) => {
    const { client, sent } = await scene(context, { transport })
    for (const count of [1, 10, 100]) {
      const changes = files(count, () => randomBytes(2048))
      const { tree } = await client.commitFiles('demo', { ...commit, changes })
      assert.equal(tree.length, 40)
    }
    assert.deepEqual(methodsOf(sent), ['commitFiles', 'commitFiles', 'commitFiles'])
    const listed = await client.getTree('demo', { recursive: true })
    assert.equal(listed.entries.filter(({ mode }) => mode !== '040000').length, 100)
  })

  test(`a commit of 1,000 files is one request, or two where its contents do not compress (${transport})`, async (context) => {
    const { client, sent } = await scene(context, { transport })
    await client.commitFiles('demo', { ...commit, changes: files(1000, text) })
    assert.deepEqual(methodsOf(sent.splice(0)), ['commitFiles'])
    await client.warmUp()
    sent.splice(0)
    const changes = files(1000, () => randomBytes(2048))
    await client.commitFiles('demo', { ...commit, changes })
    assert.deepEqual(methodsOf(sent.splice(0)), ['batchOperations', 'commitFiles'])
    // All was new, and so will be the next.
    await client.commitFiles('demo', { ...commit, changes: files(1000, () => randomBytes(2048)) })
    assert.deepEqual(methodsOf(sent.splice(0)), ['commitFiles'])
    // All is known now: names alone, without a question.
    await client.commitFiles('demo', { ...commit, branch: 'other', changes })
    assert.deepEqual(methodsOf(sent), ['commitFiles'])
    assert.equal(changesOf(sent[0]).length, 1000)
    assert.ok(changesOf(sent[0]).every(({ oid, content }) => oid?.length === 40 && content === undefined))
  })

  test(`contents that an answer has told of are named by their oid (${transport})`, async (context) => {
    const { fixture, client, sent } = await scene(context, { transport })
    const content = (name: string) => `the content of ${name}, longer than a name\n`
    await fixture.client().commitFiles('demo', {
      ...commit,
      changes: { listed: content('listed'), read: content('read'), found: content('found') }
    })
    const { oid: found } = await fixture.client().getBlob('demo', { revision: 'main', path: 'found' })
    await client.storeBlob('demo', content('stored'))
    await client.batch('demo', [{ storeBlob: { content: content('batched') } }])
    await client.getBlob('demo', { revision: 'main', path: 'read' })
    await client.findMissing('demo', [found])
    await client.getTree('demo')
    const names = ['stored', 'batched', 'read', 'found', 'listed', 'new']
    const changes = Object.fromEntries(names.map((name) => [`again/${name}`, content(name)]))
    await client.commitFiles('demo', { ...commit, changes })
    const inlined = changesOf(sent.at(-1)).filter(({ content: bytes }) => bytes !== undefined)
    assert.deepEqual(
      inlined.map(({ path }) => path),
      ['again/new']
    )
    const listed = await client.getTree('demo', { path: 'again' })
    assert.equal(listed.entries.length, names.length)
  })

  test(`a repository made anew lacks what the old one had: the contents are sent after all (${transport})`, async (context) => {
    const { fixture, client, sent } = await scene(context, { transport })
    await client.commitFiles('demo', { ...commit, changes: { a: 'a', b: 'b' } })
    await fixture.client().deleteRepository('demo')
    await fixture.client().createRepository('demo')
    sent.splice(0)
    await client.commitFiles('demo', { ...commit, changes: { a: { content: 'a', expectedOid: null }, b: 'b' } })
    assert.deepEqual(methodsOf(sent), ['commitFiles', 'commitFiles'])
    assert.equal(Buffer.from((await client.getBlob('demo', { revision: 'main', path: 'a' })).content).toString(), 'a')
    // An oid that the caller gave is the caller's to send.
    const oid = 'ab'.repeat(20)
    const lacking = client.commitFiles('demo', { ...commit, changes: { c: { oid }, a: 'a' } })
    await assert.rejects(lacking, { reason: 'missing_object' })
    assert.equal(sent.filter(({ method }) => method === 'commitFiles').length, 3)
  })

  test(`a list too long for one request is committed again on the head that others made (${transport})`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits: { maxBatchBytes: 16 * 1024, maxBatchOperations: 50 } }))
    const other = fixture.client()
    await other.createRepository('demo')
    await other.commitFiles('demo', { ...commit, changes: { 'to/move': 'x' } })
    const { oid: moving } = await other.getBlob('demo', { revision: 'main', path: 'to/move' })
    let moved = 0
    const request: RequestInterceptor = async (one, next) => {
      const { baseTree } = one.message as Partial<Messages['CommitFilesRequest']>
      if (one.method === 'commitFiles' && baseTree && moved++ < 2)
        await other.commitFiles('demo', { ...commit, changes: { [`theirs-${moved}`]: 'x' } })
      return next(one)
    }
    const client = fixture.client({ transport, interceptors: [{ request }] })
    const changes = {
      moved: { moveFrom: 'to/move', expectedOid: moving },
      guarded: { content: 'y', expectedOid: null },
      ...files(400, (index) => `${index}`.repeat(20))
    }
    const made = await client.commitFiles('demo', { ...commit, changes })
    assert.equal(moved, 3)
    const { entries } = await other.getTree('demo', { revision: made.oid, recursive: true })
    const paths = new Set(entries.filter(({ mode }) => mode !== '040000').map(({ path }) => path))
    assert.equal(paths.size, 404)
    for (const path of ['moved', 'guarded', 'theirs-1', 'theirs-2', 'dir-0/0']) assert.ok(paths.has(path), path)
    // The guard of a change that went into a tree still holds.
    await assert.rejects(client.commitFiles('demo', { ...commit, changes: { ...changes, moved: 'z' } }), {
      reason: 'path_mismatch'
    })
  })
}

test('a repository that this client created is asked nothing; one that holds what others sent is asked again', async (context) => {
  const fixture = atEnd(context, await testServer())
  const { client, sent } = recorded(fixture, {})
  await client.createRepository('own')
  const changes = files(1000, () => randomBytes(2048))
  await client.commitFiles('own', { ...commit, changes })
  assert.deepEqual(methodsOf(sent.splice(0)), ['createRepository', 'commitFiles'])
  const second = recorded(fixture, {})
  await second.client.createRepository('own')
  const twice = async () => {
    await second.client.commitFiles('own', { ...commit, changes: { ...changes, more: randomBytes(1_000_000) } })
    return methodsOf(second.sent.splice(0)).filter((method) => method !== 'getCapabilities')
  }
  assert.deepEqual(await twice(), ['createRepository', 'batchOperations', 'commitFiles'])
  assert.ok(second.client.stats().bytesSent < 1_300_000, 'only what the server lacked')
})

test('a commit that the server finds too large, against the limits that are usual, goes in parts', async (context) => {
  const fixture = atEnd(context, await testServer({ limits: { maxBatchBytes: 100_000 } }))
  const { client, sent } = recorded(fixture, {})
  await client.createRepository('demo')
  const changes = files(100, () => randomBytes(2048))
  await client.commitFiles('demo', { ...commit, changes })
  assert.equal((await client.getTree('demo', { recursive: true })).entries.length, 107)
  assert.equal(methodsOf(sent).filter((method) => method === 'commitFiles').length, 2)
})
