/** Objects of several servers on one database, beside the contract. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import type { Database, Statement } from '../../server-fixture/store/postgres/database/database.ts'
import { PipelinedDatabase } from '../../server-fixture/store/postgres/database/pipelined-database.ts'
import { KnownRepositories } from '../../server-fixture/store/postgres/known-repositories.ts'
import { ObjectReader } from '../../server-fixture/store/postgres/object-reader.ts'
import { insertObjects } from '../../server-fixture/store/postgres/object-rows.ts'
import { type LargeObjects, Objects } from '../../server-fixture/store/postgres/objects.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { Repositories } from '../../server-fixture/store/postgres/repositories.ts'
import { newDatabase } from '../support/database.ts'
import { newObject } from './support.ts'

const urls = [await newDatabase()]
const one = await PostgresStore.open({ urls })
const other = await PostgresStore.open({ urls })
after(async () => {
  await one.close()
  await other.close()
})

const notFound = { code: 'not_found', reason: 'repository' }
const blob = (content: string | Uint8Array) => newObject('blob', content, 'sha1')

test('objects that one server stored are read by another, deflated where that is smaller', async () => {
  await one.createRepository('read', 'sha1')
  const [short, long, noise] = [blob('short'), blob('long '.repeat(5000)), blob(new Uint8Array(randomBytes(40_000)))]
  const large = blob('large '.repeat(300_000))
  const objects = [short, long, noise, large]
  await one.putObjects('read', objects)
  const oids = objects.map(({ oid }) => oid)
  const deflated = await other.readDeflated('read', oids, 100_000)
  assert.deepEqual(
    deflated.map((found) => found && found.deflated.length < found.size),
    [undefined, true, undefined, undefined]
  )
  for (const store of [other, one]) {
    const read = await store.readObjects('read', oids, 2_000_000)
    for (const [index, { content }] of objects.entries()) assert.deepEqual(read[index]?.content, content)
  }
})

test('overlapping puts of two servers, in any order, store each object once', async () => {
  await one.createRepository('overlap', 'sha1')
  const blobs = Array.from({ length: 300 }, (_, index) => blob(`overlapping ${index}`))
  const puts = Array.from({ length: 20 }, (_, index) => {
    const objects = index % 2 === 0 ? blobs : blobs.toReversed()
    return (index % 4 < 2 ? one : other).putObjects('overlap', objects)
  })
  await Promise.all(puts)
  const infos = await other.hasObjects(
    'overlap',
    blobs.map(({ oid }) => oid)
  )
  assert.ok(infos.every((info) => info?.kind === 'blob'))
})

test('a repository that was deleted on one server takes no objects on another, also such as it had', async () => {
  await one.createRepository('deleted', 'sha1')
  const objects = [blob('one'), blob('two')]
  await other.putObjects('deleted', objects)
  await one.deleteRepository('deleted')
  await assert.rejects(other.putObjects('deleted', objects), notFound)
  await one.createRepository('deleted', 'sha1')
  await other.putObjects('deleted', objects.slice(1))
  const infos = await one.hasObjects(
    'deleted',
    objects.map(({ oid }) => oid)
  )
  assert.deepEqual(infos, [undefined, { kind: 'blob', size: 3 }])
})

test('objects of another format are not stored in a repository that came after the one that is meant', async () => {
  await one.createRepository('format', 'sha1')
  await other.putObjects('format', [blob('first')])
  await one.deleteRepository('format')
  await one.createRepository('format', 'sha256')
  await assert.rejects(other.putObjects('format', [blob('second')]), notFound)
})

test('rows of a statement are in the order of their oids, so that overlapping puts do not lock each other out', async () => {
  const blobs = Array.from({ length: 20 }, (_, index) => blob(`sorted ${index}`))
  const statement = await insertObjects('1', blobs)
  assert.deepEqual(await insertObjects('1', blobs.toReversed()), statement)
  const oids = blobs.map(({ oid }) => oid).sort()
  const sent = (statement.values[1] as Buffer).toString('hex')
  assert.deepEqual(
    oids.map((oid) => sent.indexOf(oid)).filter((at, index, all) => at > (all[index - 1] ?? 0)).length,
    oids.length
  )
})

test('objects of the cache are read without the database for a second, and not after a deletion elsewhere', async () => {
  let now = 0
  const database = await PipelinedDatabase.open({ urls })
  const repositories = new Repositories(database, new KnownRepositories(database, () => now))
  const large: LargeObjects = {
    put: () => assert.fail('no object is large'),
    readWhole: () => assert.fail('no object is large')
  }
  const objects = new Objects(database, repositories, large)
  const { oid, content } = blob('cached')
  await one.createRepository('cached', 'sha1')
  await one.putObjects('cached', [blob('cached')])
  assert.deepEqual(await objects.read('cached', [oid], 100), [{ kind: 'blob', size: 6, content }])
  await one.deleteRepository('cached')
  now = 400
  assert.equal((await objects.read('cached', [oid], 100)).length, 1)
  now = 1001
  await assert.rejects(objects.read('cached', [oid], 100), notFound)
  await database.close()
})

test('contents that the cache keeps lie in memory of about their size', async () => {
  await one.createRepository('sizes', 'sha1')
  const contents = Array.from({ length: 500 }, (_, index) => `${index} ${'of little content '.repeat(10)}`)
  contents.push('of much content '.repeat(10_000), 'x'.repeat(62), 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(65))
  const blobs = contents.map((content) => blob(content))
  await one.putObjects('sizes', blobs)
  const oids = blobs.map(({ oid }) => oid)
  const read = await one.readObjects('sizes', oids, 1_000_000)
  const memory = new Map<ArrayBufferLike, number>()
  for (const [index, object] of read.entries()) {
    const { buffer, byteLength } = object?.content ?? new Uint8Array()
    assert.equal(byteLength, contents[index]?.length)
    memory.set(buffer, buffer.byteLength)
  }
  const bytes = [...memory.values()].reduce((sum, size) => sum + size, 0)
  const least = contents.reduce((sum, { length }) => sum + length, 0)
  assert.ok(bytes < 2 * least, `${bytes} bytes hold ${least}`)
})

test('a page of a scan has bounded contents, and the pages together all objects', async () => {
  await one.createRepository('scanned', 'sha1')
  const blobs = Array.from({ length: 11 }, () => blob(new Uint8Array(randomBytes(900_000))))
  await one.putObjects('scanned', [...blobs, blob('small')])
  const pages: number[] = []
  const found: string[] = []
  for (let after = ''; ; after = found.at(-1) as string) {
    const page = await one.scanObjects('scanned', { after, limit: 15, maxBytes: 1_000_000 })
    if (page.length === 0) break
    pages.push(page.reduce((sum, { content }) => sum + (content?.length ?? 0), 0))
    found.push(...page.map(({ oid }) => oid))
  }
  assert.equal(new Set(found).size, 12)
  assert.equal(found.length, 12)
  assert.ok(Math.max(...pages) <= 8 * 1024 * 1024, `${pages}`)
  const [first] = await one.scanObjects('scanned', { after: '', limit: 1, maxBytes: 1 })
  assert.equal(first?.content, undefined)
})

test('a statement reads a bounded number of contents, however many are asked for', async () => {
  const counts: number[] = []
  const database = {
    read: async ({ values }: Statement) => {
      const array = values[1] as Buffer
      const oids = array.length < 20 ? 0 : array.readInt32BE(12)
      counts.push(oids)
      return Array.from({ length: oids }, (_, index) => ({ oid: array.subarray(24 * index + 24, 24 * index + 44) }))
    }
  } as unknown as Database
  const reader = new ObjectReader(database)
  const oids = Array.from({ length: 1050 }, (_, index) => blob(`${index}`).oid)
  const found = await Promise.all(
    [oids, oids.slice(0, 150), oids.slice(0, 150)].map((some) => reader.read('1', some, 9))
  )
  assert.deepEqual([...(found[0]?.keys() ?? [])].sort(), oids.toSorted())
  assert.ok(found.slice(1).every((rows) => oids.slice(0, 150).every((oid) => rows.has(oid))))
  assert.ok(Math.max(...counts) <= 200, `${counts}`)
})
