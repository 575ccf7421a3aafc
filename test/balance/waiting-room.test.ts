/** Calls that meet open breakers everywhere wait, and the endpoint that is back is found by a connection, not by a call. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlobwireError } from '../../src/core/error.ts'
import {
  type Arrival,
  defaultBreaker,
  type PipelineHarnessOptions,
  pipelineHarness,
  settled
} from '../support/pipeline-harness.ts'

const breaker = defaultBreaker
const retry = { maxAttempts: 6, baseMs: 100, maxMs: 20_000, budgetRatio: 0.2, budgetPerSecond: 10 }
/** Nobody listens. */
const refused = { code: 'unavailable', message: 'ECONNREFUSED', sent: 'never' } as const
const overloaded = { code: 'unavailable', message: 'overloaded', sent: 'processed' } as const

interface Endpoint {
  error: typeof refused | typeof overloaded | undefined
  /** Connections that were tried without a call. */
  checks: number
}

/** A client of endpoints that are there or not, as the test says. The clock steps by 10 ms. */
function harnessOf(endpoints: readonly string[], options: Partial<PipelineHarnessOptions> = {}) {
  const states = new Map<string, Endpoint>(endpoints.map((name) => [name, { error: undefined, checks: 0 }]))
  const of = (name: string) => states.get(name) as Endpoint
  const harness = pipelineHarness({
    endpoints,
    breaker,
    retry,
    respond: (arrival: Arrival) => {
      const { error } = of(arrival.endpoint)
      if (error) arrival.fail(error)
      else arrival.answer()
    },
    canConnect: (name) => {
      of(name).checks++
      return of(name).error !== refused
    },
    ...options
  })
  return {
    ...harness,
    of,
    async pass(ms: number) {
      for (let step = 0; step < ms / 10; step++) {
        await settled()
        harness.clock.advance(10)
      }
      await settled()
    },
    state: () => harness.pipeline.channels().map((channel) => channel.breaker?.state)
  }
}

/** How each call has ended. */
function watch(calls: readonly Promise<unknown>[]) {
  const ends: (string | undefined)[] = calls.map(() => undefined)
  calls.forEach((call, index) => {
    call.then(
      () => (ends[index] = 'ok'),
      (error: BlobwireError) => (ends[index] = error.reason || error.code)
    )
  })
  return ends
}

test('a lone call outlasts a restart of a second: six attempts, of which five had no connection, and no budget', async () => {
  const { write, of, pass, arrivals, counters, state } = harnessOf(['a'], { retry: { ...retry, budgetPerSecond: 0 } })
  of('a').error = refused
  const ends = watch([write()])
  await pass(1000)
  assert.deepEqual([arrivals.length, state(), ends], [5, ['open'], [undefined]])
  of('a').error = undefined
  await pass(1000)
  assert.deepEqual(ends, ['ok'])
  assert.deepEqual([arrivals.length, counters.attempts, counters.retries], [6, 6, 5])
})

test('calls that wait take neither attempts nor budget, and fail with circuit_open after waitMs', async () => {
  const { write, of, pass, arrivals, counters } = harnessOf(['a'])
  of('a').error = refused
  watch([write()])
  await pass(1600)
  const before = arrivals.length
  const call = write()
  const ends = watch([call])
  await pass(1980)
  assert.deepEqual(ends, [undefined])
  await pass(60)
  assert.deepEqual(ends, ['circuit_open'])
  await assert.rejects(call, { attempts: 0, sent: 'never' })
  assert.deepEqual([arrivals.length, counters.attempts], [before, before])
})

test('a call whose deadline comes before waitMs fails with circuit_open, too', async () => {
  const { write, of, pass } = harnessOf(['a'])
  of('a').error = refused
  watch([write()])
  await pass(1000)
  const ends = watch([write({ timeoutMs: 300 })])
  await pass(300)
  assert.deepEqual(ends, ['circuit_open'])
})

test('with waitMs 0 nobody waits', async () => {
  const { write, of, pass } = harnessOf(['a'], { breaker: { ...breaker, waitMs: 0 } })
  of('a').error = refused
  const first = watch([write()])
  await pass(2400)
  assert.deepEqual(first, ['circuit_open'])
  const ends = watch([write()])
  await settled()
  assert.deepEqual(ends, ['circuit_open'])
})

