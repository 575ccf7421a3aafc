/** Exports of a repository as a bare Git repository: Git finds in them what the store has. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import { listAllRefs } from '../../server-fixture/git-export/store-refs.ts'
import { LockFile } from '../../server-fixture/store/git/lock-file.ts'
import type { NewObject } from '../../server-fixture/store/store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { git, newObject, temporaryDirectory } from '../store/support.ts'
import { commitOf, fill, judge, last, makeRef, ScanningStore, WatchedStore } from './support.ts'

const main = 'refs/heads/main'

/** A store with the repository `a` of one commit, and its exports. */
async function begin(context: TestContext, store = new WatchedStore()) {
  const directory = await temporaryDirectory(context)
  const exports = new GitExports(store, directory)
  await store.createRepository('a', 'sha1')
  const oid = await makeRef(store, 'a', { name: main, objects: commitOf('one', [], 'sha1') })
  return { store, directory, exports, oid, refs: new Map([[main, oid]]) }
}

const failing = (reason: string, message: RegExp) => (error: unknown) => {
  assert.equal((error as { reason: string }).reason, reason)
  assert.match((error as Error).message, message)
  return true
}

for (const format of ['sha1', 'sha256'] as const) {
  for (const Kind of format === 'sha1' ? [WatchedStore, ScanningStore] : [ScanningStore]) {
    test(`${format}, ${Kind.name}: Git has every ref, HEAD and object of the export, and a clone has them too`, async (context) => {
      const store = new Kind()
      const { refs, head } = await fill(store, 'team/a', format)
      const directory = await temporaryDirectory(context)
      const { path, objects } = await new GitExports(store, directory).bring('team/a')
      assert.equal(path, join(directory, 'team', 'a.git'))
      assert.equal(objects, judge(path, refs))
      assert.equal(store.asked.includes('scanObjects'), Kind === ScanningStore)
      const clone = join(directory, 'clone')
      const cloned = git(path, ['clone', '--quiet', '--mirror', '--no-local', path, clone])
      assert.equal(cloned.status, 0, cloned.output)
      assert.equal(judge(clone, refs), objects)
      assert.equal(readFileSync(join(clone, 'HEAD'), 'utf8'), `ref: ${head}\n`)
      const peeled = (gitDir: string) => git(gitDir, ['show-ref', '--dereference']).output
      assert.match(peeled(path), /outside\^\{\}/)
      assert.equal(peeled(path), peeled(clone), 'the export tells where tags lead, as Git found it in the clone')
    })
  }
}

test('where nothing has changed, the store is asked two questions, and nobody waits for a lock', async (context) => {
  const { store, exports, refs } = await begin(context)
  const { path } = await exports.bring('a')
  store.asked = []
  const lock = await LockFile.acquire(path)
  assert.equal((await exports.bring('a')).isRefreshed, false)
  assert.deepEqual(store.asked, ['readEvents', 'readHead'])
  await lock.release()
  judge(path, refs)
  const { readEvents } = store
  store.readEvents = async (...request) => {
    const page = await readEvents.call(store, ...request)
    return { ...page, cursor: { incarnation: 'of another one', sequence: 0 } }
  }
  assert.equal((await exports.bring('a')).isRefreshed, true, 'places of different repositories are not compared')
})

test('a refresh takes new objects alone, follows events without listing refs, and follows HEAD', async (context) => {
  const { store, exports, oid } = await begin(context)
  const { path } = await exports.bring('a')
  await makeRef(store, 'a', { name: 'refs/heads/gone', objects: commitOf('gone', [oid], 'sha1') })
  await exports.bring('a')
  const gone = (await store.readRefs('a', ['refs/heads/gone']))[0] as string
  await store.updateRefs('a', [{ name: 'refs/heads/gone', expectedOid: gone, newOid: zeroOid('sha1') }])
  const two = await makeRef(store, 'a', { name: main, objects: commitOf('two', [oid], 'sha1') })
  await store.updateRepository('a', 'refs/heads/other')
  store.asked = []
  const { objects } = await exports.bring('a')
  assert.equal(objects, 3, 'a blob, a tree and a commit')
  assert.ok(!store.asked.includes('refsAt'))
  assert.equal(judge(path, new Map([[main, two]])), 6)
  assert.equal(readFileSync(join(path, 'HEAD'), 'utf8'), 'ref: refs/heads/other\n')
  await store.updateRepository('a', main)
  assert.equal((await exports.bring('a')).isRefreshed, true, 'HEAD moves without an event')
  assert.equal(readFileSync(join(path, 'HEAD'), 'utf8'), `ref: ${main}\n`)
})

