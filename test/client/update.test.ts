/** Limits and time limits that change while a client is open and calls are under way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { BlobwireError, type ClientUpdate, createClient } from '../../src/index.ts'
import { type Arrival, down, pipelineHarness, settled } from '../support/pipeline-harness.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const endpoint = 'http://localhost'
const limitsOf = (options: object) => resolveOptions({ endpoint, breaker: { failures: 5 }, ...options })

/** A pipeline with the defaults of clients. */
function open(options: object = {}, harness: Parameters<typeof pipelineHarness>[0] = {}) {
  const { retry, breaker, concurrency, adaptive, batch, hedge, attemptTimeoutMs } = limitsOf(options)
  const made = pipelineHarness({ retry, breaker, concurrency, adaptive, hedge, attemptTimeoutMs, batch, ...harness })
  return { ...made, update: (changed: object) => made.pipeline.update(limitsOf({ ...options, ...changed })) }
}

test('calls that wait begin when the limit is raised, and a lower one counts for the next', async () => {
  const { read, pipeline, arrivals, update } = open({ concurrency: { maxCalls: 1 } }, { batch: false })
  const calls = [read(), read(), read(), read()]
  await settled()
  assert.deepEqual([arrivals.length, pipeline.bulkhead.queued], [1, 3])
  update({ concurrency: { maxCalls: 3, maxQueued: 1 } })
  await settled()
  assert.deepEqual([arrivals.length, pipeline.bulkhead.queued], [3, 1])
  await assert.rejects(Promise.all([read(), read()]), { reason: 'queue_full' })
  update({ concurrency: { maxCalls: 1, maxQueued: 10 } })
  for (const arrival of arrivals.slice(0, 2)) arrival.answer()
  await settled()
  assert.equal(pipeline.bulkhead.running, 1)
  for (let turn = 0; turn < 4; turn++) {
    for (const arrival of arrivals) arrival.answer()
    await settled()
  }
  await Promise.all(calls)
})

test('a limit begins to adapt, and stops', () => {
  const { pipeline, update } = open({ concurrency: { maxCalls: 100 } })
  assert.equal(pipeline.bulkhead.maxCalls, 100)
  update({ concurrency: 'adaptive', attemptTimeoutMs: 'adaptive', adaptive: { leastCalls: 9 } })
  const [channel] = pipeline.channels()
  const measured = channel?.adaptive?.timeout
  assert.equal(pipeline.bulkhead.maxCalls, 9)
  update({ concurrency: 'adaptive', attemptTimeoutMs: 'adaptive', adaptive: { leastCalls: 6 } })
  assert.equal(pipeline.bulkhead.maxCalls, 6)
  assert.equal(channel?.adaptive?.timeout, measured, 'what was measured stays')
  update({ concurrency: { maxCalls: 50 } })
  assert.deepEqual([pipeline.bulkhead.maxCalls, channel?.adaptive, channel?.weight], [50, undefined, 1])
})

test('retries, breaker, hedging and the time of an attempt count for what begins later', async () => {
  const { read, clock, arrivals, counters, update, pipeline } = open({ retry: { maxAttempts: 3 } }, { batch: false })
  const first = read()
  await settled()
  update({ retry: { maxAttempts: 1 }, breaker: { failures: 1, waitMs: 0 }, attemptTimeoutMs: 50 })
  clock.advance(1000)
  assert.equal(counters.timeouts, 0, 'an attempt keeps its time')
  arrivals[0]?.fail(down)
  await assert.rejects(first, { code: 'unavailable', attempts: 1 })
  assert.equal(pipeline.channels()[0]?.breaker?.state, 'open')
  await assert.rejects(read(), { reason: 'circuit_open' })
  pipeline.channels()[0]?.breaker?.reset()
  const late = read()
  await settled()
  clock.advance(50)
  await assert.rejects(late, { reason: 'attempt_timeout' })
  update({ hedge: { delayMs: 10 } })
  pipeline.channels()[0]?.breaker?.reset()
  const hedged = read()
  await settled()
  clock.advance(10)
  await settled()
  assert.equal(counters.hedges, 1)
  for (const arrival of arrivals) arrival.answer()
  await hedged
})

test('the retry budget follows its new rule', async () => {
  const respond = ({ fail }: Arrival) => fail(down)
  const { read, counters, update } = open(
    { retry: { baseMs: 0, budgetRatio: 0, budgetPerSecond: 0 }, breaker: { failures: 1000, minimumAttempts: 1000 } },
    { batch: false, respond }
  )
  await assert.rejects(read(), { reason: 'retry_budget_exhausted' })
  update({
    retry: { baseMs: 0, maxAttempts: 3, budgetRatio: 1000, budgetPerSecond: 1000 },
    breaker: { failures: 1000, minimumAttempts: 1000 }
  })
  await assert.rejects(read(), { code: 'unavailable', reason: '', attempts: 3 })
  assert.equal(counters.retries, 2)
})

