/** The real client where sessions cannot be had, break, or are left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { getEventListeners, once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startServerProcess } from '../../server-fixture/process.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { type BlobwireError, type Client, createClient } from '../../src/index.ts'
import { startFront } from '../support/front.ts'
import { startGrpcFront } from '../support/grpc-front.ts'
import { startRelay } from '../support/relay.ts'
import { atEnd, testServer } from '../support/server.ts'
import { StuckStore } from '../support/stuck-store.ts'

const oidOf = (content: string) =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0${content}`)
    .digest('hex')
const transports = ['json', 'msgpack', 'grpc'] as const

/** Stores so many at once; each must come back with its own oid. */
async function storeMany(client: Client, count: number, prefix = 'content'): Promise<void> {
  const contents = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  const stored = await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
  assert.deepEqual(
    stored.map(({ oid }) => oid),
    contents.map(oidOf)
  )
}

/** Until it is so; the test's own time-out ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

for (const status of [404, 501, 505]) {
  test(`a server that answers ${status} to Session: batches go as unary requests, decided once`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const front = atEnd(context, await startFront(fixture.server.http, { sessionStatus: () => status }))
    for (const transport of ['json', 'msgpack'] as const) {
      front.seen.length = 0
      const client = fixture.keep(createClient({ endpoint: `http://127.0.0.1:${front.port}`, transport }))
      await client.createRepository('demo')
      await storeMany(client, 500)
      await storeMany(client, 500, 'again')
      const { batching, noSessionReason } = client.stats()
      assert.equal(batching, 'unary')
      assert.notEqual(noSessionReason, '')
      assert.equal(front.seen.filter((path) => path === 'Session').length, 1)
      assert.ok(front.seen.length < 30, `${front.seen.length} requests`)
    }
  })
}

test('a proxy that holds requests back until they have ended: noticed, and no call is lost', async (context) => {
  const fixture = atEnd(context, await testServer())
  const front = atEnd(context, await startFront(fixture.server.http, {}))
  const client = fixture.keep(createClient({ endpoint: `http://127.0.0.1:${front.port}` }))
  const began = performance.now()
  await client.createRepository('demo')
  await storeMany(client, 300)
  assert.ok(performance.now() - began < 4000)
  const { batching, noSessionReason } = client.stats()
  assert.deepEqual([batching, noSessionReason], ['unary', 'session_silent'])
  await storeMany(client, 300, 'again')
  assert.equal(front.seen.filter((path) => path === 'Session').length, 1)
})

for (const isCold of [true, false]) {
  test(`gRPC through a proxy that holds requests back, ${isCold ? 'no' : 'a'} connection before: noticed as well`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const front = atEnd(context, await startGrpcFront(fixture.server.grpc))
    await fixture.client().createRepository('demo')
    const client = fixture.keep(createClient({ endpoint: front.endpoint, transport: 'grpc' }))
    if (!isCold) await client.createRepository('demo')
    await storeMany(client, 300)
    const { batching, noSessionReason } = client.stats()
    assert.deepEqual([batching, noSessionReason], ['unary', 'session_silent'])
  })
}

/** A store whose work waits while it is shut. */
class GatedStore extends MemoryStore {
  #gate = Promise.resolve()
  open: () => void = () => undefined
  waiting = 0

  shut(): void {
    this.#gate = new Promise((resolve) => {
      this.open = resolve
    })
  }

  override async getRepository(repository: string) {
    this.waiting++
    await this.#gate
    this.waiting--
    return super.getRepository(repository)
  }
}