test('the export of a repository that was deleted is removed, and one of the same name has nothing of it', async (context) => {
  const { store, exports, oid } = await begin(context)
  const { path } = await exports.bring('a')
  await store.deleteRepository('a')
  await assert.rejects(exports.bring('a'), failing('repository', /"a" not found/))
  assert.equal(existsSync(path), false)
  await exports.bring('a').catch(() => undefined)
  await store.createRepository('a', 'sha256')
  await exports.bring('a')
  await store.deleteRepository('a')
  await store.createRepository('a', 'sha1')
  const other = await makeRef(store, 'a', { name: main, objects: commitOf('other', [], 'sha1') })
  await exports.bring('a')
  judge(path, new Map([[main, other]]))
  assert.notEqual(git(path, ['cat-file', '-e', oid]).status, 0)
})

test('an export that a process left half made is made anew', async (context) => {
  const { exports, refs } = await begin(context)
  const { path } = await exports.bring('a')
  await rm(join(path, 'packed-refs'))
  await rm(join(path, 'config'))
  await exports.bring('a')
  judge(path, refs)
})

test('the unfinished pack of a process that was killed is removed', async (context) => {
  const { exports, refs, store, oid } = await begin(context)
  const { path } = await exports.bring('a')
  const incoming = join(path, 'objects', 'blobwire-incoming-0123')
  await mkdir(incoming)
  await writeFile(join(incoming, 'new.pack'), 'half')
  refs.set(
    'refs/heads/other',
    await makeRef(store, 'a', { name: 'refs/heads/other', objects: commitOf('two', [oid], 'sha1') })
  )
  await exports.bring('a')
  judge(path, refs)
  assert.equal(existsSync(incoming), false)
})

test('an object that was scanned before those that it names does not hide that they are missing', async (context) => {
  const { store, exports, oid } = await begin(context, new ScanningStore())
  const objects = commitOf('two', [oid], 'sha1')
  await store.putObjects('a', objects)
  store.missing.add(objects[0]?.oid as string)
  const { path } = await exports.bring('a')
  assert.equal(git(path, ['cat-file', '-e', last(objects)]).status, 0, 'the commit is there, with no ref')
  store.missing.clear()
  await makeRef(store, 'a', { name: main, objects })
  await exports.bring('a')
  assert.equal(judge(path, new Map([[main, last(objects)]])), 6)
})

test('a read that fails leaves the export as it was, and the next call completes it', async (context) => {
  const { store, exports, oid, refs } = await begin(context)
  const { path } = await exports.bring('a')
  const objects = commitOf('two', [oid], 'sha1')
  await makeRef(store, 'a', { name: main, objects })
  store.missing.add(objects[0]?.oid as string)
  await assert.rejects(exports.bring('a'), failing('integrity', new RegExp(objects[0]?.oid as string)))
  judge(path, refs)
  store.missing.clear()
  await exports.bring('a')
  judge(path, new Map([[main, last(objects)]]))
})

test('a scan that has an object without those that it names is not taken for connected', async (context) => {
  const { store, exports } = await begin(context, new ScanningStore())
  const objects = commitOf('two', [], 'sha1')
  await makeRef(store, 'a', { name: main, objects })
  store.missing.add(objects[0]?.oid as string)
  await assert.rejects(exports.bring('a'), failing('integrity', /not connected/))
})

test('where somebody has deleted packs of the export, their objects are taken again', async (context) => {
  const { store, exports, oid } = await begin(context)
  const { path } = await exports.bring('a')
  await rm(join(path, 'objects', 'pack'), { recursive: true })
  await mkdir(join(path, 'objects', 'pack'))
  const two = await makeRef(store, 'a', { name: main, objects: commitOf('two', [oid], 'sha1') })
  await exports.bring('a')
  assert.equal(judge(path, new Map([[main, two]])), 6)
})

