/** Clones and fetches over HTTP by Git itself, from each store. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import { GitRemotes } from '../../server-fixture/git-http/git-remotes.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { commitOf, last, makeRef } from '../git-export/support.ts'
import { git, temporaryDirectory } from '../store/support.ts'
import { newDatabase } from '../support/database.ts'
import { atEnd, testServer } from '../support/server.ts'
import { WorkTree } from './git-client.ts'

const author = { name: 'A', email: 'a@example.com' }
const main = 'refs/heads/main'
const database = await newDatabase()

async function begin(context: TestContext, store: 'git' | 'memory' | 'postgres', objectFormat: 'sha1' | 'sha256') {
  const fixture = atEnd(context, await testServer(store === 'postgres' ? { store, database: [database] } : { store }))
  const client = fixture.client()
  const repo = client.repository('team/a')
  await repo.createRepository({ objectFormat })
  const commit = async (text: string) =>
    (await repo.commitFiles({ branch: 'main', changes: { 'a/b.txt': text }, message: text, author })).oid
  return { fixture, client, repo, commit, url: `${fixture.server.http}/team/a.git`, work: await WorkTree.init(context) }
}

for (const [store, objectFormat] of [
  ['git', 'sha1'],
  ['memory', 'sha256'],
  ['postgres', 'sha1']
] as const) {
  test(`a clone and a fetch from the ${store} store have the commits of the API`, async (context) => {
    const { commit, url, work } = await begin(context, store, objectFormat)
    const first = await commit('first')
    const clone = await work.clone(url)
    assert.equal(await readFile(join(clone.path, 'a/b.txt'), 'utf8'), 'first')
    const second = await commit('second')
    await clone.git('-c', 'protocol.version=0', 'fetch', '--quiet')
    assert.equal(await clone.git('rev-parse', 'origin/main', 'origin/main~1'), `${second}\n${first}`)
    const third = await commit('third')
    const [head] = (await work.git('ls-remote', url)).split('\n')
    assert.equal(head, `${third}\tHEAD`)
  })
}

test('a shallow clone has one commit, a partial one fetches blobs when they are wanted', async (context) => {
  const { commit, url, work } = await begin(context, 'git', 'sha1')
  await commit('first')
  await commit('second')
  const clone = await work.clone(url, '--depth=1', '--filter=blob:none', '--no-checkout')
  assert.equal(await clone.git('rev-list', '--count', 'HEAD'), '1')
  assert.match(await clone.git('rev-list', '--objects', '--missing=print', 'HEAD'), /^\?/m)
  assert.equal(await clone.git('show', 'HEAD:a/b.txt'), 'second')
  await clone.git('fetch', '--quiet', '--unshallow')
  assert.equal(await clone.git('rev-list', '--count', 'HEAD'), '2')
})

test('the export of a repository that was deleted goes when somebody asks for it', async (context) => {
  const { fixture, client, commit, url, work } = await begin(context, 'memory', 'sha1')
  await commit('first')
  await work.git('ls-remote', url)
  const exported = () => readdir(join(fixture.data, 'git-cache', 'team'))
  assert.deepEqual(await exported(), ['a.git'])
  await client.deleteRepository('team/a')
  const { status, output } = await work.run('ls-remote', url)
  assert.equal(status, 128)
  assert.match(output, /remote: repository team\/a not found: nobody has created it/)
  assert.deepEqual(await exported(), [])
})

test('a fetch of known objects waits for no export, one of others does, and a repository of before is none', async (context) => {
  const store = new MemoryStore()
  await store.createRepository('a', 'sha1')
  const cache = await temporaryDirectory(context)
  const remotes = new GitRemotes(store, { cache })
  const { signal } = new AbortController()
  const first = await makeRef(store, 'a', { name: main, objects: commitOf('first', [], 'sha1') })
  const headOf = (path: string) => git(path, ['rev-parse', main]).output.trim()
  const path = await remotes.directoryWith('a', [], signal)
  assert.deepEqual([path, headOf(path)], [join(cache, 'a.git'), first])
  const next = commitOf('second', [first], 'sha1')
  await makeRef(store, 'a', { name: main, objects: next })
  await remotes.directoryWith('a', [], signal)
  await remotes.directoryWith('a', [first], signal)
  assert.equal(headOf(path), first)
  await remotes.directoryWith('a', [first, last(next)], signal)
  assert.equal(headOf(path), last(next))
  await store.deleteRepository('a')
  await store.createRepository('a', 'sha256')
  await remotes.directoryWith('a', [], signal)
  assert.equal(git(path, ['rev-parse', '--show-object-format']).output.trim(), 'sha256')
  await remotes.close()
})

test('an export that is under way when the server stops leaves nothing behind', async (context) => {
  const store = new MemoryStore()
  await store.createRepository('a', 'sha1')
  await makeRef(store, 'a', { name: main, objects: commitOf('first', [], 'sha1') })
  const cache = await temporaryDirectory(context)
  const exports = new GitExports(store, cache)
  let closing: Promise<void> | undefined
  const readRefs = store.refsAt.bind(store)
  store.refsAt = async (...args) => {
    closing = exports.close()
    return await readRefs(...args)
  }
  await assert.rejects(exports.bring('a'), { reason: 'store_closed' })
  await closing
  const left = await readdir(cache, { recursive: true })
  assert.deepEqual(
    left.filter((path) => /incoming|lock|packed-refs/.test(path)),
    []
  )
  await store.createRepository('b', 'sha1')
  await assert.rejects(exports.bring('b'), { reason: 'store_closed' })
  assert.deepEqual(await readdir(cache), ['a.git'])
})
