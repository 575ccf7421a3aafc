/** Several endpoints: the one with the least to do, elsewhere after a failure, and a slow return. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Arrival, defaultBreaker, down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

const breaker = { ...defaultBreaker, waitMs: 0 }
const endpoints = ['a', 'b', 'c']
const countBy = (arrivals: readonly Arrival[]) =>
  endpoints.map((endpoint) => arrivals.filter((arrival) => arrival.endpoint === endpoint).length)

test('calls go to the endpoint with the fewest attempts in flight, in turn where that is equal', async () => {
  const { write, arrivals } = pipelineHarness({ endpoints })
  const calls = Array.from({ length: 9 }, () => write())
  await settled()
  assert.deepEqual(countBy(arrivals), [3, 3, 3])
  for (const arrival of arrivals) if (arrival.endpoint === 'b') arrival.answer()
  await settled()
  calls.push(write(), write(), write())
  await settled()
  assert.deepEqual(countBy(arrivals.slice(9)), [0, 3, 0], 'b had nothing to do')
  for (const arrival of arrivals) arrival.answer()
  await Promise.all(calls)
})

test('a read that fails goes elsewhere at once; a write waits as always', async () => {
  const { read, write, clock, arrivals } = pipelineHarness({ endpoints })
  const reading = read()
  await settled()
  arrivals[0]?.fail(down)
  await settled()
  assert.equal(arrivals.length, 2)
  assert.notEqual(arrivals[0]?.endpoint, arrivals[1]?.endpoint)
  arrivals[1]?.answer()
  await reading
  const writing = write()
  await settled()
  arrivals[2]?.fail(down)
  await settled()
  assert.equal(arrivals.length, 3)
  clock.advance(50)
  await settled()
  assert.equal(arrivals.length, 4)
  assert.notEqual(arrivals[2]?.endpoint, arrivals[3]?.endpoint)
  arrivals[3]?.answer()
  await writing
})

test('an endpoint that is down is left out; every call succeeds, and the others share its load', async () => {
  const { write, clock, arrivals, pipeline } = pipelineHarness({
    endpoints,
    breaker,
    random: () => 0,
    respond: (arrival) => (arrival.endpoint === 'a' ? arrival.fail(down) : arrival.answer())
  })
  for (let call = 0; call < 300; call++) {
    const one = write()
    await settled()
    clock.advance(1)
    await one
  }
  const [a, b, c] = countBy(arrivals) as [number, number, number]
  assert.equal(a, 5, 'until its breaker opened')
  assert.ok(Math.abs(b - c) < 20, `${b} and ${c}`)
  assert.deepEqual(
    pipeline.channels().map((channel) => channel.breaker?.state),
    ['open', 'closed', 'closed']
  )
})

test('all endpoints down: circuit_open, once each has been tried often enough', async () => {
  const { write, clock } = pipelineHarness({
    endpoints,
    breaker,
    random: () => 0,
    respond: (arrival) => arrival.fail(down)
  })
  let last: unknown
  for (let call = 0; call < 30; call++) {
    const end = write().catch((error) => error.reason)
    for (let step = 0; step < 3; step++) {
      await settled()
      clock.advance(1)
    }
    last = await end
  }
  assert.equal(last, 'circuit_open')
})

test('an endpoint that has come back is given its share slowly', async () => {
  let isDown = true
  const { write, clock, arrivals } = pipelineHarness({
    endpoints: ['a', 'b'],
    breaker,
    random: () => 0,
    respond: (arrival) => {
      if (arrival.endpoint === 'a' && isDown) arrival.fail(down)
    }
  })
  const pending: Promise<unknown>[] = []
  const burst = async (count: number) => {
    const from = arrivals.length
    for (let call = 0; call < count; call++) pending.push(write({ timeoutMs: 600_000 }))
    await settled()
    const made = arrivals.slice(from)
    const share = made.filter(({ endpoint }) => endpoint === 'a').length
    for (const arrival of made) arrival.answer()
    await settled()
    return share / count
  }
  for (let call = 0; call < 20; call++) {
    await burst(2)
    clock.advance(1)
    await settled()
    for (const arrival of arrivals) arrival.answer()
  }
  isDown = false
  clock.advance(60_000)
  await burst(1)
  await burst(1)
  const shares: number[] = []
  for (let second = 0; second < 12; second++) {
    shares.push(await burst(100))
    clock.advance(1000)
  }
  assert.ok((shares[0] as number) <= 0.15, `${shares}`)
  assert.ok((shares[11] as number) >= 0.45, `${shares}`)
  await Promise.all(pending)
})

const weighted = (weights: Readonly<Record<string, number>>) =>
  new Map(Object.entries(weights).map(([url, weight]) => [url, { weight, attemptTimeoutMs: undefined }]))

test('an endpoint gets calls in proportion to its weight: of calls at once, and of one after the other', async () => {
  const { write, arrivals } = pipelineHarness({ endpoints, endpointOptions: weighted({ a: 1, b: 3, c: 6 }) })
  const calls = Array.from({ length: 100 }, () => write())
  await settled()
  assert.deepEqual(countBy(arrivals), [10, 30, 60])
  for (const arrival of arrivals) arrival.answer()
  await Promise.all(calls)
  const before = arrivals.length
  for (let call = 0; call < 100; call++) {
    const one = write()
    await settled()
    arrivals.at(-1)?.answer()
    await one
  }
  assert.deepEqual(countBy(arrivals.slice(before)), [10, 30, 60])
})

test('of weighted endpoints, one that fails or was just tried comes last, and gets no calls for the time it was away', async () => {
  const isDown = { c: true }
  const { write, read, arrivals, clock } = pipelineHarness({
    endpoints,
    endpointOptions: weighted({ a: 1, b: 1, c: 8 }),
    breaker: { ...breaker, failures: 1 },
    respond: (arrival) => (isDown.c && arrival.endpoint === 'c' ? arrival.fail(down) : arrival.answer())
  })
  await read()
  assert.deepEqual(countBy(arrivals)[2], 1)
  for (let call = 0; call < 40; call++) await write()
  const [ofA, ofB, ofC] = countBy(arrivals.slice(1)) as [number, number, number]
  assert.deepEqual([ofA + ofB, Math.abs(ofA - ofB) <= 1, ofC], [41, true, 0], 'the failed read and the others')
  isDown.c = false
  clock.advance(600)
  await write()
  clock.advance(60_000)
  const before = arrivals.length
  for (let call = 0; call < 100; call++) await write()
  const share = countBy(arrivals.slice(before))[2] as number
  assert.ok(share >= 78 && share <= 82, `${share} of 100 at the endpoint with eight tenths of the weight`)
})
