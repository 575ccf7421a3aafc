/** A server that is killed in the middle of a keyed write: the next one tells whether it was made. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { startNode } from '../support/child.ts'
import { watchFiles } from '../support/file-operations.ts'
import { git, keyed, newCommit, openGitStore, temporaryDirectory } from './support.ts'

const refs = ['refs/heads/a', 'refs/heads/b']
const zero = zeroOid('sha1')
const [one, two] = ['one', 'two'].map((message) => newCommit(message, 'sha1'))
const from = one?.[1]?.oid ?? ''
const to = two?.[1]?.oid ?? ''
const moves = refs.map((name) => ({ name, expectedOid: from, newOid: to }))

/** A data directory with a repository and a segment of the journal. */
async function prepare(context: TestContext): Promise<{ directory: string; gitDir: string }> {
  const directory = await temporaryDirectory(context)
  const store = await GitStore.open(directory)
  await store.createRepository('demo', 'sha1', { request: () => keyed('setup', '', []) })
  await store.putObjects('demo', [...(one ?? []), ...(two ?? [])])
  await store.updateRefs(
    'demo',
    refs.map((name) => ({ name, expectedOid: zero, newOid: from }))
  )
  await store.close()
  return { directory, gitDir: join(directory, 'demo.git') }
}

async function dieIn(directory: string, write: string, point: string): Promise<void> {
  const child = startNode(join(import.meta.dirname, 'request-child.ts'), directory, write, point, from, to)
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}

async function reopen(context: TestContext, directory: string): Promise<GitStore> {
  const store = await GitStore.open(directory)
  context.after(() => store.close())
  return store
}

/** Events of the write that was cut short, counted from the beginning. */
async function eventsOf(store: GitStore, gitDir: string): Promise<readonly string[]> {
  const incarnation = (await readFile(join(gitDir, 'blobwire-instance'), 'utf8')).trim()
  const { events } = await store.readEvents('demo', { after: { incarnation, sequence: 2 ** 32 - 1 }, limit: 100 })
  return events.map(({ moves: all }) =>
    all.map(({ oldOid, newOid }) => `${oldOid.slice(0, 4)}-${newOid.slice(0, 4)}`).join()
  )
}

const began = Array(2)
  .fill(`${zero.slice(0, 4)}-${from.slice(0, 4)}`)
  .join()
const both = Array(2)
  .fill(`${from.slice(0, 4)}-${to.slice(0, 4)}`)
  .join()

const done = { digest: 'digest of key', outcome: 'true' }

test('killed before the effect: no ref has moved, nothing is remembered or told, and the same write works', async (context) => {
  const { directory, gitDir } = await prepare(context)
  await dieIn(directory, 'moves', 'intent')
  const store = await reopen(context, directory)
  assert.deepEqual(await eventsOf(store, gitDir), [began])
  assert.equal(await store.recall('demo', 'key'), undefined)
  assert.deepEqual(await store.readRefs('demo', refs), [from, from])
  assert.deepEqual(await store.updateRefs('demo', moves, { requests: [keyed('key', 'true', moves)] }), [])
  assert.deepEqual(await store.recall('demo', 'key'), done)
  assert.deepEqual(await eventsOf(store, gitDir), [began, both])
})

test('killed after the effect: the refs have moved, and the key and one event tell so, also after another start', async (context) => {
  const { directory, gitDir } = await prepare(context)
  await dieIn(directory, 'moves', 'effect')
  const store = await GitStore.open(directory)
  assert.deepEqual(await store.recall('demo', 'key'), done)
  // From here on the refs tell nothing any more.
  const back = refs.map((name) => ({ name, expectedOid: to, newOid: from }))
  assert.deepEqual(await store.updateRefs('demo', back), [])
  await store.close()
  const again = await reopen(context, directory)
  assert.deepEqual(await again.recall('demo', 'key'), done)
  const returned = Array(2)
    .fill(`${to.slice(0, 4)}-${from.slice(0, 4)}`)
    .join()
  assert.deepEqual(await eventsOf(again, gitDir), [began, both, returned])
})

