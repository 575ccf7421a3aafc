/** Imports of a repository of Git into a store: the export of the store has what Git had. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import { importRepository } from '../../server-fixture/git-export/git-import.ts'
import { namedObjects } from '../../server-fixture/git-export/named-objects.ts'
import type { NewObject, Store } from '../../server-fixture/store/store.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { temporaryDirectory } from '../store/support.ts'
import { GitRepository } from '../support/git.ts'
import { commitOf, judge, last, makeRef, WatchedStore } from './support.ts'

const main = 'refs/heads/main'

/** Fails where an object is stored before one that it names. */
class OrderedStore extends WatchedStore {
  override putObjects(repository: string, objects: readonly NewObject[]) {
    const there = new Set([...(this.stored.get(repository) ?? []), ...this.uploaded])
    for (const { oid, kind, content } of objects) {
      for (const named of namedObjects(kind, content, oid.length === 64 ? 'sha256' : 'sha1'))
        assert.ok(there.has(named.oid), `${kind} ${oid} is stored before the ${named.kind} ${named.oid}`)
      there.add(oid)
    }
    return super.putObjects(repository, objects)
  }

  readonly uploaded: string[] = []

  override async openUpload(repository: string, id: string, size: number | undefined) {
    this.uploaded.push(id.slice('import-'.length))
    return await super.openUpload(repository, id, size)
  }
}

function newStore(): OrderedStore {
  const store = new OrderedStore()
  store.boundUploads(defaultLimits)
  return store
}

