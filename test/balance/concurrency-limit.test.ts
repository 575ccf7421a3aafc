/** The limit that follows what an endpoint can take, on a simulated server whose capacity and speed change in steps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConcurrencyLimit } from '../../src/balance/concurrency-limit.ts'
import { methods } from '../../src/schema/methods.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { pipelineHarness, settled } from '../support/pipeline-harness.ts'
import { randomNumbers } from '../support/random.ts'

type Method = keyof typeof methods

/** Attempts that a server with so many workers has, each of which takes so long. */
class SimulatedServer {
  readonly clock = new FakeClock()
  readonly limit: ConcurrencyLimit
  readonly #below = randomNumbers(1)
  #freeAtMs: number[]
  #inFlight: { method: Method; beganAtMs: number; endsAtMs: number }[] = []
  serviceMs: Partial<Record<Method, number>>
  refuses = false
  /** Calls that want to be under way. */
  demand = Number.POSITIVE_INFINITY
  answers = 0

  constructor(workers: number, serviceMs: Partial<Record<Method, number>>) {
    this.#freeAtMs = new Array(workers).fill(0)
    this.serviceMs = serviceMs
    const bounds = { leastCalls: 4, maxCalls: 100 }
    this.limit = new ConcurrencyLimit(this.clock, { bounds, random: () => 0.5, onChange: () => undefined })
  }

  set workers(count: number) {
    const kept = this.#freeAtMs.sort((one, other) => one - other).slice(0, count)
    this.#freeAtMs = [...kept, ...new Array(count - kept.length).fill(this.clock.now())]
  }

