/** What a client remembers of the objects that repositories hold is bounded, and goes with the repository. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { KnownOids } from '../../src/client/known-oids.ts'

const oid = (index: number) => createHash('sha1').update(String(index)).digest('hex')

test('of many oids the later ones stay, 10,000 at most over all repositories', () => {
  const known = new KnownOids()
  const count = 30_000
  for (let index = 0; index < count; index++) known.add(`repository-${index % 3}`, oid(index))
  const kept = Array.from({ length: count }, (_, index) => known.has(`repository-${index % 3}`, oid(index)))
  const total = kept.filter(Boolean).length
  assert.ok(total >= 5000 && total <= 10_000, String(total))
  assert.ok(kept.slice(-5000).every(Boolean), 'the later ones')
  const others = Array.from({ length: 5000 }, (_, index) => known.has('repository-0', oid(count + index)))
  assert.ok(!others.some(Boolean), 'others')
  assert.ok(!known.has('repository-1', oid(count - 1)), 'of another repository')
})

test('a repository that is made anew holds nothing of what the old one held', () => {
  const known = new KnownOids()
  known.add('again', oid(1))
  known.forget('again')
  known.add('again', oid(2))
  assert.deepEqual([known.has('again', oid(1)), known.has('again', oid(2))], [false, true])
})

test('a forgotten repository leaves the others, and an oid told often stays', () => {
  const known = new KnownOids()
  for (let index = 0; index < 20_000; index++) known.add('often', oid(2))
  known.add('kept', oid(1))
  known.add('forgotten', oid(3))
  known.forget('forgotten')
  assert.deepEqual(
    [known.has('kept', oid(1)), known.has('often', oid(2)), known.has('forgotten', oid(3)), known.hasAny('forgotten')],
    [true, true, false, false]
  )
})

test('of objects by their bytes, contents are remembered: a commit names no others', () => {
  const known = new KnownOids()
  for (const [index, kind] of ['blob', 'tree', 'commit', 'tag'].entries()) {
    known.learn('storeObject', 'demo', { request: { kind }, response: { oid: oid(index) } })
    known.learn('getObject', 'demo', { request: {}, response: { kind, oid: oid(10 + index) } })
  }
  const has = (index: number) => [0, 1, 2, 3].map((kind) => known.has('demo', oid(index + kind)))
  assert.deepEqual(
    [has(0), has(10)],
    [
      [true, false, false, false],
      [true, false, false, false]
    ]
  )
})