test('while calls wait a connection is tried every half second, whatever the breaker says; then one call is the probe', async () => {
  const { write, of, pass, arrivals, pipeline } = harnessOf(['a'])
  of('a').error = refused
  // Each probe doubles the time.
  for (let count = 0; count < 40; count++) {
    watch([write()])
    await pass(1000)
  }
  const [channel] = pipeline.channels()
  assert.ok((channel?.breaker?.waitMs ?? 0) > 10_000, 'open for long')
  const before = { arrivals: arrivals.length, checks: of('a').checks }
  const ends = watch(Array.from({ length: 200 }, () => write({ timeoutMs: 30_000 })))
  await pass(1200)
  assert.deepEqual([arrivals.length - before.arrivals, of('a').checks - before.checks], [0, 2])
  of('a').error = undefined
  await pass(400)
  assert.ok(
    ends.every((end) => end === 'ok'),
    `${new Set(ends)}`
  )
  assert.equal(channel?.breaker?.state, 'closed')
})

test('no connection is tried for nobody, even where the last call gives up at that moment', async () => {
  const once = { ...retry, maxAttempts: 1 }
  const { write, of, clock } = harnessOf(['a'], { breaker: { ...breaker, failures: 1, waitMs: 500 }, retry: once })
  of('a').error = refused
  const ends = watch([write()])
  await settled()
  const waiting = watch([write()])
  await settled()
  clock.advance(500)
  await settled()
  assert.deepEqual([ends, waiting, of('a').checks], [['unavailable'], ['circuit_open'], 0])
})

test('exactly one of the calls that wait is the probe; the others begin when it was answered', async () => {
  const harness = harnessOf(['a'], { respond: () => undefined })
  const { write, of, pass, arrivals, clock } = harness
  of('a').error = refused
  const first = watch([write()])
  for (let count = 0; count < 5; count++) {
    await settled()
    arrivals.at(-1)?.fail(refused)
    if (count < 4) await pass(50 * 2 ** count)
  }
  await pass(300)
  assert.deepEqual([arrivals.length, first], [5, [undefined]])
  const ends = watch(Array.from({ length: 20 }, () => write()))
  of('a').error = undefined
  await pass(300)
  assert.equal(arrivals.length, 6, 'the probe')
  arrivals[5]?.answer()
  await settled()
  await pass(300)
  assert.equal(arrivals.length, 26)
  for (const arrival of arrivals.slice(6)) arrival.answer()
  await settled()
  assert.ok([...first, ...ends].every((end) => end === 'ok'))
  clock.advance(30_000)
  assert.equal(clock.pending, 0)
})

for (const [waitMs, least, most] of [
  [2000, 50, 125],
  [0, 9, 13]
] as const) {
  const often = waitMs > 0 ? 'twice a second while calls wait' : 'at doubling times where none waits'
  test(`an endpoint that takes connections and refuses every request is asked ${often}`, async () => {
    const once = { ...retry, maxAttempts: 1 }
    const { write, of, pass, arrivals } = harnessOf(['a'], { breaker: { ...breaker, waitMs }, retry: once })
    of('a').error = overloaded
    for (let tenth = 0; tenth < 600; tenth++) {
      watch([write()])
      await pass(100)
    }
    assert.ok(arrivals.length >= least && arrivals.length <= most, `${arrivals.length} requests in a minute`)
  })
}

test('a lone endpoint that refused every request for long is found within a second', async () => {
  const { write, of, pass } = harnessOf(['a'])
  of('a').error = overloaded
  for (let tenth = 0; tenth < 200; tenth++) {
    watch([write()])
    await pass(100)
  }
  of('a').error = undefined
  const ends = watch([write(), write()])
  await pass(1000)
  assert.deepEqual(ends, ['ok', 'ok'])
})

test('with three endpoints of which one is down no call waits or fails', async () => {
  const { write, of, pass, state } = harnessOf(['a', 'b', 'c'], { random: () => 0 })
  of('a').error = refused
  const ends: (string | undefined)[][] = []
  for (let call = 0; call < 50; call++) {
    ends.push(watch([write()]))
    await pass(20)
  }
  await pass(400)
  assert.ok(
    ends.flat().every((end) => end === 'ok'),
    `${new Set(ends.flat())}`
  )
  assert.deepEqual(state(), ['open', 'closed', 'closed'])
  assert.equal(of('a').checks, 0, 'nobody waits')
})

test('a call that waits ends at once when it is aborted, and nothing is left', async () => {
  const { write, of, pass, clock, pipeline } = harnessOf(['a'])
  of('a').error = refused
  const first = watch([write()])
  await pass(5000)
  assert.deepEqual(first, ['circuit_open'])
  const controller = new AbortController()
  const call = write({ signal: controller.signal })
  const ends = watch([call])
  await pass(100)
  controller.abort()
  await settled()
  assert.deepEqual(ends, ['cancelled'])
  clock.advance(30_000)
  assert.equal(clock.pending, 0)
  const closing = watch([write()])
  await pass(100)
  await pipeline.close()
  await settled()
  assert.deepEqual(closing, ['client_closed'])
  assert.equal(clock.pending, 0)
})