  /** Runs for so long; returns the answers a second. */
  run(ms: number): number {
    const endMs = this.clock.now() + ms
    const before = this.answers
    while (this.clock.now() < endMs) {
      while (this.#inFlight.length < Math.min(this.demand, this.limit.limit)) this.#begin()
      const { method, beganAtMs, endsAtMs } = this.#inFlight.at(-1) ?? assert.fail('nothing is under way')
      this.clock.advance(Math.max(0, endsAtMs - this.clock.now()))
      const facts = { beganAtMs, inFlight: this.#inFlight.length }
      this.limit.ended({ method: methods[method], request: {} }, this.refuses ? 'overload' : 'answered', facts)
      this.#inFlight.pop()
      this.answers++
    }
    return ((this.answers - before) / ms) * 1000
  }

  #begin(): void {
    const kinds = Object.keys(this.serviceMs) as Method[]
    const method = kinds[this.#below(kinds.length)] as Method
    const beganAtMs = this.clock.now()
    const worker = this.#freeAtMs.indexOf(Math.min(...this.#freeAtMs))
    const startMs = Math.max(beganAtMs, this.#freeAtMs[worker] as number)
    const endsAtMs = startMs + (this.serviceMs[method] as number) * (0.75 + 0.5 * (this.#below(1000) / 1000))
    this.#freeAtMs[worker] = endsAtMs
    // Those that end first are last.
    let place = this.#inFlight.length
    while (place > 0 && (this.#inFlight[place - 1]?.endsAtMs as number) < endsAtMs) place--
    this.#inFlight.splice(place, 0, { method, beganAtMs, endsAtMs })
  }
}

const between = (value: number, least: number, most: number) =>
  assert.ok(value >= least && value <= most, `${value} is from ${least} to ${most}`)

test('the limit follows the capacity down and up, and uses all of it with few in the queue', () => {
  const server = new SimulatedServer(50, { getBlob: 10 })
  server.run(3000)
  between(server.limit.limit, 50, 100)
  between(server.run(1000), 4900, 5100)
  server.workers = 10
  server.run(3000)
  between(server.limit.limit, 10, 25)
  between(server.run(1000), 950, 1050)
  server.workers = 60
  server.run(3000)
  between(server.limit.limit, 60, 100)
  between(server.run(1000), 5900, 6100)
})

test('a server that becomes slower or faster without another capacity has its limit again', () => {
  const server = new SimulatedServer(20, { getBlob: 20 })
  server.run(4000)
  server.serviceMs = { getBlob: 100 }
  server.run(6000)
  between(server.limit.limit, 20, 45)
  between(server.run(2000), 190, 210)
  server.serviceMs = { getBlob: 20 }
  server.run(4000)
  between(server.run(1000), 980, 1020)
  // The baseline that was measured while all was slow is measured again.
  server.run(130_000)
  between(server.limit.limit, 20, 45)
})

test('an overload that stays does not raise the limit, as a baseline of averages would', () => {
  const server = new SimulatedServer(10, { getBlob: 10 })
  const limits = Array.from({ length: 10 }, () => {
    server.run(20_000)
    return server.limit.limit
  })
  between(Math.max(...limits), 10, 25)
})

test('calls of other classes that take longer are no overload', () => {
  const server = new SimulatedServer(40, { getBlob: 2 })
  for (let round = 0; round < 4; round++) {
    server.serviceMs = { getBlob: 2 }
    server.run(500)
    between(server.limit.limit, 30, 100)
    // A hundred milliseconds on the average: forty workers do 400 a second.
    server.serviceMs = { getBlob: 2, commitFiles: 200 }
    server.run(1000)
    between(server.run(2000), 360, 440)
    between(server.limit.limit, 30, 100)
  }
})

test('refusals and time-outs bring the limit down whatever their latency, to the least and no lower', () => {
  const server = new SimulatedServer(50, { getBlob: 10 })
  server.run(3000)
  const before = server.limit.limit
  server.refuses = true
  server.run(400)
  between(server.limit.limit, 5, before - 5)
  server.run(10_000)
  assert.equal(server.limit.limit, 4)
  server.refuses = false
  server.run(3000)
  between(server.limit.limit, 50, 100)
})

test('a limit that is not used does not grow', () => {
  const server = new SimulatedServer(200, { getBlob: 20 })
  server.demand = 10
  server.run(10_000)
  between(server.limit.limit, 20, 40)
  server.demand = 3
  server.run(130_000)
  between(server.limit.limit, 20, 40)
  server.demand = Number.POSITIVE_INFINITY
  server.run(3000)
  assert.equal(server.limit.limit, 100, 'the most')
})

test('calls wait at the limit that their endpoints have together, and an endpoint gets what it can take', async () => {
  const workers: Record<string, number> = { a: 20, b: 80 }
  const busy: Record<string, number> = { a: 0, b: 0 }
  const { read, clock, pipeline, counters } = pipelineHarness({
    endpoints: ['a', 'b'],
    concurrency: { adaptive: true, maxCalls: 500 },
    respond({ endpoint, answer }) {
      busy[endpoint] = (busy[endpoint] as number) + 1
      const rounds = Math.ceil((busy[endpoint] as number) / (workers[endpoint] as number))
      clock.schedule(10 * rounds, () => {
        busy[endpoint] = (busy[endpoint] as number) - 1
        answer()
      })
    }
  })
  let isOver = false
  const caller = async () => {
    while (!isOver) await read()
  }
  const callers = Array.from({ length: 400 }, caller)
  for (let step = 0; step < 250; step++) {
    await settled()
    clock.advance(5)
  }
  const limits = Object.fromEntries(
    pipeline.channels().map(({ endpoint, adaptive }) => [endpoint, adaptive?.concurrency?.limit ?? 0])
  )
  between(limits['a'] as number, 15, 50)
  between(limits['b'] as number, 60, 180)
  assert.equal(pipeline.bulkhead.maxCalls, (limits['a'] as number) + (limits['b'] as number))
  between(pipeline.bulkhead.running, 1, pipeline.bulkhead.maxCalls + 60)
  assert.ok(pipeline.bulkhead.queued > 0)
  assert.equal(counters.failures, 0)
  isOver = true
  for (let step = 0; step < 100 && pipeline.bulkhead.running > 0; step++) {
    clock.advance(10)
    await settled()
  }
  await Promise.all(callers)
})