test('a directory with something else in it is left alone', async (context) => {
  const { exports, directory } = await begin(context)
  await mkdir(join(directory, 'a.git'))
  await writeFile(join(directory, 'a.git', 'mine'), 'text')
  await assert.rejects(exports.bring('a'), failing('data_format', /holds something else/))
  assert.deepEqual(readdirSync(join(directory, 'a.git')), ['mine'])
  await rm(join(directory, 'a.git', 'mine'))
  await exports.bring('a')
  await assert.rejects(exports.bring('b', { path: join(directory, 'a.git') }), failing('repository', /"b" not found/))
})

test('each of many callers at once finds what was acknowledged before, and one of them does the work', async (context) => {
  const { store, directory, exports, oid } = await begin(context)
  const others = new GitExports(store, directory)
  let head = oid
  let refreshes = 0
  const brings: Promise<void>[] = []
  for (let round = 0; round < 4; round++) {
    head = await makeRef(store, 'a', { name: main, objects: commitOf(`round ${round}`, [head], 'sha1') })
    const acknowledged = head
    for (const each of [exports, others]) {
      for (let caller = 0; caller < 2; caller++) {
        const bring = each.bring('a').then(({ path, isRefreshed }) => {
          refreshes += isRefreshed ? 1 : 0
          const { status, output } = git(path, ['merge-base', '--is-ancestor', acknowledged, main])
          assert.equal(status, 0, output)
        })
        brings.push(bring)
      }
    }
  }
  await Promise.all(brings)
  assert.ok(refreshes <= 4, `${refreshes} refreshes`)
  assert.equal(judge(exports.pathOf('a'), new Map([[main, head]])), 15)
})

test('a call waits while another process writes into the export, until its signal', async (context) => {
  const { exports, refs } = await begin(context)
  const path = exports.pathOf('a')
  await mkdir(path, { recursive: true })
  const lock = await LockFile.acquire(path)
  let isDone = false
  const gone = new AbortController()
  const abandoned = exports.bring('a', { signal: gone.signal })
  const brought = exports.bring('a').then(() => {
    isDone = true
  })
  await exports.bring('a', { path: `${path}.other` })
  assert.equal(isDone, false)
  gone.abort(new Error('nobody waits'))
  await assert.rejects(abandoned, /nobody waits/)
  await lock.release()
  await brought
  judge(path, refs)
})

test('packs are joined where they are many', async (context) => {
  const { store, directory } = await begin(context)
  const exports = new GitExports(store, directory, { maxPacks: 3 })
  const refs = new Map<string, string>()
  for (let round = 0; round < 5; round++) {
    const name = `refs/heads/${round}`
    refs.set(name, await makeRef(store, 'a', { name, objects: commitOf(name, [], 'sha1') }))
    const { path } = await exports.bring('a')
    const packs = readdirSync(join(path, 'objects', 'pack')).filter((file) => file.endsWith('.pack'))
    assert.ok(packs.length <= 4, `${packs.length} packs`)
  }
  judge(exports.pathOf('a'), new Map([...refs, [main, (await store.readRefs('a', [main]))[0] ?? '']]))
})

test('a listing of several pages is true of one place, though refs move between them', async () => {
  const store = new WatchedStore()
  await store.createRepository('a', 'sha1')
  const [one, two] = ['one', 'two'].map((content) => newObject('blob', content, 'sha1')) as [NewObject, NewObject]
  await store.putObjects('a', [one, two])
  const names = Array.from({ length: 10_001 }, (_, index) => `refs/tags/${String(index).padStart(5, '0')}`)
  const move = (moved: readonly string[], from: string, to: string) =>
    store.updateRefs(
      'a',
      moved.map((name) => ({ name, expectedOid: from, newOid: to }))
    )
  await move(names, zeroOid('sha1'), one.oid)
  const ends = [names[0] as string, names.at(-1) as string]
  const { refsAt } = store
  store.refsAt = async (repository, page) => {
    const answer = await refsAt.call(store, repository, page)
    if (page.after === '') await move(ends, one.oid, two.oid)
    return answer
  }
  const { refs } = await listAllRefs(store, 'a')
  assert.equal(refs.size, names.length)
  assert.deepEqual(
    ends.map((name) => refs.get(name)),
    [two.oid, two.oid]
  )
})
