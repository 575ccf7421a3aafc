/** A repository that is deleted and made anew is another one: the client keeps nothing of the old one. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Client } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

const commit = { branch: 'main', message: 'm\n', author: { name: 'Ada', email: 'ada@example.org' } }
const expectNone = { ...commit, expectedHead: null }

/** A client that knows `demo` as a SHA-1 repository with a commit, and its neighbour; and another client. */
async function twoClients(context: TestContext): Promise<[Client, Client]> {
  const server = atEnd(context, await testServer())
  const [client, other] = [server.client(), server.client()]
  for (const name of ['demo', 'demo2']) {
    await client.createRepository(name)
    const { oid } = await client.commitFiles(name, { ...commit, changes: { a: 'old\n' } })
    assert.equal(oid.length, 40)
  }
  return [client, other]
}

test('made anew by another client, with the other object format: the format is asked for again', async (context) => {
  const [client, other] = await twoClients(context)
  await client.deleteRepository('demo')
  await other.createRepository('demo', { objectFormat: 'sha256' })
  // `null` is sent as a zero oid, which is as long as the format says.
  const { oid } = await client.commitFiles('demo', { ...expectNone, changes: { a: 'new\n' } })
  assert.equal(oid.length, 64)
  const moved = await client.updateRefs('demo', [{ name: 'refs/tags/v1', expectedOid: null, newOid: oid }])
  assert.ok(moved)
})

test('made anew by the same client: no commit is built on the old head', async (context) => {
  const [client] = await twoClients(context)
  await client.deleteRepository('demo')
  await client.createRepository('demo', { objectFormat: 'sha256' })
  const { oid } = await client.commitFiles('demo', { ...commit, changes: { a: 'new\n' } })
  const { commits } = await client.listCommits('demo')
  assert.deepEqual(
    commits.map((found) => found.oid),
    [oid]
  )
})

test('with the same format no request is spent on the old head, and a neighbour is still known', async (context) => {
  const [client] = await twoClients(context)
  await client.deleteRepository('demo')
  await client.createRepository('demo')
  for (const name of ['demo', 'demo2']) {
    const before = client.stats()
    await client.commitFiles(name, { ...commit, changes: { b: 'new\n' } })
    const { calls, failures } = client.stats()
    assert.deepEqual([calls - before.calls, failures - before.failures], [1, 0], name)
  }
})
