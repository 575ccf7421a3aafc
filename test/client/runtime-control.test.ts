/** Control of an open client: idle connections, and breakers that are closed by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { createClient } from '../../src/index.ts'
import { defaultBreaker, down, pipelineHarness } from '../support/pipeline-harness.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

test('idle connections are closed with their sessions, and the next call opens one', async (context) => {
  const { client: clientOf } = atEnd(context, await testServer())
  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    for (const batch of [{}, false] as const) {
      const client = clientOf({ transport, batch, connection: { maxIdleConnections: 4 } })
      await client.createRepository('demo')
      await client.storeBlob('demo', 'a')
      await client.storeBlob('demo', 'of a session of its own', { token: 'any' })
      const { opened, open } = client.stats().connections
      assert.ok(open > 0)
      await client.closeIdleConnections()
      await until(() => client.stats().connections.open === 0, `${transport}: the connection is closed`)
      await client.storeBlob('demo', 'b')
      assert.equal(client.stats().connections.opened, opened + 1)
      assert.equal(client.stats().failures, 0)
    }
  }
})

test('a connection with a call under way stays open', async (context) => {
  const faults = new Faults()
  const { client: clientOf } = atEnd(context, await testServer({ faults }))
  faults.add({ rpc: 'GetCommit', fault: { kind: 'silence' } })
  for (const transport of ['msgpack', 'grpc'] as const) {
    for (const batch of [{}, false] as const) {
      const client = clientOf({ transport, batch })
      const aborted = new AbortController()
      const call = assert.rejects(client.getCommit('demo', undefined, { signal: aborted.signal }), {
        code: 'cancelled'
      })
      await until(() => client.stats().connections.inUse === 1, 'the call is under way')
      await client.closeIdleConnections()
      await client.getCapabilities()
      const { connections, resent } = client.stats()
      assert.deepEqual([connections.opened, connections.open, resent], [1, 1, 0])
      aborted.abort()
      await call
    }
  }
})

test('a breaker that is reset lets calls through at once, and opens again as if it were new', async () => {
  const { read, pipeline, arrivals, clock } = pipelineHarness({
    breaker: { ...defaultBreaker, failures: 1, waitMs: 0 },
    retry: { maxAttempts: 1, baseMs: 100, maxMs: 1000, budgetRatio: 0, budgetPerSecond: 0 },
    respond: ({ fail }) => fail(down)
  })
  const breaker = pipeline.channels()[0]?.breaker ?? assert.fail('no breaker')
  await assert.rejects(read(), { code: 'unavailable' })
  for (let probes = 0; probes < 3; probes++) {
    clock.advance(10_000)
    await assert.rejects(read(), { code: 'unavailable' })
  }
  await assert.rejects(read(), { reason: 'circuit_open' })
  assert.equal(arrivals.length, 4)
  const told: string[] = []
  breaker.onState = (state) => told.push(state)
  breaker.reset()
  breaker.reset()
  assert.equal(breaker.state, 'closed')
  assert.deepEqual(told, ['closed'], 'a breaker that is closed already does not close')
  await assert.rejects(read(), { code: 'unavailable' })
  assert.equal(arrivals.length, 5)
  // Half a second again, not the eight that a fifth opening in a row would have.
  clock.advance(500)
  await assert.rejects(read(), { code: 'unavailable' })
  assert.equal(arrivals.length, 6)
})

test('breakers are reset by the endpoint as the option names it', async (context) => {
  const client = createClient({ endpoint: ['http://127.0.0.1:9', 'http://127.0.0.1:10'] })
  context.after(() => client.close())
  client.resetBreakers()
  client.resetBreakers('http://127.0.0.1:9')
  assert.throws(() => client.resetBreakers('http://127.0.0.1:11'), {
    code: 'invalid_argument',
    message:
      'endpoint: must be one of the client\'s endpoints (http://127.0.0.1:9, http://127.0.0.1:10), not "http://127.0.0.1:11"'
  })
})

test('an endpoint may have connections of its own number', async (context) => {
  const { client: clientOf, server } = atEnd(context, await testServer())
  for (const [own, opened] of [
    [{ maxConnections: 2 }, 2],
    [{}, 3]
  ] as const) {
    const connection = { maxConnections: 3, maxStreamsPerConnection: 1 }
    const client = clientOf({ endpoint: [{ url: server.http, connection: own }], connection, batch: false })
    await Promise.all(Array.from({ length: 8 }, (_each, index) => client.createRepository(`demo-${index}`)))
    assert.equal(client.stats().connections.opened, opened)
  }
})
