/** Exports of long histories, and while a repository is replaced; shallow and partial clones of them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import type { NewObject } from '../../server-fixture/store/store.ts'
import { git, temporaryDirectory } from '../store/support.ts'
import { commitOf, fill, judge, last, makeRef, ScanningStore, WatchedStore } from './support.ts'

const main = 'refs/heads/main'

/** A store with the repository `a` of one commit, and its exports. */
async function begin<S extends WatchedStore>(context: TestContext, store: S) {
  const exports = new GitExports(store, await temporaryDirectory(context))
  await store.createRepository('a', 'sha1')
  const oid = await makeRef(store, 'a', { name: main, objects: commitOf('one', [], 'sha1') })
  return { store, exports, oid }
}

test('a repository that is deleted and created again while it is exported is exported as it is then', async (context) => {
  for (const method of ['readObjects', 'refsAt', 'readHead', 'scanObjects'] as const) {
    const { store, exports, oid } = await begin(
      context,
      method === 'scanObjects' ? new ScanningStore() : new WatchedStore()
    )
    const format = method === 'readHead' ? 'sha256' : 'sha1'
    const again = commitOf('again', [], format)
    let isLate = false
    const recreate = async () => {
      if (isLate) return
      isLate = true
      await store.deleteRepository('a')
      store.stored.clear()
      await store.createRepository('a', format, { defaultBranch: 'refs/heads/other' })
      await makeRef(store, 'a', { name: 'refs/heads/new', objects: again })
    }
    const watched = store as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    const read = watched[method]?.bind(store)
    watched[method] = async (...args) => {
      // Between the answer of the first one and that of the next one.
      const answer = method === 'readHead' ? await read?.(...args) : undefined
      if (method !== 'readHead' || store.asked.length > 2) await recreate()
      return answer ?? (await read?.(...args))
    }
    const { path } = await exports.bring('a')
    assert.equal(isLate, true)
    judge(path, new Map([['refs/heads/new', last(again)]]))
    assert.equal(readFileSync(join(path, 'HEAD'), 'utf8'), 'ref: refs/heads/other\n', method)
    assert.notEqual(git(path, ['cat-file', '-e', oid]).status, 0)
  }
})

test('shallow and partial clones of an export are complete as far as they go, and fetch the rest', async (context) => {
  const store = new ScanningStore()
  const { refs, base } = await fill(store, 'a', 'sha1')
  const directory = await temporaryDirectory(context)
  const { path } = await new GitExports(store, directory).bring('a')
  const run = (gitDir: string, args: readonly string[]) => {
    const { status, output } = git(gitDir, args)
    assert.equal(status, 0, `git ${args.join(' ')}: ${output}`)
    return output.trim()
  }
  const clone = (name: string, ...how: string[]) => {
    const to = join(directory, name)
    run(path, ['clone', '--quiet', '--bare', '--no-local', ...how, `file://${path}`, to])
    return to
  }
  const commits = (gitDir: string) => run(gitDir, ['rev-list', '--all', '--count'])
  const shallow = clone('shallow', '--depth=1', '--branch=trunk', '--no-tags')
  assert.equal(commits(shallow), '1')
  assert.notEqual(git(shallow, ['cat-file', '-e', last(base)]).status, 0)
  run(shallow, ['fetch', '--quiet', '--deepen=1', 'origin'])
  assert.equal(commits(shallow), '3')
  run(shallow, ['fetch', '--quiet', '--unshallow', 'origin', '+refs/*:refs/*'])
  judge(shallow, refs)
  const blobs = ['rev-list', '--objects', '--all', '--missing=print']
  const missing = (gitDir: string) => run(gitDir, blobs).match(/^\?/gm)?.length ?? 0
  const partial = clone('partial', '--filter=blob:none')
  assert.ok(missing(partial) >= 3)
  assert.equal(run(partial, ['cat-file', '-s', 'trunk:large']), '3000000', 'fetched when it is asked for')
  const without = missing(partial)
  // New commits come without their blobs, too.
  const trunk = refs.get('refs/heads/trunk') as string
  const oid = await makeRef(store, 'a', { name: 'refs/heads/trunk', objects: commitOf('more', [trunk], 'sha1') })
  await new GitExports(store, directory).bring('a')
  run(partial, ['fetch', '--quiet', 'origin', 'refs/heads/trunk:refs/heads/trunk'])
  assert.equal(run(partial, ['rev-parse', 'trunk']), oid)
  assert.equal(missing(partial), without + 1)
  assert.ok(missing(clone('bare', '--filter=tree:0')) >= 4)
  const small = clone('small', '--filter=blob:limit=1k')
  assert.equal(missing(small), 2, 'those that are larger')
})

test('a long chain is not walked commit by commit where the store scans', async (context) => {
  const { store, exports, oid } = await begin(context, new ScanningStore())
  const { path } = await exports.bring('a')
  let head = oid
  const chain: NewObject[] = []
  for (let commit = 0; commit < 400; commit++) {
    const objects = commitOf(`${commit}`, [head], 'sha1')
    chain.push(...objects)
    head = last(objects)
  }
  // One that nothing reaches, and that lacks what it names.
  await store.putObjects('a', commitOf('lost', ['1'.repeat(40)], 'sha1').slice(2))
  await makeRef(store, 'a', { name: main, objects: chain })
  store.pageObjects = 500
  store.asked = []
  const { objects } = await exports.bring('a')
  assert.equal(objects, 1200)
  judge(path, new Map([[main, head]]))
  assert.ok(store.asked.length < 130, `${store.asked.length} questions`)
})

test('a shallow history that became longer is exported anew', async (context) => {
  const { store, exports, oid } = await begin(context, new WatchedStore())
  const objects = commitOf('two', [oid], 'sha1')
  const two = await makeRef(store, 'a', { name: main, objects })
  let shallow = new Set([two])
  Object.assign(store, { shallowCommits: async () => shallow })
  const { path } = await exports.bring('a')
  assert.equal(judge(path, new Map([[main, two]])), 3)
  const three = await makeRef(store, 'a', { name: main, objects: commitOf('three', [two], 'sha1') })
  assert.equal((await exports.bring('a')).objects, 3, 'the new ones')
  shallow = new Set()
  await exports.bring('a', { readsAllRefs: true })
  assert.equal(judge(path, new Map([[main, three]])), 9)
})
