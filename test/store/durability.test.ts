/**
 * The Git store answers when its work outlives a crash of the machine: a rename does only once its directory is synced
 * (fsync(2)), which Git leaves out. No crash is needed to see it: each sync is recorded with the files that were there.
 */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { newCommit, newObject, openGitStore, temporaryDirectory } from './support.ts'

/** A sync that has ended. */
interface Synced {
  /** From the data directory. */
  readonly path: string
  readonly inode: number
  /** Names in it when the sync began, and in the data directory; of a file none. */
  readonly names: readonly string[]
  readonly all: readonly string[]
}

/** Records what is synced below a directory. Each sync takes some turns, so that an answer that does not wait is early. */
async function recordSyncs(context: TestContext, directory: string): Promise<Synced[]> {
  const synced: Synced[] = []
  const handle = await open(directory)
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const sync = prototype.sync
  context.mock.method(prototype, 'sync', async function (this: FileHandle) {
    const found = await this.stat()
    const all = readdirSync(directory, { recursive: true }) as string[]
    const path =
      ['', ...all].find((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.ino === found.ino) ??
      assert.fail()
    const names = found.isDirectory() ? readdirSync(join(directory, path)) : []
    for (let count = 0; count < 20; count++) await turn()
    await sync.call(this)
    synced.push({ path, inode: found.ino, names, all })
  })
  return synced
}

const paths = (synced: readonly Synced[]) => new Set(synced.map(({ path }) => path))

/** The syncs of the directory at `path` that saw the file `name` in it. */
const sawIn = (synced: readonly Synced[], path: string, name: RegExp) =>
  synced.filter((one) => one.path === path && one.names.some((found) => name.test(found)))

test('a put is answered when the directory of its pack is synced, with pack and index in it', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const synced = await recordSyncs(context, directory)
  for (const packs of [1, 2]) {
    synced.length = 0
    await store.putObjects('demo', [newObject('blob', `number ${packs}`, 'sha1')])
    const [last] = synced.filter(({ path }) => path === 'demo.git/objects/pack')
    const count = (extension: string) => last?.names.filter((name) => name.endsWith(extension)).length
    assert.deepEqual([count('.pack'), count('.idx')], [packs, packs])
  }
})

test('a moved ref is answered when each directory on the way to it is synced', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const [zero, oid] = [zeroOid('sha1'), commit[1]?.oid ?? '']
  const names = ['refs/heads/team/main', 'refs/tags/v1']
  const move = (from: string, to: string) => names.map((name) => ({ name, expectedOid: from, newOid: to }))
  const synced = await recordSyncs(context, directory)
  const wayTo = (...directories: string[]) => new Set(['', ...directories].map((name) => join('demo.git', name)))
  const whole = wayTo('refs', 'refs/heads', 'refs/heads/team', 'refs/tags')

  assert.deepEqual(await store.updateRefs('demo', move(zero, oid)), [])
  assert.deepEqual(paths(synced), whole)
  assert.ok(sawIn(synced, 'demo.git/refs/heads', /^team$/).length > 0)
  assert.ok(sawIn(synced, 'demo.git/refs/heads/team', /^main$/).length > 0)
  assert.ok(sawIn(synced, 'demo.git/refs/tags', /^v1$/).length > 0)

  // Whoever moved it there may have been killed before the sync.
  synced.length = 0
  assert.deepEqual(await store.updateRefs('demo', move(oid, oid)), [])
  assert.deepEqual(paths(synced), whole, 'a ref that is there already')

  synced.length = 0
  assert.deepEqual(await store.updateRefs('demo', move(oid, zero)), [])
  // Git has removed the directory that it left empty.
  assert.deepEqual(paths(synced), wayTo('refs', 'refs/heads', 'refs/tags'), 'a ref that is deleted')
  assert.equal(sawIn(synced, 'demo.git/refs/tags', /^v1$/).length, 0)
  assert.equal(sawIn(synced, 'demo.git/refs/heads', /^team$/).length, 0)
})

test('a new repository is synced whole before it is moved to its place, and then its place', async (context) => {
  const { store, directory } = await openGitStore(context)
  const synced = await recordSyncs(context, directory)
  await store.createRepository('team/demo', 'sha1')
  const place = join('team', 'demo.git')
  const before = new Set(synced.filter(({ all }) => !all.includes(place)).map(({ inode }) => inode))
  const files = (await readdir(join(directory, place), { recursive: true })).map((name) => join(place, name))
  assert.ok(files.length > 5)
  for (const name of [place, ...files]) {
    assert.ok(before.has((await stat(join(directory, name))).ino), `${name} was synced before`)
  }
  const after = synced.filter(({ all }) => all.includes(place))
  assert.deepEqual(paths(after), new Set(['team', '']))
})

test('a deleted repository is answered when the directory that held it is synced', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('team/demo', 'sha1')
  const synced = await recordSyncs(context, directory)
  await store.deleteRepository('team/demo')
  assert.deepEqual(paths(synced), new Set(['team', '']))
  assert.ok(synced.every(({ all }) => !all.includes(join('team', 'demo.git'))))
})

test('an index that a killed server had not moved in is synced in its place before its old one goes', async (context) => {
  const directory = await temporaryDirectory(context)
  const blob = newObject('blob', 'in the pack', 'sha1')
  const first = await GitStore.open(directory)
  await first.createRepository('demo', 'sha1')
  await first.putObjects('demo', [blob])
  await first.close()
  const objects = join('demo.git', 'objects')
  const incoming = join(objects, 'tmp_objdir-blobwire-0123')
  await mkdir(join(directory, incoming, 'pack'), { recursive: true })
  const index = (await readdir(join(directory, objects, 'pack'))).find((name) => name.endsWith('.idx')) ?? ''
  await rename(join(directory, objects, 'pack', index), join(directory, incoming, 'pack', index))

  const second = await GitStore.open(directory)
  context.after(() => second.close())
  const synced = await recordSyncs(context, directory)
  assert.deepEqual(await second.hasObjects('demo', [blob.oid]), [{ kind: 'blob', size: 11 }])
  const [only] = sawIn(synced, join(objects, 'pack'), /\.idx$/)
  assert.ok(only?.all.includes(incoming))
})