test('killed among the refs of one write: the next start moves the others', async (context) => {
  const { directory, gitDir } = await prepare(context)
  await dieIn(directory, 'moves', 'intent')
  git(gitDir, ['update-ref', refs[1] ?? '', to])
  const store = await reopen(context, directory)
  assert.deepEqual(await store.readRefs('demo', refs), [to, to])
  assert.deepEqual(await store.recall('demo', 'key'), done)
  assert.deepEqual(await eventsOf(store, gitDir), [began, both])
})

for (const write of ['creation', 'deletion']) {
  test(`a ${write} is remembered where the server was killed after it, not before it`, async (context) => {
    const { directory } = await prepare(context)
    const repository = write === 'creation' ? 'made' : 'demo'
    const isThere = async (store: GitStore) => (await store.getRepository(repository)) !== undefined
    await dieIn(directory, write, 'intent')
    const before = await GitStore.open(directory)
    assert.equal(await before.recall(repository, 'key'), undefined)
    assert.equal(await isThere(before), write === 'deletion')
    await before.close()
    await dieIn(directory, write, 'effect')
    const after = await reopen(context, directory)
    assert.deepEqual(await after.recall(repository, 'key'), done)
    assert.equal(await isThere(after), write === 'creation')
  })
}

test('a deletion that was cut short is no deletion of a later repository of that name', async (context) => {
  const { directory } = await prepare(context)
  await dieIn(directory, 'deletion', 'effect')
  // As if somebody had put another repository there before the next start.
  git(join(directory, 'demo.git'), ['init', '--quiet', '--bare'])
  const store = await reopen(context, directory)
  assert.deepEqual(await store.recall('demo', 'key'), done)
  assert.ok(await store.getRepository('demo'))
})

test('a write whose git died after it had moved the refs is done, and no mismatch', async (context) => {
  const directory = await temporaryDirectory(context)
  const program = join(directory, 'git')
  const loop = 'while read -r line; do [ "$line" = "commit: ok" ] && kill -9 $$ && exit; echo "$line"; done'
  await writeFile(program, `#!/bin/sh\n[ "$1" = update-ref ] || exec git "$@"\ngit "$@" | ${loop}\n`)
  await chmod(program, 0o755)
  const { store } = await openGitStore(context, { program })
  await store.createRepository('demo', 'sha1')
  await store.putObjects('demo', one ?? [])
  const create = refs.map((name) => ({ name, expectedOid: zero, newOid: from }))
  const results = await Promise.all(
    create.map((move) => store.updateRefs('demo', [move], { requests: [keyed(move.name.slice(-1), 'true', [move])] }))
  )
  assert.deepEqual(results, [[], []])
  assert.equal((await store.recall('demo', 'a'))?.outcome, 'true')
  assert.equal((await store.recall('demo', 'b'))?.outcome, 'true')
})

test('moves of a repository that was cut short are none of another repository of its name', async (context) => {
  const { directory, gitDir } = await prepare(context)
  await dieIn(directory, 'moves', 'intent')
  // As if somebody had put another repository there, whose refs happen to be at the new oids.
  for (const name of refs) git(gitDir, ['update-ref', name, to])
  await writeFile(join(gitDir, 'blobwire-instance'), `${'ab'.repeat(16)}\n`)
  const store = await reopen(context, directory)
  assert.equal(await store.recall('demo', 'key'), undefined)
})

test('refs that a start finds moved are synced before anybody is told', async (context) => {
  const { directory } = await prepare(context)
  await dieIn(directory, 'moves', 'effect')
  const synced: string[] = []
  const stop = await watchFiles(join(directory, 'demo.git', 'refs'), {
    after: (operations) => void synced.push(...operations.map(({ kind, path }) => `${kind} ${path}`))
  })
  context.after(stop)
  await reopen(context, directory)
  assert.ok(synced.includes(`sync ${join(directory, 'demo.git', 'refs', 'heads')}`), synced.join())
})
