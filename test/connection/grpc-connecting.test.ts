/** The time limit of gRPC for a connection, and the end of its sockets. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, createClient } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { clientScript, startNode } from '../support/child.ts'
import { failureOf, faultyNetwork } from '../support/faulty-network.ts'
import { fullBacklogPort } from '../support/full-backlog.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'
import { BlockingStore } from '../support/stores.ts'
import { later, settlesWithin, until } from '../support/until.ts'

/** A fixture that cannot be reached: new connections are accepted and never answered. Clients wait 200 ms for them. */
async function silentNetwork(context: TestContext, isSecure = false) {
  const files = { cert: pem('server.pem'), key: pem('server.key') }
  const { proxy, client } = await faultyNetwork(context, 'grpc', isSecure ? { tls: files } : {})
  proxy.silent = true
  const connection = { connectTimeoutMs: 200 }
  return { proxy, client: (options?: Partial<ClientOptions>) => client({ connection, ...options }) }
}

for (const isSecure of [false, true]) {
  for (const batch of [undefined, false] as const) {
    const name = `${isSecure ? 'TLS that stalls' : 'a server that says nothing'}, ${batch === false ? 'single request' : 'session'}`
    test(`${name}: connect_timeout, never sent, the socket is closed, and the next call has a fresh one`, async (context) => {
      const { proxy, client: open } = await silentNetwork(context, isSecure)
      const client = open({ batch })
      const call = () => settlesWithin(client.storeBlob('demo', 'x', { timeoutMs: 5000 }), 3000)
      const { error, tookMs } = await failureOf(call)
      assert.deepEqual(
        [error.code, error.reason, error.sent, error.retryable, error.attempts, error.transport],
        ['unavailable', 'connect_timeout', 'never', true, 1, 'grpc']
      )
      assert.ok(tookMs >= 199, `${tookMs} ms`)
      await until(() => proxy.open === 0, 'no connection')
      assert.equal(proxy.connections, 1)
      proxy.silent = false
      // grpc-js would wait for 0.8 s or more before it connects again.
      await settlesWithin(client.storeBlob('demo', 'y'), 750)
      assert.equal(proxy.connections, 2)
      // The time limit is of connecting only.
      await later(400)
      await client.storeBlob('demo', 'z')
      assert.equal(proxy.connections, 2)
    })
  }
}

for (const batch of [undefined, false] as const) {
  test(`with retries each attempt takes a fresh connection: ${batch === false ? 'single requests' : 'session'}`, async (context) => {
    const { proxy, client: open } = await silentNetwork(context)
    const client = open({ batch, retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 } })
    const { error } = await failureOf(client.storeBlob('demo', 'x', { timeoutMs: 5000 }))
    assert.deepEqual([error.reason, error.sent, error.attempts], ['connect_timeout', 'never', 3])
    await until(() => proxy.open === 0, 'no connection')
    assert.equal(proxy.connections, 3)
    const call = client.storeBlob('demo', 'y')
    await until(() => proxy.connections === 4, 'a fourth connection')
    // The second attempt of this call gets through.
    proxy.silent = false
    await call
    assert.equal(proxy.connections, 5)
  })

  test(`an abort and a deadline come before the time limit: ${batch === false ? 'single request' : 'session'}`, async (context) => {
    const { client: open } = await silentNetwork(context)
    const client = open({ batch, connection: { connectTimeoutMs: 3000 } })
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    const aborted = client.storeBlob('demo', 'x', { signal: controller.signal })
    const late = client.storeBlob('demo', 'x', { timeoutMs: 100 })
    for (const [call, code] of [
      [settlesWithin(aborted, 350), 'cancelled'],
      [settlesWithin(late, 350), 'deadline_exceeded']
    ] as const) {
      assert.equal((await failureOf(call)).error.code, code)
    }
  })

  test(`a call that gives up early has the connection pinged; a waiting call fails as never sent: ${batch === false ? 'single request' : 'session'}`, async (context) => {
    const { client: open } = await silentNetwork(context)
    const client = open({ batch, connection: { connectTimeoutMs: 4000 } })
    const waits = failureOf(settlesWithin(client.storeBlob('demo', 'x', { timeoutMs: 5000 }), 3500))
    await failureOf(client.getRepository('demo', { timeoutMs: 100 }))
    const { error, tookMs } = await waits
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connection_dead', 'never'])
    assert.ok(tookMs > 1000, `${tookMs} ms`)
  })
}

test('once the connection is established, a call that waits fails as perhaps sent', async (context) => {
  const store = new BlockingStore()
  const { proxy, client: open } = await faultyNetwork(context, 'grpc', { store })
  context.after(() => store.release())
  const client = open({ batch: false })
  const waits = failureOf(client.getRepository('demo'))
  await until(() => client.stats().connections.open === 1, 'a connection')
  proxy.partition()
  await failureOf(client.getRepository('demo', { timeoutMs: 100 }))
  const { error } = await waits
  assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connection_dead', 'maybe'])
})