for (const transport of transports) {
  test(`${transport}: a connection that is reset with 200 calls in flight: each has its answer, once`, async (context) => {
    const store = new GatedStore()
    await store.createRepository('demo', 'sha1')
    const fixture = atEnd(context, await testServer({ store }))
    context.after(() => store.open())
    const url = new URL(transport === 'grpc' ? fixture.server.grpc : fixture.server.http)
    const relay = atEnd(context, await startRelay(url.host))
    const scheme = transport === 'grpc' ? 'grpc' : 'http'
    const client = fixture.keep(createClient({ endpoint: `${scheme}://127.0.0.1:${relay.port}`, transport }))
    await storeMany(client, 1, 'before')
    store.shut()
    const contents = Array.from({ length: 200 }, (_, index) => `content-${index}`)
    const calls = contents.map((content) => client.storeBlob('demo', content))
    await until(() => client.stats().framedOperations === 201 && store.waiting > 0)
    relay.cut()
    store.open()
    const stored = await Promise.all(calls)
    assert.deepEqual(
      stored.map(({ oid }) => oid),
      contents.map(oidOf)
    )
    assert.equal(client.stats().resent, 200)
    await storeMany(client, 10, 'after')
  })

  test(`${transport}: a server that is replaced under load: no call fails`, async (context) => {
    class KeptStore extends MemoryStore {
      override async close() {}
    }
    const store = new KeptStore()
    await store.createRepository('demo', 'sha1')
    const hostOf = (server: { http: string; grpc: string }) =>
      new URL(transport === 'grpc' ? server.grpc : server.http).host
    const first = await testServer({ store })
    const second = atEnd(context, await testServer({ store }))
    const relay = atEnd(context, await startRelay(hostOf(first.server)))
    const scheme = transport === 'grpc' ? 'grpc' : 'http'
    const client = second.keep(createClient({ endpoint: `${scheme}://127.0.0.1:${relay.port}`, transport }))
    let done = 0
    let stop = false
    const worker = async (name: number) => {
      for (let turn = 0; !stop; turn++) {
        const content = `${name}-${turn}`
        const { oid } = await client.storeBlob('demo', content)
        assert.equal(oid, oidOf(content))
        done++
      }
    }
    const workers = Promise.all(Array.from({ length: 50 }, (_, index) => worker(index)))
    // What fails before the end must not be lost.
    workers.catch(() => undefined)
    await until(() => done > 1000)
    relay.target = hostOf(second.server)
    const began = performance.now()
    await first[Symbol.asyncDispose]()
    assert.ok(performance.now() - began < 4000, 'the old server ends in time')
    const before = done
    await Promise.race([until(() => done > before + 1000), workers])
    stop = true
    await workers
    assert.equal(client.stats().failures, 0)
    assert.ok(client.stats().sessions >= 2)
  })

  test(`${transport}: 1,000 calls, 200 of them aborted: each ends by itself`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const client = fixture.client({ transport })
    await client.createRepository('demo')
    await storeMany(client, 10)
    const controllers = Array.from({ length: 1000 }, () => new AbortController())
    const calls = controllers.map(({ signal }, index) => client.storeBlob('demo', `c-${index}`, { signal }))
    for (const [index, controller] of controllers.entries()) {
      if (index % 5 !== 0) continue
      if (index % 2) controller.abort()
      else process.nextTick(() => controller.abort())
    }
    const ends = await Promise.allSettled(calls)
    for (const [index, end] of ends.entries()) {
      if (end.status === 'fulfilled') assert.equal(end.value.oid, oidOf(`c-${index}`))
      else {
        assert.equal(index % 5, 0, String(end.reason))
        assert.equal((end.reason as BlobwireError).code, 'cancelled')
      }
    }
    const aborted = ends.filter(({ status }) => status === 'rejected').length
    assert.equal(aborted, 200)
    await storeMany(client, 100, 'after')
  })
}

const closing = `
import { createClient } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
const client = createClient({ endpoint: process.argv[1], transport: process.argv[2] })
const calls = Array.from({ length: 100 }, (_, index) => client.storeBlob('demo', 'content ' + index))
setTimeout(async () => {
  const sent = client.stats().framedOperations
  console.log('closing')
  const settled = Promise.allSettled(calls)
  await client.close()
  const ends = await settled
  const reasons = new Set(ends.map(({ reason }) => reason?.code + ' ' + reason?.reason))
  console.log(JSON.stringify({ sent, reasons: [...reasons] }))
}, 300)
`

for (const transport of transports) {
  test(`${transport}: closing with calls in flight settles them, and the process ends by itself`, async (context) => {
    const store = new StuckStore()
    await store.createRepository('demo', 'sha1')
    const fixture = atEnd(context, await testServer({ store }))
    context.after(() => store.release())
    const url = transport === 'grpc' ? fixture.server.grpc.replace(/^http/, 'grpc') : fixture.server.http
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const flags = ['--input-type=module-typescript', '-e', closing, url, transport]
    const child = spawn(process.execPath, flags, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    let closedAt = 0
    child.stdout.on('data', (chunk) => {
      closedAt ||= performance.now()
      output += chunk
    })
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    assert.ok(performance.now() - closedAt < 1000, `${performance.now() - closedAt} ms after close()`)
    const { sent, reasons } = JSON.parse(output.split('\n')[1] ?? '')
    assert.equal(sent, 100)
    assert.deepEqual(reasons, ['cancelled client_closed'])
  })
}

const resources = () => process.getActiveResourcesInfo().sort().join()

for (const transport of transports) {
  test(`${transport}: after 50,000 calls, heap, timers, sockets and listeners are where they were`, async (context) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const server = await startServerProcess()
    context.after(() => server.stop())
    const endpoint = transport === 'grpc' ? server.grpc.href.replace(/^http/, 'grpc') : server.http.href
    const client = createClient({ endpoint, transport })
    context.after(() => client.close())
    await client.createRepository('demo')
    const { signal } = new AbortController()
    const round = async () => {
      for (let turn = 0; turn < 10; turn++) {
        const calls = Array.from({ length: 1000 }, (_, index) => client.storeBlob('demo', `${index}`, { signal }))
        await Promise.all(calls)
      }
      collect()
      return process.memoryUsage().heapUsed
    }
    await round()
    const before = await round()
    const busy = resources()
    for (let turn = 0; turn < 4; turn++) await round()
    const grown = (await round()) - before
    assert.ok(grown < 2 * 1024 * 1024, `the heap has grown by ${grown} bytes`)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.equal(resources(), busy)
    assert.equal(client.stats().queued, 0)
  })
}
