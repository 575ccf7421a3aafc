import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { chmod, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PutGatherer } from '../../server-fixture/store/gathering/put-gatherer.ts'
import { runGit } from '../../server-fixture/store/git/git-process.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { ObjectReader } from '../../server-fixture/store/git/object-reader.ts'
import { PackDirectory } from '../../server-fixture/store/git/pack-directory.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { type FileOperation, watchFiles } from '../support/file-operations.ts'
import { keyed, newCommit, newObject, openGitStore, temporaryDirectory } from './support.ts'

/** A reader of a repository of which there may be nothing but the directory of packs. */
function readerOf(repository: { program: string; gitDir: string }, packSequence = () => 0): ObjectReader {
  mkdirSync(join(repository.gitDir, 'objects', 'pack'), { recursive: true })
  return new ObjectReader(repository, { format: 'sha1', packs: new PackDirectory(repository.gitDir), packSequence })
}

/** A program that is git, but fails in one command while a file named for it is there. */
async function failingGit(test: TestContext) {
  const directory = await temporaryDirectory(test)
  const program = join(directory, 'git')
  const script = `#!/bin/sh
if [ -e "${directory}/$1" ]; then cat "${directory}/$1" >&2; exit 128; fi
exec git "$@"
`
  await writeFile(program, script)
  await chmod(program, 0o755)
  return {
    program,
    fail: (command: string, says: string) => writeFile(join(directory, command), says),
    heal: (command: string) => rm(join(directory, command))
  }
}

test('while index-pack fails, exactly those puts fail, typed, and the store lives', async (context) => {
  const { program, fail, heal } = await failingGit(context)
  const { store } = await openGitStore(context, { program })
  await store.createRepository('demo', 'sha1')
  const blobs = Array.from({ length: 6 }, (_, index) => newObject('blob', `blob ${index}`, 'sha1'))
  const put = (from: number, to: number) => store.putObjects('demo', blobs.slice(from, to))
  await put(0, 2)
  await fail('index-pack', 'fatal: write error: No space left on device')
  const full = { code: 'unavailable', reason: 'storage', retryable: true }
  await Promise.all([assert.rejects(put(2, 3), full), assert.rejects(put(3, 4), full), put(0, 2)])
  await fail('index-pack', 'fatal: out of its mind')
  await assert.rejects(put(4, 5), { code: 'internal', reason: 'git_failed' })
  await heal('index-pack')
  await put(2, 4)
  const infos = await store.hasObjects(
    'demo',
    blobs.map((blob) => blob.oid)
  )
  assert.deepEqual(
    infos.map((info) => info !== undefined),
    [true, true, true, true, false, false]
  )
})

test('a git process that was started ahead and died fails no put', async (context) => {
  const { program, fail, heal } = await failingGit(context)
  const { store } = await openGitStore(context, { program })
  await store.createRepository('demo', 'sha1')
  const put = (name: string) => store.putObjects('demo', [newObject('blob', name, 'sha1')])
  // Two at once, so that a spare is started; the one for the second pair is born failing.
  await Promise.all([put('a'), put('b')])
  await fail('index-pack', 'fatal: out of its mind')
  const second = Promise.allSettled([put('c'), put('d')])
  await second
  await heal('index-pack')
  await Promise.all([put('e'), put('f')])
  await Promise.all([put('c'), put('d')])
})

test('while update-ref fails, moves fail, typed, and then work', async (context) => {
  const { program, fail, heal } = await failingGit(context)
  const { store } = await openGitStore(context, { program })
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  await fail('update-ref', 'fatal: commit: Input/output error')
  await assert.rejects(store.updateRefs('demo', [move]), { code: 'unavailable', reason: 'storage' })
  assert.deepEqual(await store.readRefs('demo', [move.name]), [undefined])
  await heal('update-ref')
  assert.deepEqual(await store.updateRefs('demo', [move]), [])
})

test('a reader whose process is killed answers through a new process', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const blob = newObject('blob', 'read me', 'sha1')
  await store.putObjects('demo', [blob])
  const reader = readerOf({ program: 'git', gitDir: join(directory, 'demo.git') })
  context.after(() => reader.close())
  await reader.infos([blob.oid])
  const first = reader.pid ?? assert.fail('no process')
  process.kill(first, 'SIGKILL')
  const answers = await Promise.all(Array.from({ length: 10 }, () => reader.objects([blob.oid], 100)))
  for (const [answer] of answers) assert.deepEqual(answer?.content, blob.content)
  assert.notEqual(reader.pid, first)
  reader.recycle()
  assert.equal((await reader.infos([blob.oid]))[0]?.size, 7)
})

