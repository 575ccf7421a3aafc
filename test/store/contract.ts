import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NewObject, RepositoryReplaced, type Store } from '../../server-fixture/store/store.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { newCommit, newObject } from './support.ts'

/** A store under test, and a name for a repository that no other test uses. */
export interface Subject {
  readonly store: Store
  readonly format: ObjectFormat
  /** Makes a new repository and returns its name. */
  newRepository(): Promise<string>
}

/** The contract of every store for repositories and objects. */
export function testObjects(subject: () => Subject): void {
  test('creating again returns the existing repository, for any requested format', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const other = format === 'sha1' ? 'sha256' : 'sha1'
    const again = await store.createRepository(name, other)
    assert.equal(again.created, false)
    for (const info of [again.info, await store.getRepository(name)]) {
      const { repository, objectFormat, defaultBranch } = info ?? {}
      assert.deepEqual([repository, objectFormat, defaultBranch], [name, format, 'refs/heads/main'])
    }
    assert.equal(await store.getRepository(`${name}-not`), undefined)
  })

  test('eight creations at once give one repository', async () => {
    const { store, format } = subject()
    const creations = await Promise.all(Array.from({ length: 8 }, () => store.createRepository('at-once/one', format)))
    for (const { info } of creations) assert.deepEqual(info, creations[0]?.info)
    assert.equal(creations.filter(({ created }) => created).length, 1)
    await store.deleteRepository('at-once/one')
  })

  test('names that are properties of every object are ordinary names', async () => {
    const { store, format } = subject()
    assert.equal(await store.getRepository('constructor'), undefined)
    await store.createRepository('constructor/toString', format)
    assert.equal((await store.getRepository('constructor/toString'))?.objectFormat, format)
    assert.equal(await store.getRepository('__proto__'), undefined)
    await store.deleteRepository('constructor/toString')
  })

  test('repositories are listed by name, in pages', async () => {
    const { store, format } = subject()
    const names = ['list/b', 'list/a/deep', 'list/a', 'list/a.b', 'list/Z']
    for (const name of names) await store.createRepository(name, format)
    const pages: string[][] = []
    for (let after = ''; ; ) {
      const page = await store.listRepositories({ prefix: 'list/', after, limit: 2 })
      pages.push(page.map((info) => info.repository))
      after = page.at(-1)?.repository ?? ''
      if (page.length < 2) break
    }
    assert.deepEqual(pages, [['list/Z', 'list/a'], ['list/a.b', 'list/a/deep'], ['list/b']])
    assert.deepEqual(await store.listRepositories({ prefix: 'none', after: '', limit: 9 }), [])
    for (const name of names) await store.deleteRepository(name)
  })

  test('a deleted repository is gone, and a new one of its name is empty', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const blob = newObject('blob', 'short-lived', format)
    await store.putObjects(name, [blob])
    assert.equal(await store.deleteRepository(name), true)
    assert.equal(await store.deleteRepository(name), false)
    assert.equal(await store.getRepository(name), undefined)
    await assert.rejects(store.hasObjects(name, [blob.oid]), { code: 'not_found', reason: 'repository' })
    await store.createRepository(name, format)
    assert.deepEqual(await store.hasObjects(name, [blob.oid]), [undefined])
  })

  test('a write that means a repository which was deleted does not reach the new one of its name', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const former = (await store.getRepository(name))?.incarnation
    assert.equal((await store.getRepository(name))?.incarnation, former)
    const [tree, commit] = newCommit('late', format)
    await store.putObjects(name, [tree as NewObject], former)
    await store.deleteRepository(name)
    await store.createRepository(name, format)
    const move = { name: 'refs/heads/main', expectedOid: zeroOid(format), newOid: commit?.oid ?? '' }
    const objects = [tree as NewObject, commit as NewObject]
    const writes = [
      async () => store.putObjects(name, objects, former),
      () => store.updateRefs(name, [move], { objects, incarnation: former })
    ]
    for (const write of writes) await assert.rejects(write, RepositoryReplaced)
    assert.deepEqual(await store.hasObjects(name, [move.newOid]), [undefined])
    const incarnation = (await store.getRepository(name))?.incarnation
    assert.ok(former && incarnation && former !== incarnation)
    await store.putObjects(name, [tree as NewObject], incarnation)
    assert.deepEqual(await store.updateRefs(name, [move], { objects, incarnation }), [])
  })

  test('every method refuses a repository that is not there', async () => {
    const { store } = subject()
    const notFound = { name: 'BlobwireError', code: 'not_found', reason: 'repository' }
    const page = { prefix: '', after: '', limit: 1 }
    await assert.rejects(async () => store.putObjects('nobody', []), notFound)
    await assert.rejects(store.readObjects('nobody', [], 1), notFound)
    await assert.rejects(store.hasObjects('nobody', []), notFound)
    await assert.rejects(store.listRefs('nobody', page), notFound)
    await assert.rejects(store.readRefs('nobody', []), notFound)
    await assert.rejects(store.updateRefs('nobody', []), notFound)
  })

  test('objects of every size come back as they were', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const sizes = [0, 1, 15, 16, 255, 256, 2047, 2048, 16_383, 16_384, 70_000, 1_048_576]
    const blobs = sizes.map((size) => newObject('blob', new Uint8Array(size).fill(size % 251), format))
    await store.putObjects(name, blobs)
    await store.putObjects(name, blobs)
    await store.putObjects(name, [])
    const read = await store.readObjects(name, blobs.map(oidOf), 2_000_000)
    for (const [index, blob] of blobs.entries()) {
      assert.equal(read[index]?.size, blob.content.length)
      assert.ok(Buffer.from(blob.content).equals(read[index]?.content ?? Buffer.from('none')), `${sizes[index]} B`)
    }
  })

  test('contents above maxBytes and missing objects are undefined, in order', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const [small, large, absent] = ['1234', '12345', 'absent'].map((text) => newObject('blob', text, format))
    assert.ok(small && large && absent)
    await store.putObjects(name, [small, large, newObject('tree', '', format)])
    const tree = newObject('tree', '', format).oid
    const oids = [large.oid, absent.oid, small.oid, tree, small.oid, 'no oid\nat all', zeroOid(format)]
    assert.deepEqual(await store.readObjects(name, oids, 4), [
      { kind: 'blob', size: 5, content: undefined },
      undefined,
      { kind: 'blob', size: 4, content: small.content },
      { kind: 'tree', size: 0, content: new Uint8Array(0) },
      { kind: 'blob', size: 4, content: small.content },
      undefined,
      undefined
    ])
    const infos = await store.hasObjects(name, oids)
    assert.deepEqual(infos.slice(0, 4), [
      { kind: 'blob', size: 5 },
      undefined,
      { kind: 'blob', size: 4 },
      { kind: 'tree', size: 0 }
    ])
  })

  test('the store copies its objects: the caller may use its bytes again', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const blob = newObject('blob', Buffer.from('mine'), format)
    await store.putObjects(name, [blob])
    blob.content.fill(0)
    const [read] = await store.readObjects(name, [blob.oid], 100)
    assert.equal(Buffer.from(read?.content ?? []).toString(), 'mine')
  })

  test('2,000 objects in one put, and 100 puts at once that share objects', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const many = Array.from({ length: 2000 }, (_, index) => newObject('blob', `many ${index}`, format))
    await store.putObjects(name, many)
    const shared = newObject('blob', 'shared', format)
    const puts = Array.from({ length: 100 }, (_, index) => [newObject('blob', `put ${index}`, format), shared])
    await Promise.all(puts.map((objects) => store.putObjects(name, objects)))
    const all: NewObject[] = [...many, ...puts.flat()]
    const infos = await store.hasObjects(name, all.map(oidOf))
    assert.equal(infos.filter((info) => info?.kind === 'blob').length, all.length)
  })

  test('two repositories do not see each other’s objects and refs', async () => {
    const { store, format, newRepository } = subject()
    const [one, two] = [await newRepository(), await newRepository()]
    const blob = newObject('blob', 'only in one', format)
    await store.putObjects(one, [blob])
    await store.updateRefs(one, [{ name: 'refs/tags/t', expectedOid: zeroOid(format), newOid: blob.oid }])
    assert.deepEqual(await store.hasObjects(two, [blob.oid]), [undefined])
    assert.deepEqual(await store.readRefs(two, ['refs/tags/t']), [undefined])
    assert.deepEqual(await store.readRefs(one, ['refs/tags/t']), [blob.oid])
  })
}

function oidOf(object: NewObject): string {
  return object.oid
}
