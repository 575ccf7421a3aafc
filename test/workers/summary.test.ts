/** The figures of workers that come and go, and the distribution of connections; without processes. */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { bucketBounds } from '../../server-fixture/metrics/histogram.ts'
import { families } from '../../server-fixture/metrics/prometheus-families.ts'
import type { Sample } from '../../server-fixture/metrics/prometheus-family.ts'
import { ServerMetrics } from '../../server-fixture/metrics/server-metrics.ts'
import { endedFigures, type ServerFigures } from '../../server-fixture/metrics/snapshot.ts'
import { webhookFamilies } from '../../server-fixture/metrics/webhook-families.ts'
import { Distributor } from '../../server-fixture/workers/distributor.ts'
import type { Answers } from '../../server-fixture/workers/messages.ts'
import { Summary } from '../../server-fixture/workers/summary.ts'

/** Every number of the figures is 1. */
function figuresOfOnes(): ServerFigures {
  const metrics = new ServerMetrics()
  metrics.transports.json.calls.ended('GetBlob', undefined, 1)
  metrics.connectionsOf('http')
  const text = JSON.stringify(metrics.snapshot(), (_name, value) => (typeof value === 'number' ? 1 : value))
  metrics.close()
  const webhook = { waiting: 1, dead: 1, delivered: 1, failedAttempts: 1, breakerOpen: 1 }
  const store = { pack: { buckets: [...bucketBounds, 1].map(() => 1), sumSeconds: 1 } }
  return { ...(JSON.parse(text) as ServerFigures), webhooks: { ci: webhook }, store }
}

const valuesOf = (samples: readonly Sample[]) =>
  samples.map((sample) => ('figures' in sample ? sample.figures.sumSeconds : sample.value))

test('a process that has ended leaves its counters and histograms, and no gauge', () => {
  const figures = figuresOfOnes()
  const left = endedFigures(figures)
  for (const { name, type, samples } of [...families, ...webhookFamilies]) {
    const before = valuesOf(samples(figures))
    const expected = type === 'gauge' ? before.map(() => 0) : before
    assert.deepEqual(valuesOf(samples(left)), expected, name)
  }
})

/** A worker that answers, or does not. */
function worker(answers: Partial<Answers>) {
  return {
    ask: async <About extends keyof Answers>(about: About) => answers[about] as Answers[About] | undefined
  }
}

test('a worker that does not answer counts with its last figures; one that has ended, with its counters', async () => {
  const figures = figuresOfOnes()
  const answers: { figures?: ServerFigures } = { figures }
  const busy = worker(answers)
  const workers = new Set([busy, worker({ figures })])
  const own = new ServerMetrics({ isReady: () => false })
  const summary = new Summary(workers, () => own.snapshot())
  const frames = async () => (await summary.figures()).transports.json.frames
  assert.equal(await frames(), 2)
  assert.equal((await summary.figures()).uploads.uploads, 1, 'both tell of the uploads of one database')
  delete answers.figures
  assert.equal(await frames(), 2)
  workers.delete(busy)
  summary.ended(busy)
  assert.equal(await frames(), 2)
  assert.equal((await summary.figures()).ready, 1)
  // An answer that was on its way when its worker ended.
  summary.found(busy, figures)
  assert.equal(await frames(), 2)
  own.close()
})

test('the server is ready while one worker is, and until it drains', async () => {
  const checks = (ok: boolean) => {
    const result = { ok, detail: ok ? 'fine' : 'full' }
    return { store: result, disk: result, memory: result, draining: result }
  }
  const workers = new Set([
    worker({ readiness: { ready: true, checks: checks(true) } }),
    worker({ readiness: { ready: false, checks: checks(false) } })
  ])
  const summary = new Summary(workers, figuresOfOnes)
  const { ready, checks: found } = await summary.readiness(false)
  assert.deepEqual([ready, found.store], [true, { ok: true, detail: 'fine; full' }])
  assert.equal((await summary.readiness(true)).ready, false)
  assert.equal((await new Summary(new Set(), figuresOfOnes).readiness(false)).ready, false)
})

test('a connection is given to the worker with the fewest, and waits while there is none', () => {
  const distributor = new Distributor()
  const taker = (connections: number) => ({
    connections,
    give() {
      this.connections++
    }
  })
  const connection = () => ({ listener: 'http' as const, socket: new Socket() })
  distributor.give(connection())
  const [old, young] = [taker(3), taker(0)]
  distributor.add(young)
  distributor.add(old)
  assert.deepEqual([old.connections, young.connections], [3, 1])
  for (let count = 0; count < 4; count++) distributor.give(connection())
  assert.deepEqual([old.connections, young.connections], [4, 4])
  distributor.remove(young)
  distributor.give(connection())
  assert.deepEqual([old.connections, young.connections], [5, 4])
})
