/** Objects of several servers on one database, beside the contract. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
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
