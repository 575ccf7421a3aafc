/**
 * The Git store answers when its work outlives a crash of the machine: a rename does only once its directory is synced
 * (fsync(2)), which Git leaves out. No crash is needed to see it: each sync is recorded with the files that were there.
 */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { cp, type FileHandle, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { RequestJournal } from '../../server-fixture/store/git/request-journal.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { watchFiles } from '../support/file-operations.ts'
import { git, keyed, newCommit, newObject, openGitStore, temporaryDirectory } from './support.ts'

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
  // HEAD follows no branch that a call makes.
  await store.createRepository('demo', 'sha1', { defaultBranch: 'refs/heads/main' })
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const [zero, oid] = [zeroOid('sha1'), commit[1]?.oid ?? '']
  const names = ['refs/heads/team/main', 'refs/tags/v1']
  const move = (from: string, to: string) => names.map((name) => ({ name, expectedOid: from, newOid: to }))
  const synced = await recordSyncs(context, directory)
  const wayTo = (...directories: string[]) => new Set(['', ...directories].map((name) => join('demo.git', name)))
  const ofRepository = () => new Set([...paths(synced)].filter((path) => path !== '~requests'))
  const whole = wayTo('refs', 'refs/heads', 'refs/heads/team', 'refs/tags')

  assert.deepEqual(await store.updateRefs('demo', move(zero, oid)), [])
  assert.deepEqual(ofRepository(), whole)
  assert.ok(sawIn(synced, 'demo.git/refs/heads', /^team$/).length > 0)
  assert.ok(sawIn(synced, 'demo.git/refs/heads/team', /^main$/).length > 0)
  assert.ok(sawIn(synced, 'demo.git/refs/tags', /^v1$/).length > 0)

  synced.length = 0
  assert.deepEqual(await store.updateRefs('demo', move(oid, zero)), [])
  // Git has removed the directory that it left empty.
  assert.deepEqual(ofRepository(), wayTo('refs', 'refs/heads', 'refs/tags'), 'a ref that is deleted')
  assert.equal(sawIn(synced, 'demo.git/refs/tags', /^v1$/).length, 0)
  assert.equal(sawIn(synced, 'demo.git/refs/heads', /^team$/).length, 0)

  assert.equal(git(join(directory, 'demo.git'), ['symbolic-ref', 'refs/tags/alias', 'refs/heads/team/main']).status, 0)
  synced.length = 0
  assert.deepEqual(await store.updateRefs('demo', [{ name: 'refs/tags/alias', expectedOid: zero, newOid: oid }]), [])
  assert.deepEqual(ofRepository(), whole, 'a symbolic ref')
})

test('moves that are made at once, with keys, share the syncs of directories and of the journal', async (context) => {
  // The mark of the creation then comes with the next record of the journal, and has no sync of its own.
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { store, directory } = await openGitStore(context)
  const request = () => keyed('creation', '', [])
  await store.createRepository('demo', 'sha1', { defaultBranch: 'refs/heads/main', request })
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const synced = await recordSyncs(context, directory)
  const handle = await open(directory)
  const journal = context.mock.method(Object.getPrototypeOf(handle) as FileHandle, 'datasync')
  await handle.close()
  const moves = Array.from({ length: 50 }, (_, index) => {
    return { name: `refs/heads/${index}`, expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  })
  await Promise.all(moves.map((move) => store.updateRefs('demo', [move], { requests: [keyed(move.name, '', [move])] })))
  assert.deepEqual(synced.map(({ path }) => path).toSorted(), ['demo.git', 'demo.git/refs', 'demo.git/refs/heads'])
  assert.ok(journal.mock.callCount() <= 2, `${journal.mock.callCount()} syncs of the journal`)
})

test('the mark of a keyed move is on disk before the same ref moves without a key', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  context.mock.timers.enable({ apis: ['setTimeout'] })
  await store.updateRefs('demo', [move], { requests: [keyed('key', 'moved', [move])] })
  await store.updateRefs('demo', [{ ...move, expectedOid: move.newOid, newOid: move.expectedOid }])
  // As a killed server would leave it.
  const copy = await temporaryDirectory(context)
  await cp(join(directory, '~requests'), copy, { recursive: true })
  const journal = await RequestJournal.open(copy)
  context.after(() => journal.close())
  // The move without a key has an intent too, for its event.
  assert.deepEqual(
    journal.openIntents().map(({ requests }) => requests),
    [[]]
  )
  assert.equal((await journal.recall('demo', 'key'))?.outcome, 'moved')
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
  const incoming = join(objects, 'blobwire-incoming-0123')
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

test('the mark of a keyed move is on disk before its repository is deleted without a key', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  context.mock.timers.enable({ apis: ['setTimeout'] })
  await store.updateRefs('demo', [move], { requests: [keyed('key', 'moved', [move])] })
  await store.deleteRepository('demo')
  const copy = await temporaryDirectory(context)
  await cp(join(directory, '~requests'), copy, { recursive: true })
  const journal = await RequestJournal.open(copy)
  context.after(() => journal.close())
  assert.deepEqual(journal.openIntents(), [])
})

test('a pack is moved in before its index: with the index, git takes it for whole', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const moved: string[] = []
  const stop = await watchFiles(directory, {
    after: (operations) => void moved.push(...operations.map(({ kind, path }) => `${kind} ${extname(path)}`))
  })
  await store.putObjects('demo', [newObject('blob', 'content', 'sha1')])
  stop()
  assert.deepEqual(moved.slice(-3), ['rename .pack', 'rename .idx', 'sync '])
})
