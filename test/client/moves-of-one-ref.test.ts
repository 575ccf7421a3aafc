/** A ref that a batch moves more than once is where the last move leaves it, also where an answer is lost on the way. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { atEnd, testServer } from '../support/server.ts'

const name = 'refs/heads/x'
const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1 }

async function harness(context: TestContext) {
  const faults = new Faults()
  const client = atEnd(context, await testServer({ faults })).client({ retry: { baseMs: 1 } })
  await client.createRepository('demo')
  const { oid: blob } = await client.storeBlob('demo', 'hello\n')
  const { oid: tree } = await client.storeTree('demo', [{ path: 'a', mode: '100644', oid: blob }])
  const commit = async (message: string) => (await client.storeCommit('demo', { tree, message, author })).oid
  const [a, b, c] = [await commit('a'), await commit('b'), await commit('c')]
  await client.updateRefs('demo', [{ name, expectedOid: null, newOid: a }])
  const move = (expectedOid: string, newOid: string) => ({ updateRefs: { updates: [{ name, expectedOid, newOid }] } })
  const place = async () => (await client.listRefs('demo')).refs[0]?.oid
  return { faults, client, a, b, c, move, place }
}

for (const atomic of [false, true]) {
  for (const rpc of ['Session', 'BatchOperations']) {
    test(`the answer of ${rpc} is lost (atomic: ${atomic})`, async (context) => {
      const { faults, client, a, b, c, move, place } = await harness(context)
      faults.add({ rpc, count: 1, fault: { kind: 'lost_answer' } })
      const results = await client.batch('demo', [move(a, b), move(b, c)], { atomic })
      // Atomic batches are never sent on a session.
      assert.equal(faults.fired('lost_answer'), (rpc === 'BatchOperations') === atomic ? 1 : 0)
      assert.deepEqual(
        results.map(({ error }) => error?.code),
        [undefined, undefined]
      )
      assert.equal(await place(), c)
    })
  }

  test(`ref moves that do not follow from each other are refused (atomic: ${atomic})`, async (context) => {
    const { client, a, b, c, move, place } = await harness(context)
    const results = await client.batch('demo', [move(a, b), move(c, a)], { atomic })
    assert.deepEqual(
      results.map(({ error }) => error?.code),
      atomic ? ['aborted', 'aborted'] : [undefined, 'aborted']
    )
    assert.equal(await place(), atomic ? a : b)
  })
}

test('atomic: a ref that was elsewhere all along is no move that was made before', async (context) => {
  const { client, a, b, c, move, place } = await harness(context)
  await client.updateRefs('demo', [{ name, expectedOid: a, newOid: c }])
  const [first] = await client.batch('demo', [move(a, b)], { atomic: true })
  assert.equal(first?.error?.code, 'aborted')
  assert.equal(await place(), c)
})
