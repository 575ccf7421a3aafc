/** A server of several worker processes behind one HTTP and one gRPC port. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { TransportName } from '../../src/index.ts'
import { newDatabase } from '../support/database.ts'
import { startWorkerServer, type WorkerServer } from './worker-server.ts'

const transports: readonly TransportName[] = ['json', 'msgpack', 'grpc']

/** Clients with default options, each of which makes one call after the other. Returns the function that ends them. */
function startCalls(server: WorkerServer) {
  const clients = Array.from({ length: 9 }, (_, index) => server.client(transports[index % 3] as TransportName))
  let isOver = false
  let calls = 0
  const running = clients.map(async (client) => {
    while (!isOver) {
      await client.getRepository('demo')
      calls++
    }
  })
  const all = Promise.all(running)
  all.catch(() => undefined)
  return {
    clients,
    count: () => calls,
    /** @throws the error of a call that failed */
    async end() {
      isOver = true
      await all
    }
  }
}

test('two workers serve both ports; killed or ended ones are replaced, and no call fails', async (context) => {
  const url = await newDatabase()
  const store = await PostgresStore.open({ urls: [url] })
  await store.createRepository('demo', 'sha1')
  await store.close()
  const server = await startWorkerServer(context, '--database', url, '--workers', '2')
  assert.equal(server.pids.length, 2)
  const calls = startCalls(server)
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    const before = calls.count()
    const replaced = server.next('worker_ready')
    process.kill(server.pids[0] as number, signal)
    await replaced
    assert.ok(calls.count() > before)
  }
  await calls.end()
  assert.equal(await server.stop(), 0)
})