test('a reader that cannot start its process fails with the cause', async (context) => {
  const directory = await temporaryDirectory(context)
  const reader = readerOf({ program: join(directory, 'none'), gitDir: directory })
  await assert.rejects(reader.infos(['1'.repeat(40)]), { code: 'unavailable', reason: 'git_unavailable' })
  await reader.close()
})

test('an object missing during a repack is looked up again', async (context) => {
  const directory = await temporaryDirectory(context)
  const program = join(directory, 'git')
  // Answers `missing` once, then that the object is there.
  const script = `#!/bin/sh
while read -r command oid; do
  if [ "$command" = flush ]; then continue; fi
  if [ -e "${directory}/asked" ]; then echo "$oid blob 3"; else echo "$oid missing"; fi
  : >"${directory}/asked"
done
`
  await writeFile(program, script)
  await chmod(program, 0o755)
  const oid = '1'.repeat(40)
  for (const { moved, found } of [
    { moved: [0, 0], found: false },
    { moved: [1, 1], found: true },
    { moved: [0, 2], found: true }
  ]) {
    await rm(join(directory, 'asked'), { force: true })
    const reader = readerOf({ program, gitDir: directory }, () => moved.shift() ?? 0)
    assert.deepEqual(await reader.infos([oid]), [found ? { kind: 'blob', size: 3 } : undefined])
    await reader.close()
  }
})

test('one object that git refuses does not fail its neighbours; those of a failed disk all fail', async () => {
  const packs: string[][] = []
  const writer = new PutGatherer(async (objects) => {
    packs.push(objects.map((object) => Buffer.from(object.content).toString()))
    if (packs.at(-1)?.includes('full')) throw new BlobwireError({ code: 'unavailable', message: 'disk' })
    if (packs.at(-1)?.includes('bad')) throw new BlobwireError({ code: 'internal', message: 'bad' })
  })
  const put = (...texts: string[]) => writer.put(texts.map((text) => newObject('blob', text, 'sha1')))
  const results = await Promise.allSettled([put('a'), put('b', 'a'), put('bad'), put('c'), put('bad', 'd')])
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected']
  )
  assert.deepEqual(packs[0], ['a', 'b', 'bad', 'c', 'd'])
  packs.length = 0
  const full = await Promise.allSettled([put('e'), put('full')])
  assert.deepEqual(
    full.map((result) => result.status),
    ['rejected', 'rejected']
  )
  assert.deepEqual(packs, [['e', 'full']])
  await put('a', 'b', 'd')
  assert.equal(packs.length, 1, 'what is durable is not written again')
  await put('e')
  assert.deepEqual(packs.at(-1), ['e'])
})

test('where much waits, a second pack is begun while the first one is written, and no third', async () => {
  const packs: number[] = []
  const gates: (() => void)[] = []
  const writer = new PutGatherer(async (objects) => {
    packs.push(objects.length)
    await new Promise<void>((resolve) => gates.push(resolve))
  })
  const put = (text: string, bytes: number) => writer.put([newObject('blob', text.padEnd(bytes), 'sha1')])
  const turns = async () => {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
  }
  const puts = [put('first', 10)]
  await turns()
  puts.push(put('a', 2_000_000), put('b', 2_000_000))
  await turns()
  assert.deepEqual(packs, [1])
  puts.push(put('c', 2_000_000))
  await turns()
  assert.deepEqual(packs, [1, 3])
  puts.push(put('d', 5_000_000))
  await turns()
  assert.deepEqual(packs, [1, 3])
  for (let written = 0; written < 3; written++) {
    gates[written]?.()
    await turns()
  }
  await Promise.all(puts)
  assert.deepEqual(packs, [1, 3, 1])
  await writer.drain()
})

test('puts gather while a pack is being written', async () => {
  const sizes: number[] = []
  const gates: (() => void)[] = []
  const writer = new PutGatherer(async (objects) => {
    sizes.push(objects.length)
    await new Promise<void>((resolve) => gates.push(resolve))
  })
  const put = (text: string) => writer.put([newObject('blob', text, 'sha1')])
  const first = put('first')
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  const later = [put('second'), put('third'), put('first')]
  assert.deepEqual(sizes, [1])
  gates[0]?.()
  await first
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  assert.deepEqual(sizes, [1, 2])
  gates[1]?.()
  await Promise.all(later)
  await writer.drain()
})

