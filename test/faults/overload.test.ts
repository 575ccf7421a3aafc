/** More work than the server can do, or a server that fails: little is wasted, and nothing is made worse. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError, type Client } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

/** A store that looks after ten calls at a time, 20 ms each: some 500 a second. */
class SlowStore extends MemoryStore {
  #free = 10
  readonly #waiting: (() => void)[] = []

  override async getRepository(repository: string) {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
    return super.getRepository(repository)
  }
}

interface Outcome {
  offered: number
  succeeded: number
  failures: { error: BlobwireError; tookMs: number }[]
}

/** Calls at a steady rate, whether or not earlier ones have been answered; then waits for all of them. */
async function offer(client: Client, perSecond: number, forMs: number): Promise<Outcome> {
  const outcome: Outcome = { offered: 0, succeeded: 0, failures: [] }
  const calls: Promise<void>[] = []
  const one = async (content: string) => {
    const began = performance.now()
    try {
      await client.storeBlob('demo', content)
      outcome.succeeded++
    } catch (error) {
      assert.ok(error instanceof BlobwireError, String(error))
      outcome.failures.push({ error, tookMs: performance.now() - began })
    }
  }
  const began = performance.now()
  for (let now = 0; now < forMs; now = performance.now() - began) {
    for (const due = (now / 1000) * perSecond; outcome.offered < due; outcome.offered++) {
      calls.push(one(`offered ${outcome.offered}`))
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await Promise.all(calls)
  return outcome
}

for (const transport of transports) {
  test(`${transport}: at twice the capacity the server stays busy, and the excess is refused at once`, async (context) => {
    const store = new SlowStore()
    const fixture = atEnd(context, await testServer({ store }))
    // 100 calls are work for 200 ms: this process may stand still for a while without the server's running dry.
    const client = fixture.client({ transport, batch: false, concurrency: { maxCalls: 20, maxQueued: 100 } })
    await client.createRepository('demo')
    let peak = 0
    const began = performance.now()
    const worker = async (name: number) => {
      while (performance.now() - began < 700) {
        await client.storeBlob('demo', `${name} ${peak}`)
        peak++
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, name) => worker(name)))
    const peakPerSecond = (peak * 1000) / (performance.now() - began)
    const loadBegan = performance.now()
    const { offered, succeeded, failures } = await offer(client, 2 * peakPerSecond, 1000)
    const goodput = (succeeded * 1000) / (performance.now() - loadBegan)
    assert.ok(goodput >= 0.8 * peakPerSecond, `${goodput} of ${peakPerSecond} calls a second`)
    assert.ok(failures.length > 0.2 * offered, `${failures.length} of ${offered} refused`)
    for (const { error, tookMs } of failures) {
      assert.deepEqual([error.code, error.reason, error.sent], ['resource_exhausted', 'queue_full', 'never'])
      assert.ok(tookMs < 50, `${tookMs} ms`)
    }
    const { running, waiting } = client.stats()
    assert.deepEqual([running, waiting], [0, 0])
  })

  test(`${transport}: a storm of 503 is not multiplied by retries, and calls succeed soon after it`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const options = { transport, batch: false, timeoutMs: 2000 } as const
    // The allowance by the second is for clients with few calls; it would hide here what the share allows.
    const retry = { baseMs: 20, budgetPerSecond: 0, budgetRatio: 0.2 }
    const withoutBreaker = fixture.client({ ...options, retry, breaker: false })
    const withBreaker = fixture.client({ ...options, retry, breaker: { openMs: 200 } })
    await withoutBreaker.createRepository('demo')
    faults.add({ rpc: 'StoreBlob', fault: { kind: 'status', code: 'unavailable' } })
    const storm = await offer(withoutBreaker, 200, 1500)
    assert.equal(storm.succeeded, 0)
    const attempts = faults.fired('status') / storm.offered
    assert.ok(attempts > 1.05 && attempts <= 1.25, `${attempts} attempts a call reached the server`)
    assert.ok(storm.failures.some(({ error }) => error.reason === 'retry_budget_exhausted'))
    const before = faults.fired('status')
    const broken = await offer(withBreaker, 200, 1000)
    const spared = (faults.fired('status') - before) / broken.offered
    assert.ok(spared < 0.5, `${spared} attempts a call reached the server past a breaker`)
    assert.ok(broken.failures.some(({ error }) => error.reason === 'circuit_open'))
    faults.clear()
    const healed = performance.now()
    for (let inARow = 0; inARow < 20; ) {
      assert.ok(performance.now() - healed < 10_000, 'not within 10 s')
      const isStored = await withBreaker.storeBlob('demo', `after ${inARow}`).then(
        () => true,
        () => false
      )
      inARow = isStored ? inARow + 1 : 0
      if (!isStored) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal(withBreaker.stats().breakerOpenings > 0, true)
  })

  test(`${transport}: where 30 % fail, 99 % of calls succeed with five attempts`, async (context) => {
    const rule = { rpc: 'StoreBlob', probability: 0.3, fault: { kind: 'status', code: 'unavailable' } } as const
    const faults = new Faults({ seed: 11, rules: [rule] })
    const fixture = atEnd(context, await testServer({ faults }))
    const retry = { maxAttempts: 5, baseMs: 5, budgetRatio: 0.5 }
    const client = fixture.client({ transport, retry, breaker: false })
    await client.createRepository('demo')
    const ends = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, index) => client.storeBlob('demo', `${index}`))
    )
    const succeeded = ends.filter(({ status }) => status === 'fulfilled').length
    assert.ok(succeeded >= 990, `${succeeded} of 1,000`)
    // 1 / 0.7 = 1.43 is the least that can do it.
    const load = (faults.fired('status') + faults.carriedOut('StoreBlob')) / 1000
    assert.ok(load > 1.3 && load <= 1.5, `${load} attempts a call`)
  })
}
