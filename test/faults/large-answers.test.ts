/** Answers that are larger than a client takes, or than one reads. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { RawSession } from '../support/raw-session.ts'
import { atEnd, testServer } from '../support/server.ts'

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: answers above maxResponseBytes are asked for in smaller batches, and requests keep their size`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const client = fixture.client({ transport, maxResponseBytes: 50_000, gzip: false })
    await client.createRepository('demo')
    const contents = Array.from({ length: 200 }, () => randomBytes(1024))
    const oids = await Promise.all(contents.map(async (content) => (await client.storeBlob('demo', content)).oid))
    const read = await Promise.all(oids.map((oid) => client.getBlob('demo', oid)))
    for (const [index, { content }] of read.entries()) assert.ok(contents[index]?.equals(content))
    const { requests } = client.stats()
    for (let turn = 0; turn < 3; turn++) await client.storeBlob('demo', randomBytes(100_000))
    assert.ok(client.stats().requests <= requests + 1, 'a session at most')
    assert.equal(client.stats().batching, 'session')
    const large = await client.storeBlob('demo', randomBytes(60_000))
    await assert.rejects(client.getBlob('demo', large.oid), { code: 'resource_exhausted' })
    assert.equal((await client.getBlob('demo', oids[0] as string)).size, 1024)
  })
}

test('a client that asks for much and reads nothing costs the server a bounded amount of memory', async (context) => {
  const server = await startServerProcess()
  context.after(() => server.stop())
  const client = createClient({ endpoint: server.http.href })
  context.after(() => client.close())
  await client.createRepository('demo')
  const { oid } = await client.storeBlob('demo', randomBytes(1 << 20))
  const megabytes = () => {
    const status = execFileSync('cat', [`/proc/${server.pid}/status`], { encoding: 'utf8' })
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }
  await client.getBlob('demo', oid)
  const before = megabytes()
  const session = new RawSession(server.http.origin)
  context.after(() => session.connection.destroy())
  await session.received(1)
  session.stream.pause()
  for (let id = 1; id <= 500; id++) {
    session.send({ batch: { repository: 'demo', firstId: id, operations: [{ getBlob: { oid } }] } })
  }
  await new Promise<void>((resolve) => session.connection.ping(() => resolve()))
  // The server still serves other clients.
  for (let round = 0; round < 20; round++) await client.getBlob('demo', oid)
  const grown = megabytes() - before
  assert.ok(grown < 160, `${grown} MB`)
  // Once it reads, it gets all of it.
  session.stream.resume()
  await session.received(501)
  assert.equal(session.results.size, 500)
})
