/** The reliability of endpoints, active health checks, and the health of a client, on a fake clock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reliability } from '../../src/balance/reliability.ts'
import { healthOf } from '../../src/client/health.ts'
import {
  defaultBreaker,
  down,
  type PipelineHarness,
  type PipelineHarnessOptions,
  pipelineHarness,
  settled
} from '../support/pipeline-harness.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const once = { maxAttempts: 1, baseMs: 100, maxMs: 1000, budgetRatio: 0, budgetPerSecond: 0 }
const connection = { maxConnections: 2, maxStreamsPerConnection: 10 }

function healthOfHarness({ pipeline, clock, counters }: PipelineHarness, endpoints: readonly string[] = ['a']) {
  const ofEndpoint = { weight: 1, attemptTimeoutMs: undefined, connection }
  const endpointOptions = new Map(endpoints.map((endpoint) => [endpoint, ofEndpoint as never]))
  return healthOf({ pipeline, clock, counters, options: { endpointOptions } })
}

test('a window forgets attempts and answers after its time, and no earlier', () => {
  const reliability = new Reliability()
  const none = {
    attempts: 0,
    failures: 0,
    successRatio: undefined,
    p50Ms: undefined,
    p95Ms: undefined,
    p99Ms: undefined
  }
  assert.deepEqual(reliability.summary(0), { minute: none, hour: none })
  reliability.successes += 3
  reliability.answered(1000, 10)
  reliability.failed(2000)
  const { minute, hour } = reliability.summary(54_999)
  assert.deepEqual([minute.attempts, minute.failures, minute.successRatio], [4, 1, 0.75])
  assert.deepEqual(hour, minute)
  assert.deepEqual(reliability.summary(60_000).minute, none)
  assert.deepEqual(reliability.summary(3_599_999).hour, hour)
  assert.deepEqual(reliability.summary(3_600_000).hour, none)
  reliability.successes++
  assert.equal(reliability.summary(9_000_000).minute.attempts, 1)
})

test('percentiles are those of the answers, rounded up by at most a fifth', () => {
  const reliability = new Reliability()
  for (let ms = 1; ms <= 1000; ms++) reliability.answered(100, ms)
  const { p50Ms = 0, p95Ms = 0, p99Ms = 0 } = reliability.summary(100).minute
  for (const [found, exact] of [
    [p50Ms, 500],
    [p95Ms, 950],
    [p99Ms, 990]
  ] as const) {
    assert.ok(found >= exact && found <= exact * 1.21, `${found} for ${exact}`)
  }
  reliability.answered(100, 0)
  reliability.answered(100, 1e9)
})

test('a client is healthy below 70 % of its pool, degraded to 90 %, and unhealthy above', async () => {
  const harness = pipelineHarness({ concurrency: { maxCalls: 10, maxQueued: 10 } })
  const calls: Promise<object>[] = []
  const statuses: string[] = []
  for (let running = 1; running <= 11; running++) {
    calls.push(harness.read())
    statuses.push(healthOfHarness(harness).status)
  }
  const expected = Array.from({ length: 11 }, (_, at) => (at < 6 ? 'healthy' : at < 9 ? 'degraded' : 'unhealthy'))
  assert.deepEqual(statuses, expected)
  const { pool, causes } = healthOfHarness(harness)
  assert.deepEqual(pool, { use: 1, running: 10, maxCalls: 10, waiting: 1, streams: 0, maxStreams: 20 })
  assert.deepEqual(causes, ['100 % of the pool is in use: 10 of 10 calls are under way, 1 wait'])
  await settled()
  while (harness.arrivals.length > 0) {
    for (const { answer } of harness.arrivals.splice(0)) answer()
    await settled()
  }
  await Promise.all(calls)
  assert.equal(healthOfHarness(harness).status, 'healthy')
  harness.counters.connections.streams = 19
  assert.equal(healthOfHarness(harness).status, 'unhealthy')
})

test('while an adaptive limit measures its baseline, the pool is the one that comes after', async () => {
  const harness = pipelineHarness({ concurrency: { maxCalls: 100, maxQueued: 10, adaptive: true } })
  const calls = Array.from({ length: 4 }, () => harness.read())
  await settled()
  const { status, pool } = healthOfHarness(harness)
  assert.deepEqual([status, pool.running, pool.maxCalls, harness.pipeline.bulkhead.maxCalls], ['healthy', 4, 20, 4])
  for (const { answer } of harness.arrivals) answer()
  await Promise.all(calls)
})

test('endpoints that fail are told with their figures; while one of two works, the client is degraded', async () => {
  const harness = pipelineHarness({
    endpoints: ['a', 'b'],
    breaker: { ...defaultBreaker, failures: 3, waitMs: 0 },
    retry: once,
    respond: ({ endpoint, answer, fail }) => (endpoint === 'a' ? fail(down) : answer())
  })
  for (let call = 0; call < 10; call++) {
    await harness.read().catch(() => undefined)
    harness.clock.advance(1)
  }
  const { status, causes, endpoints } = healthOfHarness(harness, ['a', 'b'])
  assert.equal(status, 'degraded')
  assert.deepEqual(causes, ['a: the circuit breaker is open', 'a: 0 % of 3 attempts succeeded in the last minute'])
  const [a, b] = endpoints
  assert.deepEqual([a?.endpoint, a?.status, a?.breaker, a?.minute.failures], ['a', 'unhealthy', 'open', 3])
  assert.deepEqual([b?.status, b?.minute.attempts, b?.minute.successRatio], ['healthy', 7, 1])
})

test('a share of failures that opens no breaker degrades an endpoint once there are enough attempts', async () => {
  let count = 0
  const respond: PipelineHarnessOptions['respond'] = ({ answer, fail }) => (count++ % 10 === 0 ? fail(down) : answer())
  const harness = pipelineHarness({ respond, retry: once, breaker: defaultBreaker })
  const causesAfter = async (calls: number) => {
    for (let call = 0; call < calls; call++) await harness.read().catch(() => undefined)
    return healthOfHarness(harness).causes
  }
  assert.deepEqual(await causesAfter(19), [])
  assert.deepEqual(await causesAfter(1), ['a: 90 % of 20 attempts succeeded in the last minute'])
  harness.clock.advance(60_000)
  assert.equal(healthOfHarness(harness).status, 'healthy')
})

test('an endpoint that answered none of a few attempts is unhealthy, also without a breaker', async () => {
  let isDown = true
  const respond: PipelineHarnessOptions['respond'] = ({ answer, fail }) => (isDown ? fail(down) : answer())
  const harness = pipelineHarness({ respond, retry: once, breaker: false })
  const statuses: string[] = []
  for (let call = 0; call < 3; call++) {
    await harness.read().catch(() => undefined)
    statuses.push(healthOfHarness(harness).status)
  }
  assert.deepEqual(statuses, ['healthy', 'healthy', 'unhealthy'])
  assert.deepEqual(healthOfHarness(harness).causes, ['a: 0 % of 3 attempts succeeded in the last minute'])
  isDown = false
  await harness.read()
  assert.equal(healthOfHarness(harness).status, 'healthy')
})

test('health checks open the breaker of an endpoint that fails and close it when the endpoint is back, without a call', async () => {
  let isDown = true
  const harness = pipelineHarness({
    breaker: { ...defaultBreaker, failures: 3, firstOpenMs: 60_000 },
    healthCheck: { intervalMs: 1000, timeoutMs: 500 },
    respond: ({ answer, fail }) => (isDown ? fail(down) : answer())
  })
  const { clock, pipeline, arrivals } = harness
  const round = async (ms: number) => {
    clock.advance(ms)
    await settled()
  }
  await round(0)
  const [{ check } = assert.fail('no endpoint')] = healthOfHarness(harness).endpoints
  assert.deepEqual([check?.error?.message, check?.durationMs], ['down', 0])
  assert.deepEqual(healthOfHarness(harness).causes, ['a: the last health check failed: down'])
  await round(1000)
  await round(1000)
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'open')
  isDown = false
  // The breaker would be open for a minute: the check is its probe.
  await round(1000)
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'closed')
  assert.equal(healthOfHarness(harness).status, 'healthy')
  assert.equal(arrivals.length, 4)
  assert.deepEqual(new Set(arrivals.map(({ call }) => call.method.name)), new Set(['GetCapabilities']))
  await pipeline.close()
  await round(10_000)
  assert.equal(arrivals.length, 4)
  assert.equal(clock.pending, 0)
})

test('an endpoint that does not answer a check in time has failed it, and the request is abandoned', async () => {
  const harness = pipelineHarness({ healthCheck: { intervalMs: 1000, timeoutMs: 500 }, breaker: defaultBreaker })
  harness.clock.advance(0)
  await settled()
  const { signal } = harness.last().call
  harness.clock.advance(500)
  await settled()
  assert.ok(signal.aborted)
  const [endpoint] = healthOfHarness(harness).endpoints
  assert.equal(endpoint?.check?.error?.message, 'no answer to the health check within 500 ms')
  assert.deepEqual([endpoint?.minute.failures, endpoint?.inFlight], [1, 0])
  await harness.pipeline.close()
})

test('an endpoint has one check at a time, however long it takes', async () => {
  const harness = pipelineHarness({ healthCheck: { intervalMs: 1000, timeoutMs: 10_000 } })
  for (let round = 0; round < 4; round++) {
    harness.clock.advance(round === 0 ? 0 : 1000)
    await settled()
  }
  assert.equal(harness.arrivals.length, 1)
  harness.last().answer()
  await settled()
  harness.clock.advance(1000)
  await settled()
  assert.equal(harness.arrivals.length, 2)
  await harness.pipeline.close()
})

test('health checks pass over every transport, and need no token', async (context) => {
  const grants = [{ token: 'secret', access: 'read', repositories: ['*'] }] as const
  const { client: clientOf } = atEnd(context, await testServer({ grants }))
  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    const client = clientOf({ transport, healthCheck: { intervalMs: 100 } })
    await until(() => client.health().endpoints[0]?.check !== undefined, `${transport}: the endpoint is checked`)
    const { status, endpoints } = client.health()
    assert.deepEqual([status, endpoints[0]?.transport, endpoints[0]?.minute.successRatio], ['healthy', transport, 1])
    assert.equal(client.stats().calls, 0)
  }
})
