import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atEnd, testServer } from '../support/server.ts'

for (const count of [10, 40]) {
  test(`lingerMs holds ${count} calls, which are not enough for a frame`, async (context) => {
    const client = atEnd(context, await testServer()).client({ batch: { lingerMs: 300 } })
    await client.createRepository('demo')
    const { frames: before } = client.stats()
    const began = performance.now()
    await Promise.all(Array.from({ length: count }, (_, index) => client.storeBlob('demo', `${index}`)))
    assert.ok(performance.now() - began >= 290)
    // Two, where one can be made while the server carries out the other.
    assert.ok(client.stats().frames - before <= 2)
  })
}

test('lingerMs does not hold a full frame', async (context) => {
  const client = atEnd(context, await testServer()).client({ batch: { lingerMs: 20_000, maxOperations: 30 } })
  await client.createRepository('demo')
  const calls = Array.from({ length: 30 }, (_, index) => client.storeBlob('demo', `${index}`, { timeoutMs: 10_000 }))
  assert.equal((await Promise.all(calls)).length, 30)
})