test('a call that comes while the connection is being opened shares its time limit', async (context) => {
  const { proxy, client: open } = await silentNetwork(context)
  const client = open({ batch: false, connection: { connectTimeoutMs: 400 } })
  const first = failureOf(client.storeBlob('demo', 'x', { timeoutMs: 5000 }))
  await later(200)
  const second = failureOf(settlesWithin(client.storeBlob('demo', 'y', { timeoutMs: 5000 }), 390))
  for (const call of [first, second]) assert.equal((await call).error.reason, 'connect_timeout')
  assert.equal(proxy.connections, 1)
})

test('streams that a GOAWAY left open go on while no other connection can be opened', async (context) => {
  const store = new BlockingStore()
  const fixture = await testServer({ store })
  const proxy = atEnd(context, await startTcpProxy(fixture.server.grpc))
  const client = createClient({
    endpoint: `grpc://127.0.0.1:${proxy.port}`,
    transport: 'grpc',
    batch: false,
    retry: false,
    connection: { connectTimeoutMs: 200 }
  })
  context.after(() => client.close())
  await client.createRepository('demo')
  const accepted = client.getRepository('demo')
  await until(() => client.stats().connections.streams === 1, 'the call under way')
  await later(50)
  proxy.silent = true
  const closed = fixture[Symbol.asyncDispose]()
  await until(() => client.stats().connections.open === 0, 'the connection drained')
  const { error } = await failureOf(client.getRepository('demo'))
  assert.equal(error.reason, 'connect_timeout')
  store.release()
  assert.equal((await accepted).repository, 'demo')
  await closed
})

test('an attempt that hangs after refused ones times out as well', async (context) => {
  const { proxy, client: open } = await silentNetwork(context)
  const client = open({ batch: false })
  proxy.refuse()
  assert.notEqual((await failureOf(client.getRepository('demo'))).error.reason, 'connect_timeout')
  await proxy.accept()
  const call = async () => (await failureOf(client.getRepository('demo', { timeoutMs: 2000 }))).error.reason
  while ((await call()) !== 'connect_timeout') await later(20)
})

test('a silent HTTP proxy: connect_timeout, and its socket is closed', async (context) => {
  const { proxy, client: open } = await silentNetwork(context)
  const httpProxy = `http://127.0.0.1:${proxy.port}`
  const client = open({ endpoint: 'grpc://[::1]:9', connection: { connectTimeoutMs: 200, proxy: httpProxy } })
  const { error } = await failureOf(client.getRepository('demo', { timeoutMs: 5000 }))
  assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', 'connect_timeout', 'never'])
  assert.match(`${proxy.heads[0]}`, /^CONNECT \[::1\]:9 HTTP\/1\.1\r\n/)
  await until(() => proxy.open === 0, 'no connection')
})

test('close() while a connection is being opened leaves nothing that keeps the process alive', async (context) => {
  const { proxy } = await silentNetwork(context)
  for (const port of [proxy.port, await fullBacklogPort(context)]) {
    const script = `
      const created = new Promise((resolve) => process.getBuiltinModule('diagnostics_channel').subscribe('net.client.socket', resolve))
      const client = createClient({ endpoint: 'grpc://127.0.0.1:${port}', transport: 'grpc' })
      const call = client.getRepository('demo').catch(({ reason }) => reason)
      await created
      await client.close()
      console.log(await call)
      // Fires only where something else keeps the process alive.
      setTimeout(() => process.exit(9), 1000).unref()`
    const child = startNode(...clientScript(script))
    context.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    assert.deepEqual(await once(child, 'close'), [0, null])
    assert.equal(output, 'client_closed\n')
  }
})

test('close() before there is a socket leaves none behind', async (context) => {
  const port = await fullBacklogPort(context)
  for (const turns of [0, 1, 3, 10]) {
    const script = `
      const created = new Promise((resolve) => process.getBuiltinModule('diagnostics_channel').subscribe('net.client.socket', resolve))
      const client = createClient({ endpoint: 'grpc://127.0.0.1:${port}', transport: 'grpc' })
      const call = client.getRepository('demo').catch(({ reason }) => reason)
      for (let turn = 0; turn < ${turns}; turn++) await new Promise(setImmediate)
      await client.close()
      console.log(await call)
      // Fires only where something else keeps the process alive.
      setTimeout(() => process.exit(9), 1000).unref()`
    const child = startNode(...clientScript(script))
    context.after(() => child.kill('SIGKILL'))
    assert.deepEqual(await once(child, 'close'), [0, null], `closed after ${turns} turns`)
  }
})

test('a connection that fails when nobody waits for it any more fails in silence', async (context) => {
  const { proxy, client: open } = await silentNetwork(context)
  const client = open({ batch: false, connection: { connectTimeoutMs: 60_000 } })
  const controller = new AbortController()
  const call = client.storeBlob('demo', 'x', { signal: controller.signal, timeoutMs: 60_000 })
  await until(() => proxy.open === 1, 'the connection')
  controller.abort()
  assert.equal((await failureOf(call)).error.code, 'cancelled')
  proxy.reset()
  await until(() => client.stats().connections.failures === 1, 'the failure')
  // An exception of the channel's watcher would end the process.
  await later(1)
  proxy.silent = false
  await client.storeBlob('demo', 'y')
})