/** Directories that share trees at other depths, a large blob, a merge, and tags of tags. */
function makeSource(context: TestContext, format: ObjectFormat): GitRepository {
  const source = new GitRepository(context, format)
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`
  const who = 'committer A <a@example.com> 1700000000 +0000\n'
  const stream = [
    `commit ${main}\nmark :1\n${who}${data('one')}`,
    `M 100644 inline x/y/z/deep\n${data('deep')}M 100644 inline deep\n${data('deep')}M 100755 inline run\n${data('run')}`,
    `commit ${main}\nmark :2\n${who}${data('two')}from :1\nM 100644 inline z/deep\n${data('deep')}M 100644 inline q/x/y/z/deep\n${data('deep')}`,
    `commit refs/heads/side\nmark :3\n${who}${data('side')}from :1\nM 100644 inline large\n${data('0123456789'.repeat(250_000))}`,
    `commit ${main}\nmark :4\n${who}${data('merge')}from :2\nmerge :3\n`,
    `tag inside\nfrom :1\ntagger A <a@example.com> 1700000000 +0000\n${data('inside')}`,
    'done\n'
  ]
  source.run(['fast-import', '--quiet', '--done'], stream.join(''))
  source.run([
    '-c',
    'user.name=A',
    '-c',
    'user.email=a@example.com',
    'tag',
    '-a',
    '-m',
    'outside',
    'a-outside',
    'inside'
  ])
  return source
}

function refsOf(source: GitRepository): Map<string, string> {
  const lines = source.run(['for-each-ref', '--format=%(refname) %(objectname)']).trim().split('\n')
  return new Map(lines.map((line) => line.split(' ') as [string, string]))
}

async function exportOf(context: TestContext, store: Store): Promise<string> {
  return (await new GitExports(store, await temporaryDirectory(context)).bring('a')).path
}

test('what is imported comes out of the export again, and each object was stored after those that it names', async (context) => {
  const source = makeSource(context, 'sha256')
  const store = newStore()
  const { objects, refs, left } = await importRepository(source.directory, { store, repository: 'a' })
  assert.deepEqual([refs, left], [4, []])
  const path = await exportOf(context, store)
  assert.equal(judge(path, refsOf(source)), objects)
  const list = ['rev-list', '--objects', '--all']
  assert.equal(new Set(source.run(list).trim().split('\n')).size, objects)
  assert.equal(store.uploaded.length, 1)
  const again = await importRepository(source.directory, { store, repository: 'a' })
  assert.deepEqual(again, { objects: 0, refs: 0, left: [] })
})

test('an import that failed goes on: what is stored is not stored again', async (context) => {
  const source = makeSource(context, 'sha1')
  const store = newStore()
  const put = store.putObjects.bind(store)
  let puts = 0
  store.putObjects = (repository, objects) => {
    if (++puts === 3) throw new Error('the store is away')
    return put(repository, objects)
  }
  await assert.rejects(importRepository(source.directory, { store, repository: 'a' }), /the store is away/)
  assert.deepEqual(await store.listRefs('a', { prefix: '', after: '', limit: 10 }), [])
  const stored = new Set(store.stored.get('a'))
  assert.ok(stored.size > 0)
  await importRepository(source.directory, { store, repository: 'a' })
  const all = store.stored.get('a') ?? []
  assert.equal(new Set(all).size, all.length, 'no object was stored twice')
  judge(await exportOf(context, store), refsOf(source))
})

test('refs move as a push moves them: no commit is lost without force, and none is deleted without prune', async (context) => {
  const source = makeSource(context, 'sha1')
  const store = newStore()
  const target = { store, repository: 'a' }
  await importRepository(source.directory, target)
  const before = refsOf(source)
  const ahead = await makeRef(store, 'a', { name: main, objects: commitOf('ahead', [before.get(main) ?? ''], 'sha1') })
  const other = await makeRef(store, 'a', { name: 'refs/heads/other', objects: commitOf('other', [], 'sha1') })
  source.run(['update-ref', 'refs/heads/side', main])
  source.run(['update-ref', 'refs/tags/inside', main])
  const { left, refs } = await importRepository(source.directory, target)
  assert.equal(refs, 1, 'the branch that went on')
  assert.deepEqual(left.map(({ name }) => name).sort(), [main, 'refs/tags/inside'])
  assert.deepEqual(await store.readRefs('a', [main, 'refs/heads/other']), [ahead, other])
  const forced = await importRepository(source.directory, target, { force: true, prune: true })
  assert.deepEqual(forced.left, [])
  judge(await exportOf(context, store), refsOf(source))
})

test('a ref that moves while objects are imported is left where it is', async (context) => {
  const source = makeSource(context, 'sha1')
  const store = newStore()
  const move = store.updateRefs.bind(store)
  let oid: string | undefined
  store.updateRefs = async (repository, moves) => {
    if (oid === undefined) {
      const objects = commitOf('meanwhile', [], 'sha1')
      oid = last(objects)
      await store.putObjects('a', objects)
      await move('a', [{ name: main, expectedOid: zeroOid('sha1'), newOid: oid }])
    }
    return await move(repository, moves)
  }
  const { left, refs } = await importRepository(source.directory, { store, repository: 'a' }, { force: true })
  assert.equal(refs, 3, 'the others')
  assert.deepEqual(left, [{ name: main, why: 'somebody has moved it meanwhile' }])
  assert.deepEqual(await store.readRefs('a', [main]), [oid])
})

test('a shallow repository, one of another format, a damaged one and no repository at all are refused', async (context) => {
  const source = makeSource(context, 'sha1')
  const store = newStore()
  const target = { store, repository: 'a' }
  const clone = join(await temporaryDirectory(context), 'clone')
  source.run(['clone', '--quiet', '--bare', '--depth=1', '--no-local', source.directory, clone])
  await assert.rejects(importRepository(clone, target), /is shallow.*fetch --unshallow/)
  await assert.rejects(importRepository(join(clone, 'objects'), target), /is no repository of Git/)
  const [blob, other] = source.storeAll('blob', [Buffer.from('the blob'), Buffer.from('another')]) as [string, string]
  const pathOf = (oid: string) => join(source.directory, 'objects', oid.slice(0, 2), oid.slice(2))
  source.run(['update-ref', 'refs/tags/blob', blob])
  rmSync(pathOf(blob))
  copyFileSync(pathOf(other), pathOf(blob))
  await assert.rejects(importRepository(source.directory, target), new RegExp(`${blob} is missing or damaged`))
  await store.deleteRepository('a')
  await store.createRepository('a', 'sha256')
  await assert.rejects(importRepository(source.directory, target), /has the object format sha256/)
})

test('what a repository lacks is told before anything is made; grafts hide nothing', async (context) => {
  const source = makeSource(context, 'sha1')
  const store = newStore()
  const target = { store, repository: 'a' }
  const at = (...path: string[]) => join(source.directory, ...path)
  const refused = async (reason: string, message: RegExp) => {
    await assert.rejects(importRepository(source.directory, target), (error: BlobwireError) => {
      assert.equal(error.reason, reason)
      assert.match(error.message, message)
      return true
    })
    assert.equal(await store.getRepository('a'), undefined)
  }
  mkdirSync(at('refs', 'heads'), { recursive: true })
  for (const [text, message] of [
    ['garbage', /a ref of .* is damaged: broken ref refs\/heads\/odd/],
    ['1'.repeat(40), /is damaged: bad object refs\/heads\/odd/]
  ] as const) {
    writeFileSync(at('refs', 'heads', 'odd'), `${text}\n`)
    await refused('integrity', message)
  }
  rmSync(at('refs', 'heads', 'odd'))
  const lost = source.store('tree', Buffer.from(`100644 lost\0${'1'.repeat(20)}`, 'latin1'))
  source.run(['update-ref', 'refs/tags/lost', lost])
  await refused('integrity', /is damaged: .*missing blob object '(31){20}'/)
  source.run(['update-ref', '-d', 'refs/tags/lost'])
  source.run(['config', 'remote.origin.promisor', 'true'])
  await refused('unsupported_repository', /is a partial clone/)
  source.run(['config', '--unset', 'remote.origin.promisor'])
  writeFileSync(at('info', 'grafts'), `${source.run(['rev-parse', main])}`)
  source.run(['update-ref', '-d', 'refs/heads/side'])
  source.run(['update-ref', '-d', 'refs/tags/a-outside'])
  source.run(['update-ref', '-d', 'refs/tags/inside'])
  await importRepository(source.directory, target)
  judge(await exportOf(context, store), refsOf(source))
})

test('a branch becomes a directory of branches where prune deletes it, and stays otherwise', async (context) => {
  const source = makeSource(context, 'sha1')
  const store = newStore()
  const target = { store, repository: 'a' }
  await importRepository(source.directory, target)
  for (const [from, to] of [
    ['refs/heads/side', 'refs/heads/side/new'],
    ['refs/tags/inside', 'refs/tags/in']
  ] as const) {
    const oid = source.run(['rev-parse', from]).trim()
    source.run(['update-ref', '-d', from])
    source.run(['update-ref', to, oid])
  }
  source.run(['update-ref', 'refs/tags/more', main])
  const { refs, left } = await importRepository(source.directory, target)
  assert.equal(refs, 2, 'those that are not in the way of others')
  assert.match(
    left.map(({ name, why }) => `${name}: ${why}`).join(),
    /^refs\/heads\/side\/new: .*beside refs\/heads\/side;/
  )
  assert.deepEqual((await importRepository(source.directory, target, { prune: true })).left, [])
  judge(await exportOf(context, store), refsOf(source))
})

test('a work tree that shares a repository is imported', async (context) => {
  const source = makeSource(context, 'sha1')
  const tree = join(await temporaryDirectory(context), 'tree')
  source.run(['worktree', 'add', '--quiet', tree, 'refs/heads/side'])
  const { refs } = await importRepository(tree, { store: newStore(), repository: 'a' })
  assert.equal(refs, 4)
})
