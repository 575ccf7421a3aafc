/** A server that goes away and comes back, and callers that bring trouble upon themselves, with default options. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { type RunningServer, startServer } from '../../server-fixture/server.ts'
import { type BlobwireError, type Client, createClient } from '../../src/index.ts'
import { blobOid, transports } from '../support/faulty-network.ts'
import { startLoad } from '../support/load.ts'
import { ownPorts } from '../support/ports.ts'
import { atEnd, testServer } from '../support/server.ts'
import { SharedStore } from '../support/stores.ts'
import { later, until } from '../support/until.ts'

const breakerOf = (client: Client) => client.stats().endpoints[0]?.breaker

/** A server that can be started again on its ports. */
async function restartable(context: TestContext) {
  const store = new SharedStore()
  await store.createRepository('demo', 'sha1')
  const ports = await ownPorts()
  let server: RunningServer = await startServer({ store, ...ports })
  context.after(() => server.close())
  const { http, grpc } = server
  return {
    http,
    grpc: grpc.replace('http', 'grpc'),
    stop: () => server.close(),
    async start() {
      server = await startServer({ store, ...ports })
    }
  }
}

for (const transport of transports) {
  for (const batch of [undefined, false] as const) {
    const way = batch === false ? 'as requests' : 'on sessions'
    test(`${transport}, ${way}: a restart of 0.3 s under load: no call fails, and the breaker closes again`, async (context) => {
      const server = await restartable(context)
      const endpoint = transport === 'grpc' ? server.grpc : server.http
      const client = createClient({ endpoint, transport, batch })
      context.after(() => client.close())
      const load = startLoad(client, 10)
      await load.answers(50)
      await server.stop()
      await later(300)
      await server.start()
      await load.answers(50)
      await load.stop()
      assert.equal(client.stats().failures, 0)
      assert.equal(breakerOf(client), 'closed')
    })
  }

  test(`${transport}: an application that starts before its server: its first call waits for it`, async (context) => {
    const server = await restartable(context)
    await server.stop()
    const endpoint = transport === 'grpc' ? server.grpc : server.http
    const client = createClient({ endpoint, transport })
    context.after(() => client.close())
    const call = client.storeBlob('demo', 'a')
    await until(() => client.stats().attempts > 1, 'a failed attempt')
    await later(60)
    await server.start()
    assert.equal((await call).oid, blobOid('a'))
  })

  test(`${transport}: nobody ever listens: circuit_open, which tells why, without an attempt for the next call`, async (context) => {
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:1`
    const client = createClient({ endpoint, transport, breaker: { waitMs: 200, firstOpenMs: 60_000 } })
    context.after(() => client.close())
    await assert.rejects(client.storeBlob('demo', 'a'), (error: BlobwireError) => {
      assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'circuit_open', 'never'])
      assert.equal(error.transport, transport)
      assert.match(error.message, /ECONNREFUSED/)
      assert.match((error.cause as Error).message, /ECONNREFUSED/)
      return true
    })
    await assert.rejects(client.storeBlob('demo', 'b', { timeoutMs: 100 }), { reason: 'circuit_open', attempts: 0 })
  })

  test(`${transport}: every attempt tries to connect`, async (context) => {
    const server = await restartable(context)
    await server.stop()
    const endpoint = transport === 'grpc' ? server.grpc : server.http
    const retry = { maxAttempts: 4, baseMs: 1, maxMs: 1 }
    const client = createClient({ endpoint, transport, retry, breaker: false })
    context.after(() => client.close())
    await assert.rejects(client.storeBlob('demo', 'a'), { code: 'unavailable', sent: 'never', attempts: 4 })
    const { attempts, connections } = client.stats()
    assert.deepEqual([attempts, connections.failures], [4, 4])
    await server.start()
  })

  test(`${transport}: time limits that are too short are their caller's trouble alone`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport })
    await client.createRepository('demo')
    faults.add({ rpc: 'StoreBlob', fault: { kind: 'delay', ms: 200 } })
    for (let call = 0; call < 10; call++) {
      await assert.rejects(client.storeBlob('demo', `${call}`, { timeoutMs: 10 }), { code: 'deadline_exceeded' })
    }
    assert.deepEqual([client.stats().breakerOpenings, breakerOf(client)], [0, 'closed'])
    assert.equal((await client.storeBlob('demo', 'a')).oid, blobOid('a'))
  })

  test(`${transport}: errors of one operation or one repository do not open the breaker`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    for (const batch of [undefined, false] as const) {
      const client = fixture.client({ transport, batch, retry: false })
      await client.createRepository('demo')
      for (const code of ['internal', 'unknown', 'data_loss', 'resource_exhausted'] as const) {
        faults.add({ rpc: 'StoreBlob', count: 8, fault: { kind: 'status', code } })
        for (let call = 0; call < 8; call++) await assert.rejects(client.storeBlob('demo', `${call}`), { code })
      }
      if (batch !== false) {
        // As the result of one operation in a frame, even this.
        faults.add({ rpc: 'StoreBlob', count: 8, fault: { kind: 'status', code: 'unavailable' } })
        for (let call = 0; call < 8; call++) {
          await assert.rejects(client.storeBlob('demo', `${call}`), { code: 'unavailable' })
        }
      }
      assert.deepEqual([client.stats().breakerOpenings, breakerOf(client)], [0, 'closed'])
    }
  })
}