test('opening the store fails without git, and with a git that is too old', async (context) => {
  const directory = await temporaryDirectory(context)
  const missing = GitStore.open(join(directory, 'data'), { program: join(directory, 'no-git') })
  await assert.rejects(missing, { code: 'unavailable', reason: 'git_unavailable' })
  const old = join(directory, 'old-git')
  await writeFile(old, '#!/bin/sh\necho git version 2.30.2\n')
  await chmod(old, 0o755)
  const tooOld = GitStore.open(join(directory, 'data'), { program: old })
  await assert.rejects(tooOld, { code: 'failed_precondition', reason: 'git_version' })
  await writeFile(join(directory, 'file'), '')
  await assert.rejects(GitStore.open(join(directory, 'file')), { code: 'unavailable', reason: 'storage' })
})

test('a ref that another git process moves after the store has looked is a mismatch', async (context) => {
  const directory = await temporaryDirectory(context)
  const program = join(directory, 'git')
  const commits = ['one', 'two', 'three'].map((message) => newCommit(message, 'sha1'))
  const [one = '', two = '', three = ''] = commits.map((objects) => objects[1]?.oid)
  const main = 'refs/heads/main'
  // The other process is just before ours, which has been told its expected oid already.
  const moved = `if [ "$2" = --stdin ] && [ -e "${directory}/race" ]; then git update-ref ${main} ${three}; fi`
  await writeFile(program, `#!/bin/sh\nif [ "$1" = update-ref ]; then ${moved}; fi\nexec git "$@"\n`)
  await chmod(program, 0o755)
  const { store, directory: data } = await openGitStore(context, { program })
  await store.createRepository('demo', 'sha1')
  await store.putObjects('demo', commits.flat())
  const git = { program: 'git', gitDir: join(data, 'demo.git') }
  await runGit(git, ['update-ref', main, one])
  await writeFile(join(directory, 'race'), '')
  const mismatches = await store.updateRefs('demo', [{ name: main, expectedOid: one, newOid: two }])
  assert.deepEqual(mismatches, [{ name: main, expectedOid: one, foundOid: three }])
  assert.deepEqual(await store.readRefs('demo', [main]), [three])
})

test('no ref moves where the intent cannot be written', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  const handle = await open(directory)
  const fail = async () => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  context.mock.method(Object.getPrototypeOf(handle), 'datasync', fail, { times: 1 })
  await handle.close()
  await assert.rejects(store.updateRefs('demo', [move], { requests: [keyed('key', 'moved', [move])] }), {
    reason: 'storage'
  })
  assert.deepEqual(await store.readRefs('demo', [move.name]), [undefined])
  assert.equal(await store.recall('demo', 'key'), undefined)
  assert.deepEqual(await store.updateRefs('demo', [move], { requests: [keyed('key', 'moved', [move])] }), [])
})

test('a creation that others see is remembered, although its place could not be synced', async (context) => {
  const { store, directory } = await openGitStore(context)
  const fail = async ([first]: readonly FileOperation[]) => {
    if (first?.kind === 'sync' && first.path === directory && (await store.getRepository('made')))
      throw new Error('EIO')
  }
  const stop = await watchFiles(directory, { before: fail })
  const creation = store.createRepository('made', 'sha1', { request: ({ created }) => keyed('key', `${created}`, []) })
  await assert.rejects(creation, { code: 'unavailable', reason: 'storage' })
  stop()
  assert.equal((await store.recall('made', 'key'))?.outcome, 'true')
})

test('git is told to sync its files, packs and refs among them', async (context) => {
  const directory = await temporaryDirectory(context)
  const program = join(directory, 'git')
  const log = join(directory, 'log')
  await writeFile(
    program,
    `#!/bin/sh\necho "$1 $(git config core.fsync) $(git config core.fsyncMethod)" >>"${log}"\nexec git "$@"\n`
  )
  await chmod(program, 0o755)
  const { store } = await openGitStore(context, { program })
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  assert.deepEqual(await store.updateRefs('demo', [move]), [])
  const lines = new Set((await readFile(log, 'utf8')).trim().split('\n'))
  for (const command of ['init', 'index-pack', 'update-ref']) assert.ok(lines.has(`${command} all fsync`), command)
})
