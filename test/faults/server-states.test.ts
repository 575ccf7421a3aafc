/** Servers in a bad state: no room for streams, headers without an answer, errors of a proxy, a restart under load. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { type RunningServer, startServer } from '../../server-fixture/server.ts'
import { createClient } from '../../src/index.ts'
import { blobOid, failureOf, transports } from '../support/faulty-network.ts'
import { startPeer } from '../support/http2-peer.ts'
import { startLoad } from '../support/load.ts'
import { ownPorts } from '../support/ports.ts'
import { atEnd, testServer } from '../support/server.ts'
import { SharedStore } from '../support/stores.ts'
import { settlesWithin } from '../support/until.ts'

const single = { batch: false, retry: false, breaker: false } as const

for (const transport of transports) {
  const scheme = transport === 'grpc' ? 'grpc' : 'http'

  test(`${transport}: no stream is ever allowed: deadline_exceeded, on time, and nothing is left`, async (context) => {
    const peer = await startPeer(context, () => undefined, { maxConcurrentStreams: 0 })
    const endpoint = `${scheme}://127.0.0.1:${peer.port}`
    const client = createClient({ endpoint, transport, ...single, timeoutMs: 300 })
    context.after(() => client.close())
    const call = () => failureOf(settlesWithin(client.getRepository('demo'), 300 + 250))
    const failures = await Promise.all(Array.from({ length: 50 }, call))
    for (const { error } of failures) assert.equal(error.code, 'deadline_exceeded')
    assert.equal(client.stats().running, 0)
    assert.ok(peer.sockets.size <= 4, `${peer.sockets.size} connections`)
  })

  test(`${transport}: a limit of streams that is lowered to 1 with calls in flight: all are answered`, async (context) => {
    const faults = new Faults({ rules: [{ rpc: 'StoreBlob', count: 1, fault: { kind: 'stream_limit', streams: 1 } }] })
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport, batch: false })
    await client.createRepository('demo')
    const contents = Array.from({ length: 200 }, (_, index) => `content ${index}`)
    const stored = await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
    assert.deepEqual(
      stored.map(({ oid }) => oid),
      contents.map(blobOid)
    )
    assert.equal(faults.fired('stream_limit'), 1)
  })

  test(`${transport}: headers without a body: deadline_exceeded, sent maybe, on time`, async (context) => {
    const type = transport === 'grpc' ? 'application/grpc' : `application/${transport}`
    const peer = await startPeer(context, (stream) => stream.respond({ ':status': 200, 'content-type': type }))
    const endpoint = `${scheme}://127.0.0.1:${peer.port}`
    const client = createClient({ endpoint, transport, ...single, timeoutMs: 300 })
    context.after(() => client.close())
    const { error } = await failureOf(settlesWithin(client.getRepository('demo'), 300 + 250))
    assert.deepEqual([error.code, error.sent], ['deadline_exceeded', 'maybe'])
  })

  test(`${transport}: an answer byte by byte does not outlive the deadline`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport, ...single })
    await client.createRepository('demo')
    faults.add({ rpc: 'StoreBlob', count: 1, fault: { kind: 'drip', everyMs: 50 } })
    const call = settlesWithin(client.storeBlob('demo', 'a', { timeoutMs: 300 }), 300 + 250)
    const { error } = await failureOf(call)
    assert.deepEqual([error.code, error.sent], ['deadline_exceeded', 'maybe'])
    assert.equal((await client.storeBlob('demo', 'a')).oid, blobOid('a'))
  })

  test(`${transport}: an error page of a proxy is judged by its status`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport, ...single })
    await client.createRepository('demo')
    for (const status of [502, 503, 504]) {
      faults.clear()
      faults.add({ rpc: 'StoreBlob', fault: { kind: 'http_status', status } })
      const { error } = await failureOf(client.storeBlob('demo', 'a'))
      assert.deepEqual([error.code, error.retryable], ['unavailable', true], `${status}`)
      assert.doesNotMatch(error.message, /<html/)
    }
    faults.clear()
    faults.add({ rpc: 'StoreBlob', count: 2, fault: { kind: 'http_status', status: 503 } })
    const patient = fixture.client({ transport, batch: false, retry: { baseMs: 5 } })
    assert.equal((await patient.storeBlob('demo', 'a')).oid, blobOid('a'))
  })

  test(`${transport}: started again on the same port under load: no call fails`, async (context) => {
    const store = new SharedStore()
    await store.createRepository('demo', 'sha1')
    const ports = await ownPorts()
    let server: RunningServer = await startServer({ store, ...ports })
    context.after(() => server.close())
    const { http, grpc } = server
    const endpoint = transport === 'grpc' ? grpc.replace('http', 'grpc') : http
    // Three attempts within 300 ms, the default, are over before a server has drained and begun again.
    const retry = { maxAttempts: 30, baseMs: 50, maxMs: 400 }
    const client = createClient({ endpoint, transport, retry, breaker: false, timeoutMs: 10_000 })
    context.after(() => client.close())
    const load = startLoad(client, 20)
    for (let restart = 0; restart < 3; restart++) {
      await load.answers(200)
      await server.close()
      server = await startServer({ store, ...ports })
    }
    await load.answers(200)
    await load.stop()
    assert.equal(client.stats().failures, 0)
  })
}

for (const transport of ['json', 'msgpack'] as const) {
  test(`${transport}: 429 with Retry-After is waited for, but not past the deadline`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport, batch: false, retry: { baseMs: 1 } })
    await client.createRepository('demo')
    const fault = { kind: 'http_status', status: 429, retryAfterSeconds: 1 } as const
    faults.add({ rpc: 'StoreBlob', count: 1, fault })
    const began = performance.now()
    await client.storeBlob('demo', 'a')
    assert.ok(performance.now() - began >= 990, `${performance.now() - began} ms`)
    faults.add({ rpc: 'GetRepository', fault })
    // The call ends with the first answer, and does not wait for a deadline that comes before the retry.
    const { error } = await failureOf(settlesWithin(client.getRepository('demo', { timeoutMs: 900 }), 850))
    assert.deepEqual([error.attempts, error.details.retryAfterMs], [1, 1000])
  })

  test(`${transport}: 413 splits a batch`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport, batch: false })
    await client.createRepository('demo')
    faults.add({ rpc: 'BatchOperations', count: 3, fault: { kind: 'http_status', status: 413 } })
    const contents = Array.from({ length: 40 }, (_, index) => `content ${index}`)
    const results = await client.batch(
      'demo',
      contents.map((content) => ({ storeBlob: { content } }))
    )
    assert.deepEqual(
      results.map(({ value }) => value?.oid),
      contents.map(blobOid)
    )
    assert.equal(faults.fired('http_status'), 3)
  })
}
