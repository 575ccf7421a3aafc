/** Connections of gRPC that are old, or idle. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultyNetwork } from '../support/faulty-network.ts'
import { BlockingStore } from '../support/stores.ts'
import { later, until } from '../support/until.ts'

test('a connection of maxAgeMs takes no new streams: sessions move, calls in flight end there, and the connection closes', async (context) => {
  for (const batch of [undefined, false] as const) {
    const { proxy, client: open } = await faultyNetwork(context, 'grpc')
    const client = open({ batch, connection: { maxAgeMs: 150 } })
    const began = performance.now()
    for (let count = 0; proxy.connections < 4; count++) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => client.storeBlob('demo', `${count}-${index}`)))
    }
    // A connection is replaced when its age is over, and not before.
    assert.ok(performance.now() - began >= 3 * 150 - 3)
    // Nothing is opened without a call.
    await until(() => client.stats().connections.streams === 0 || batch === undefined, 'no stream')
    if (batch === false) {
      await until(() => proxy.open === 0, 'no connection')
      const { connections } = proxy
      await later(300)
      assert.equal(proxy.connections, connections)
    } else await until(() => proxy.open === 1, 'one connection')
    const counted = () => {
      const { opened, open: left } = client.stats().connections
      return opened === proxy.connections && left === proxy.open
    }
    await until(counted, 'the counts of the client')
  }
})

for (const batch of [undefined, false] as const) {
  test(`a call that outlasts its connection's age is answered there: ${batch === false ? 'single request' : 'session'}`, async (context) => {
    const store = new BlockingStore()
    const { proxy, client: open } = await faultyNetwork(context, 'grpc', { store })
    context.after(() => store.release())
    const client = open({ batch, timeoutMs: 30_000, connection: { maxAgeMs: 100 } })
    await client.getCapabilities()
    const call = client.getRepository('demo')
    await until(() => client.stats().connections.streams === 1, 'the call under way')
    await later(250)
    const { connections } = proxy
    const other = client.getRepository('demo')
    await until(() => proxy.connections > connections || batch === undefined, 'a second connection')
    assert.ok(proxy.open >= 2, 'the old connection is still open')
    await until(() => client.stats().connections.open === proxy.open, 'the counts of the client')
    store.release()
    for (const answer of await Promise.all([call, other])) assert.equal(answer.repository, 'demo')
    assert.equal(client.stats().resent, 0)
    await until(() => proxy.open <= 1, 'the old connection closed')
  })
}

test('the age of a connection begins with the connection', async (context) => {
  const { proxy, client: open } = await faultyNetwork(context, 'grpc')
  const client = open({ connection: { maxAgeMs: 1500 } })
  const call = () => client.storeBlob('demo', 'x')
  await call()
  await later(1000)
  proxy.cut()
  await until(() => client.stats().connections.open === 0, 'no connection')
  await call()
  await later(700)
  await call()
  assert.equal(proxy.connections, 2)
})

test('an idle connection is closed after idleTimeoutMs, and opened again by the next call', async (context) => {
  const { proxy, client: open } = await faultyNetwork(context, 'grpc')
  const kept = open({ batch: false, connection: { idleTimeoutMs: 1000, maxIdleConnections: 1 } })
  const client = open({ batch: false, connection: { idleTimeoutMs: 1000 } })
  await kept.getRepository('demo')
  await client.getRepository('demo')
  assert.equal(proxy.open, 2)
  await until(() => proxy.open === 1, 'one connection')
  assert.deepEqual([kept.stats().connections.open, client.stats().connections.open], [1, 0])
  await client.getRepository('demo')
  assert.equal(proxy.connections, 3)
})
