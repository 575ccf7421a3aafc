/** How long gRPC tries to get a connection, and what becomes of the sockets. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { deafPort } from '../support/deaf-port.ts'
import { failureOf, faultyNetwork } from '../support/faulty-network.ts'
import { doorScene, later, startDoor, until } from '../support/mute-door.ts'
import { testServer } from '../support/server.ts'
import { StuckStore } from '../support/stuck-store.ts'

for (const isSecure of [false, true]) {
  for (const batch of [undefined, false] as const) {
    const name = `${isSecure ? 'TLS that stalls' : 'a server that says nothing'}, ${batch === false ? 'single request' : 'session'}`
    test(`${name}: connect_timeout, never sent, the socket is closed, and the next call has a fresh one`, async (context) => {
      const { door, client: open } = await doorScene(context, isSecure)
      const client = open({ batch })
      const { error, tookMs } = await failureOf(client.storeBlob('demo', 'x', { timeoutMs: 5000 }))
      assert.deepEqual(
        [error.code, error.reason, error.sent, error.retryable, error.attempts, error.transport],
        ['unavailable', 'connect_timeout', 'never', true, 1, 'grpc']
      )
      assert.ok(tookMs >= 199 && tookMs < 1000, `${tookMs} ms`)
      await until(() => door.open === 0)
      assert.equal(door.connections, 1)
      door.mute = false
      const began = performance.now()
      await client.storeBlob('demo', 'y')
      assert.ok(performance.now() - began < 500)
      assert.equal(door.connections, 2)
      // The time limit is of connecting only.
      await later(400)
      await client.storeBlob('demo', 'z')
      assert.equal(door.connections, 2)
    })
  }
}

for (const batch of [undefined, false] as const) {
  test(`tried again where retries are on, each time on a fresh connection: ${batch === false ? 'single requests' : 'session'}`, async (context) => {
    const { door, client: open } = await doorScene(context)
    const client = open({ batch, retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 } })
    const { error } = await failureOf(client.storeBlob('demo', 'x', { timeoutMs: 5000 }))
    assert.deepEqual([error.reason, error.sent, error.attempts], ['connect_timeout', 'never', 3])
    await until(() => door.open === 0)
    assert.equal(door.connections, 3)
    const call = client.storeBlob('demo', 'y')
    await until(() => door.connections === 4)
    // The second attempt of this call gets through.
    door.mute = false
    await call
    assert.equal(door.connections, 5)
  })

  test(`an abort and a deadline come before the time limit: ${batch === false ? 'single request' : 'session'}`, async (context) => {
    const { client: open } = await doorScene(context)
    const client = open({ batch, connection: { connectTimeoutMs: 3000 } })
    const aborted = failureOf(client.storeBlob('demo', 'x', { signal: AbortSignal.timeout(50) }))
    const late = failureOf(client.storeBlob('demo', 'x', { timeoutMs: 100 }))
    for (const [{ error, tookMs }, code] of [
      [await aborted, 'cancelled'],
      [await late, 'deadline_exceeded']
    ] as const) {
      assert.equal(error.code, code)
      assert.ok(tookMs < 350, `${tookMs} ms`)
    }
  })

  test(`a call that gives up early has the server asked; who waits hears never sent: ${batch === false ? 'single request' : 'session'}`, async (context) => {
    const { client: open } = await doorScene(context)
    const client = open({ batch, connection: { connectTimeoutMs: 4000 } })
    const waits = failureOf(client.storeBlob('demo', 'x', { timeoutMs: 5000 }))
    await failureOf(client.getRepository('demo', { timeoutMs: 100 }))
    const { error, tookMs } = await waits
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connection_dead', 'never'])
    assert.ok(tookMs > 1000 && tookMs < 2000, `${tookMs} ms`)
  })
}

test('once the connection stands, who waits hears that the call may have been sent', async (context) => {
  const store = new StuckStore()
  const { proxy, client: open } = await faultyNetwork(context, 'grpc', { store })
  context.after(() => store.release())
  const client = open({ batch: false })
  const waits = failureOf(client.getRepository('demo'))
  await until(() => client.stats().connections.open === 1)
  proxy.partition()
  await failureOf(client.getRepository('demo', { timeoutMs: 100 }))
  const { error } = await waits
  assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connection_dead', 'maybe'])
})

test('a call that comes while the connection is being opened shares its time limit', async (context) => {
  const { door, client: open } = await doorScene(context)
  const client = open({ batch: false, connection: { connectTimeoutMs: 400 } })
  const first = failureOf(client.storeBlob('demo', 'x', { timeoutMs: 5000 }))
  await later(200)
  const second = failureOf(client.storeBlob('demo', 'y', { timeoutMs: 5000 }))
  assert.equal((await first).error.reason, 'connect_timeout')
  const { error, tookMs } = await second
  assert.equal(error.reason, 'connect_timeout')
  assert.ok(tookMs < 350, `${tookMs} ms`)
  assert.equal(door.connections, 1)
})

test('what a GOAWAY left open goes on while no other connection can be had', async (context) => {
  const store = new StuckStore()
  const fixture = await testServer({ store })
  const door = await startDoor(context, fixture.server.grpc)
  door.mute = false
  const client = createClient({
    endpoint: `grpc://127.0.0.1:${door.port}`,
    transport: 'grpc',
    batch: false,
    retry: false,
    connection: { connectTimeoutMs: 200 }
  })
  context.after(() => client.close())
  await client.createRepository('demo')
  const accepted = client.getRepository('demo')
  await until(() => client.stats().connections.streams === 1)
  await later(50)
  door.mute = true
  const closed = fixture[Symbol.asyncDispose]()
  await until(() => client.stats().connections.open === 0)
  const { error } = await failureOf(client.getRepository('demo'))
  assert.equal(error.reason, 'connect_timeout')
  store.release()
  assert.equal((await accepted).repository, 'demo')
  await closed
})

test('an attempt that hangs after others were refused is given up as well', async (context) => {
  const { door, client: open } = await doorScene(context)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const client = open({ batch: false, endpoint: `grpc://127.0.0.1:${port}` })
  assert.notEqual((await failureOf(client.getRepository('demo'))).error.reason, 'connect_timeout')
  // Somebody listens there now, and says nothing.
  const mute: Socket[] = []
  const server = createServer((socket) => mute.push(socket.on('error', () => undefined))).listen(port, '127.0.0.1')
  context.after(() => {
    for (const socket of mute) socket.destroy()
    server.close()
  })
  const call = async () => (await failureOf(client.getRepository('demo', { timeoutMs: 2000 }))).error.reason
  while ((await call()) !== 'connect_timeout') await later(20)
  assert.equal(door.connections, 0)
})

test('a proxy that says nothing: the same, and its socket is closed', async (context) => {
  const { door, client: open } = await doorScene(context)
  const proxy = `http://127.0.0.1:${door.port}`
  const client = open({ endpoint: 'grpc://[::1]:9', connection: { connectTimeoutMs: 200, proxy } })
  const { error } = await failureOf(client.getRepository('demo', { timeoutMs: 5000 }))
  assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connect_timeout', 'never'])
  assert.match(door.heard, /^CONNECT \[::1\]:9 HTTP\/1\.1\r\n/)
  await until(() => door.open === 0)
})

test('close() while a connection is being opened leaves nothing that keeps the process alive', async (context) => {
  const { door } = await doorScene(context)
  for (const port of [door.port, await deafPort(context)]) {
    const script = `
      import { createClient } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
      const client = createClient({ endpoint: 'grpc://127.0.0.1:${port}', transport: 'grpc' })
      const call = client.getRepository('demo').catch(({ reason }) => reason)
      setTimeout(async () => {
        await client.close()
        console.log(await call)
      }, 300)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    context.after(() => child.kill('SIGKILL'))
    const exited = once(child, 'exit')
    const [line] = await once(child.stdout, 'data')
    const began = performance.now()
    assert.equal(`${line}`.trim(), 'client_closed')
    assert.deepEqual(await exited, [0, null])
    assert.ok(performance.now() - began < 1000)
  }
})
