/** Connections of gRPC that are old, or idle. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { doorScene, later, startDoor, until } from '../support/mute-door.ts'
import { atEnd, testServer } from '../support/server.ts'
import { StuckStore } from '../support/stuck-store.ts'

test('an old connection takes nothing new: sessions move, calls in flight end there, and it is closed', async (context) => {
  for (const batch of [undefined, false] as const) {
    const { door, client: open } = await doorScene(context)
    door.mute = false
    const client = open({ batch, connection: { maxAgeMs: 150 } })
    const began = performance.now()
    for (let count = 0; performance.now() - began < 700; count++) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => client.storeBlob('demo', `${count}-${index}`)))
    }
    assert.ok(door.connections >= 3 && door.connections <= 6, `${door.connections} connections`)
    // Nothing is opened without a call.
    await until(() => client.stats().connections.streams === 0 || batch === undefined)
    if (batch === false) {
      await until(() => door.open === 0)
      const { connections } = door
      await later(300)
      assert.equal(door.connections, connections)
    } else await until(() => door.open === 1)
    const counted = () => {
      const { opened, open: left } = client.stats().connections
      return opened === door.connections && left === door.open
    }
    await until(counted)
  }
})

for (const batch of [undefined, false] as const) {
  test(`a call that outlasts its connection's age is answered there: ${batch === false ? 'single request' : 'session'}`, async (context) => {
    const store = new StuckStore()
    const fixture = atEnd(context, await testServer({ store }))
    context.after(() => store.release())
    const door = await startDoor(context, fixture.server.grpc)
    door.mute = false
    const endpoint = `grpc://127.0.0.1:${door.port}`
    const connection = { maxAgeMs: 100 }
    const client = fixture.keep(createClient({ endpoint, transport: 'grpc', batch, retry: false, connection }))
    await client.createRepository('demo')
    const call = client.getRepository('demo')
    await until(() => client.stats().connections.streams === 1)
    await later(250)
    const { connections } = door
    const other = client.getRepository('demo')
    await until(() => door.connections > connections || batch === undefined)
    assert.ok(door.open >= 2, 'the old connection is still open')
    await until(() => client.stats().connections.open === door.open)
    store.release()
    for (const answer of await Promise.all([call, other])) assert.equal(answer.repository, 'demo')
    assert.equal(client.stats().resent, 0)
    await until(() => door.open <= 1)
  })
}

test('the age of a connection begins with the connection', async (context) => {
  const { door, client: open } = await doorScene(context)
  door.mute = false
  const client = open({ connection: { maxAgeMs: 600 } })
  const began = performance.now()
  const call = () => client.storeBlob('demo', 'x')
  await call()
  await later(400)
  door.cut()
  await until(() => client.stats().connections.open === 0)
  await call()
  await later(400)
  await call()
  assert.ok(performance.now() - began > 800)
  assert.equal(door.connections, 2)
})

test('an idle connection is closed after idleTimeoutMs, and opened again by the next call', async (context) => {
  const { door, client: open } = await doorScene(context)
  door.mute = false
  const kept = open({ batch: false, connection: { idleTimeoutMs: 1000, maxIdleConnections: 1 } })
  const client = open({ batch: false, connection: { idleTimeoutMs: 1000 } })
  await kept.getRepository('demo')
  await client.getRepository('demo')
  assert.equal(door.open, 2)
  const began = performance.now()
  await until(() => door.open === 1)
  assert.ok(performance.now() - began < 3000)
  assert.deepEqual([kept.stats().connections.open, client.stats().connections.open], [1, 0])
  await client.getRepository('demo')
  assert.equal(door.connections, 3)
})