test('frames follow the limits of batches', async () => {
  const { store, stream, update } = open({ batch: { maxOperations: 100, framesInFlight: 1 } })
  const calls = [store('first')]
  await settled()
  for (let index = 0; index < 4; index++) calls.push(store(`${index}`))
  update({ batch: { maxOperations: 2, framesInFlight: 8, maxQueued: 4 } })
  await assert.rejects(store('too many'), { reason: 'queue_full' })
  for (let place = 0; place < 3; place++) {
    await settled()
    stream().answer(place)
  }
  await Promise.all(calls)
  assert.deepEqual(stream().frames, ['first', '0 1', '2 3'])
})

test('a client with calls under way: nothing reconnects, and every call has its answer', async (context) => {
  const { client: clientOf } = atEnd(context, await testServer())
  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    const client = clientOf({ transport })
    await client.createRepository('demo')
    const before = client.stats().connections.opened
    let isOver = false
    const callers = Array.from({ length: 20 }, async (_each, caller) => {
      for (let call = 0; !isOver; call++) await client.storeBlob('demo', `${caller} ${call}`)
    })
    const each: ClientUpdate[] = [
      { timeoutMs: 5000, attemptTimeoutMs: 4000, concurrency: { maxCalls: 3 }, priority: 'background' },
      { batch: { maxOperations: 2, lingerMs: 1 }, retry: { maxAttempts: 2 }, breaker: { failures: 2 } },
      { concurrency: 'adaptive', attemptTimeoutMs: 'adaptive', batch: { lingerMs: 0 } },
      { connection: { maxConnections: 1, idleTimeoutMs: 20_000 }, concurrency: { adaptive: false, maxCalls: 1000 } }
    ]
    for (const changes of each) {
      client.update(changes)
      const { calls } = client.stats()
      await until(() => client.stats().calls > calls + 50, 'calls go on')
    }
    isOver = true
    await Promise.all(callers)
    const { failures, connections, maxCalls } = client.stats()
    assert.deepEqual([failures, connections.opened, maxCalls], [0, before, 1000])
  }
})

test('connections: a new maximum counts at once, and idle ones are closed after their new time', async (context) => {
  const faults = new Faults()
  const { client: clientOf } = atEnd(context, await testServer({ faults }))
  const client = clientOf({
    batch: false,
    transport: 'json',
    connection: { maxConnections: 1, maxStreamsPerConnection: 1 }
  })
  await client.createRepository('demo')
  const several = () => Promise.all(Array.from({ length: 6 }, () => client.getRepository('demo')))
  await several()
  assert.equal(client.stats().connections.opened, 1)
  client.update({ connection: { maxConnections: 3 } })
  await several()
  assert.equal(client.stats().connections.opened, 3)
  client.update({ connection: { idleTimeoutMs: 20 } })
  await until(() => client.stats().connections.open === 0, 'all are idle for long enough')
})

test('time limits of calls, and the priority, count from the next call on', async (context) => {
  const faults = new Faults()
  const { client: clientOf } = atEnd(context, await testServer({ faults }))
  const client = clientOf()
  await client.createRepository('demo')
  faults.add({ rpc: 'GetRepository', fault: { kind: 'silence' } })
  client.update({ timeoutMs: 30 })
  await assert.rejects(client.getRepository('demo'), { code: 'deadline_exceeded', message: /within 30 ms/ })
  client.update({ priority: 'background', concurrency: { maxCalls: 1, maxQueued: 0 } })
  const running = client.getRepository('demo').catch(() => undefined)
  await assert.rejects(client.getRepository('demo'), { reason: 'shed' })
  await running
})

test('what cannot be changed, or is wrong, is named, all of it, and nothing changes', (context) => {
  const client = createClient({ endpoint: 'http://127.0.0.1:9', batch: false, timeoutMs: 1234 })
  context.after(() => client.close())
  const refused = (changes: object) => {
    try {
      client.update({ concurrency: { maxCalls: 7 }, ...changes } as ClientUpdate)
    } catch (error) {
      assert.ok(error instanceof BlobwireError)
      assert.equal(error.code, 'invalid_argument')
      assert.equal(client.stats().maxCalls, 10_000)
      return error.message
    }
    return assert.fail('it is refused')
  }
  const open = 'cannot be changed while the client is open'
  assert.equal(
    refused({ verify: false, endpoint: 'http://127.0.0.1:10', tls: {}, connection: { proxy: 'environment' } }),
    `verify: ${open}\ntls: ${open}\nendpoint: ${open}\nconnection.proxy: ${open}`
  )
  assert.equal(refused({ batch: {} }), 'batch: cannot be switched on or off while the client is open')
  assert.equal(refused({ breaker: false }), 'breaker: cannot be switched on or off while the client is open')
  assert.match(refused({ timeout: 5 }), /^timeout: unknown option; did you mean timeoutMs\?/)
  assert.match(
    refused({ connection: { maxConnection: 5 } }),
    /^connection\.maxConnection: unknown option; did you mean/
  )
  assert.equal(refused({ timeoutMs: -1, retry: { maxAttempts: 0 } }).split('\n').length, 2)
  assert.throws(() => client.update(5 as unknown as ClientUpdate), { message: /^update: must be an object of options/ })
  client.update({ concurrency: { maxCalls: 7, maxQueued: undefined }, timeoutMs: undefined })
  client.update({ concurrency: { maxQueued: 5 } })
  assert.equal(client.stats().maxCalls, 7, 'what is not given stays')
  client.update({})
})
