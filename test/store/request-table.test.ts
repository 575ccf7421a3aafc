import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { keyed } from './support.ts'

test('the memory store forgets the oldest keys beyond its bound, and promises less than a day', async () => {
  const store = new MemoryStore()
  const remember = (from: number, to: number) =>
    store.remember(
      'demo',
      Array.from({ length: to - from }, (_, index) => keyed(`${from + index}`, '', []))
    )
  const known = async (key: number) => (await store.recall('demo', `${key}`)) !== undefined
  await remember(0, 100_000)
  assert.ok(await known(0))
  await remember(100_000, 100_002)
  assert.deepEqual(await Promise.all([0, 1, 2, 100_001].map(known)), [false, false, true, true])
  assert.ok(store.requestKeySeconds > 0 && store.requestKeySeconds < 86_400)
})
