/** The choice of the transport, and the fallback where it cannot be had. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransportName } from '../../src/core/error.ts'
import { type Arrival, down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const transports: TransportName[] = ['grpc', 'msgpack', 'json']
const once = { maxAttempts: 1, baseMs: 0, maxMs: 0, budgetRatio: 0, budgetPerSecond: 0 }
const speaks =
  (...names: TransportName[]) =>
  (arrival: Arrival) => {
    if (names.includes(arrival.transport)) arrival.answer({ by: arrival.transport })
    else arrival.fail({ code: 'unimplemented', message: 'no' })
  }
const used = (arrivals: readonly Arrival[]) => arrivals.map(({ transport }) => transport)

test('a transport that the server does not speak gives way to the next, within the call and without a wait', async () => {
  const { read, arrivals, pipeline, clock } = pipelineHarness({ transports, retry: once, respond: speaks('json') })
  assert.deepEqual(await read(), { by: 'json' })
  assert.deepEqual(used(arrivals), ['grpc', 'msgpack', 'json'])
  assert.equal(clock.now(), 1000)
  assert.deepEqual([pipeline.selector.transport, pipeline.selector.reason], ['json', 'unimplemented'])
  await read()
  assert.equal(arrivals.length, 4, 'remembered')
})

test('calls that fail at the same time fall back once', async () => {
  const { read, arrivals } = pipelineHarness({ transports, retry: once, respond: speaks('msgpack', 'json') })
  await Promise.all([read(), read(), read()])
  assert.deepEqual(used(arrivals), ['grpc', 'grpc', 'grpc', 'msgpack', 'msgpack', 'msgpack'])
})

test('the preferred transport is tried again after 60 s, and after twice as long with each failure', async () => {
  const { read, arrivals, clock } = pipelineHarness({ transports, retry: once, respond: speaks('json') })
  await read()
  clock.advance(59_999)
  await read()
  assert.deepEqual(used(arrivals).slice(3), ['json'])
  clock.advance(1)
  await read()
  assert.deepEqual(used(arrivals).slice(4), ['grpc', 'msgpack', 'json'])
  const before = arrivals.length
  clock.advance(60_000)
  await read()
  assert.equal(arrivals.length, before + 1)
})

test('a transport that has worked once is not left for an error', async () => {
  let isDown = false
  const { read, arrivals } = pipelineHarness({
    transports,
    retry: once,
    respond: (arrival) => (isDown ? arrival.fail(down) : arrival.answer())
  })
  await read()
  isDown = true
  await assert.rejects(read(), { code: 'unavailable', transport: 'grpc' })
  assert.deepEqual(used(arrivals), ['grpc', 'grpc'])
})

test('an unreachable server: the call fails, and the preferred transport is kept', async () => {
  const { read, arrivals, pipeline } = pipelineHarness({
    transports,
    retry: once,
    respond: (arrival) => arrival.fail({ ...down, sent: 'never' })
  })
  await assert.rejects(read(), { code: 'unavailable' })
  assert.deepEqual(used(arrivals), ['grpc', 'msgpack'])
  assert.equal(pipeline.selector.transport, 'grpc')
})

/** A port that speaks gRPC alone, and does not answer at the first time. */
const slowToStart = () => {
  let asked = 0
  return (arrival: Arrival) => {
    if (arrival.transport !== 'grpc')
      arrival.fail({ code: 'unimplemented', message: 'HTTP status 415', sent: 'processed' })
    else if (++asked > 1) arrival.answer({ by: 'grpc' })
    else arrival.fail({ ...down, sent: 'never' })
  }
}

test('a server that speaks one transport and was away: the error is that of the spoken transport', async () => {
  const waiting = pipelineHarness({ transports, respond: slowToStart(), random: () => 0 })
  assert.deepEqual(await waiting.read(), { by: 'grpc' })
  assert.deepEqual(used(waiting.arrivals), ['grpc', 'msgpack', 'json', 'grpc'])
  assert.equal(waiting.pipeline.selector.transport, 'grpc')
  assert.equal(waiting.counters.failures, 0)

  const single = pipelineHarness({ transports, retry: once, respond: slowToStart() })
  await assert.rejects(single.read(), { code: 'unavailable', retryable: true, attempts: 3, sent: 'processed' })
  assert.deepEqual(await single.read(), { by: 'grpc' })
})

test('calls that look for a transport at the same time and find none each fail with a retryable error', async () => {
  const { read } = pipelineHarness({
    transports,
    retry: once,
    respond: (arrival) =>
      arrival.fail(arrival.transport === 'grpc' ? { ...down, sent: 'never' } : { code: 'unimplemented', message: 'no' })
  })
  const ends = await Promise.allSettled([read(), read(), read()])
  for (const end of ends) assert.equal(end.status === 'rejected' && end.reason.code, 'unavailable')
})

test('a transport that was chosen is kept', async () => {
  const { read, arrivals } = pipelineHarness({ transports: ['msgpack'], retry: once, respond: speaks('json') })
  await assert.rejects(read(), { code: 'unimplemented', transport: 'msgpack' })
  assert.equal(arrivals.length, 1)
})

test('a call may name its transport; its outcome does not change the transport of other calls', async () => {
  const { read, arrivals, pipeline } = pipelineHarness({
    transports: ['msgpack', 'json'],
    respond: speaks('msgpack', 'json')
  })
  assert.deepEqual(await read({ transport: 'json' }), { by: 'json' })
  assert.deepEqual(await read(), { by: 'msgpack' })
  await assert.rejects(read({ transport: 'grpc' }), { code: 'unimplemented', transport: 'grpc' })
  assert.equal(pipeline.selector.transport, 'msgpack')
  assert.deepEqual(used(arrivals), ['json', 'msgpack', 'grpc'])
})

test('transports missing from the capabilities are not tried', async () => {
  const { read, pipeline, arrivals } = pipelineHarness({ transports, respond: (arrival) => arrival.answer() })
  pipeline.selector.offered(['json'])
  await read()
  assert.deepEqual(used(arrivals), ['json'])
  assert.equal(pipeline.selector.reason, 'not_offered')
  pipeline.selector.offered([])
  await settled()
  assert.equal(pipeline.selector.transport, 'json')
})

test('an application error is an answer: its transport is kept', async () => {
  const { read, arrivals, pipeline } = pipelineHarness({
    transports,
    retry: once,
    respond: (arrival) => {
      if (arrival.transport === 'json') arrival.fail({ code: 'not_found', message: 'no', sent: 'processed' })
      else arrival.fail({ code: 'unimplemented', message: 'no', sent: 'processed' })
    }
  })
  await assert.rejects(read(), { code: 'not_found', transport: 'json' })
  await assert.rejects(read(), { code: 'not_found' })
  assert.deepEqual(used(arrivals), ['grpc', 'msgpack', 'json', 'json'])
  assert.equal(pipeline.selector.transport, 'json')
})
