/** More work than the server can do, or a server that fails: little is wasted, and nothing is made worse. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError, type Client } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { later, until } from '../support/until.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A store that carries out ten calls at a time; each ends when the test says so. */
class SlowStore extends MemoryStore {
  readonly #carriedOut: (() => void)[] = []
  readonly #waiting: (() => void)[] = []

  /** Calls that are carried out. */
  get busy(): number {
    return this.#carriedOut.length
  }

  /** Ends the oldest call, and begins the next. */
  finishOne(): void {
    this.#carriedOut.shift()?.()
    this.#waiting.shift()?.()
  }

  override async getRepository(repository: string) {
    if (this.busy === 10) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await new Promise<void>((resolve) => this.#carriedOut.push(resolve))
    return super.getRepository(repository)
  }
}

interface Outcome {
  readonly offered: number
  readonly succeeded: number
  readonly failures: readonly BlobwireError[]
}

/** Offers so many calls, ten at a time and whether or not earlier ones have been answered; then waits for all of them. */
async function offer(client: Client, count: number): Promise<Outcome> {
  const failures: BlobwireError[] = []
  const calls: Promise<unknown>[] = []
  while (calls.length < count) {
    for (let call = 0; call < 10; call++) {
      calls.push(client.storeBlob('demo', `offered ${calls.length}`).catch((error) => failures.push(error)))
    }
    await later(20)
  }
  await Promise.all(calls)
  for (const error of failures) assert.ok(error instanceof BlobwireError, String(error))
  return { offered: count, succeeded: count - failures.length, failures }
}

for (const transport of transports) {
  test(`${transport}: at twice the capacity the server stays busy, and the excess is refused at once`, async (context) => {
    const store = new SlowStore()
    await store.createRepository('demo', 'sha1')
    const fixture = atEnd(context, await testServer({ store }))
    const client = fixture.client({ transport, batch: false, concurrency: { maxCalls: 20, maxQueued: 100 } })
    const accepted: Promise<unknown>[] = []
    const refusals: BlobwireError[] = []
    const call = async () => {
      const stored = client.storeBlob('demo', `offered ${accepted.length + refusals.length}`)
      const refusal = await Promise.race([stored.catch((error) => error), turn()])
      if (refusal instanceof BlobwireError) refusals.push(refusal)
      else accepted.push(stored)
    }
    for (let count = 0; count < 120; count++) await call()
    assert.equal(refusals.length, 0, 'there is room for 20 calls under way and 100 in the queue')
    // Two calls come for each one that the server ends.
    for (let round = 1; round <= 200; round++) {
      await until(() => store.busy === 10, 'a busy server')
      const { waiting } = client.stats()
      store.finishOne()
      await until(() => client.stats().waiting < waiting, 'room in the queue')
      await call()
      await call()
      assert.equal(refusals.length, round, 'one finds room in the queue, and the other is refused at once')
    }
    for (const { code, reason, sent } of refusals) {
      assert.deepEqual([code, reason, sent], ['resource_exhausted', 'queue_full', 'never'])
    }
    const rest = setInterval(() => store.finishOne())
    context.after(() => clearInterval(rest))
    await Promise.all(accepted)
    const { running, waiting } = client.stats()
    assert.deepEqual([accepted.length, running, waiting], [320, 0, 0])
  })

  test(`${transport}: a storm of 503 is not multiplied by retries, and calls succeed soon after it`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const options = { transport, batch: false, timeoutMs: 10_000 } as const
    // The allowance by the second is for clients with few calls; here it would hide the share.
    const retry = { baseMs: 20, budgetPerSecond: 0, budgetRatio: 0.2 }
    const withoutBreaker = fixture.client({ ...options, retry, breaker: false })
    const withBreaker = fixture.client({ ...options, retry, breaker: { openMs: 200 } })
    await withoutBreaker.createRepository('demo')
    faults.add({ rpc: 'StoreBlob', fault: { kind: 'status', code: 'unavailable' } })
    const storm = await offer(withoutBreaker, 300)
    assert.equal(storm.succeeded, 0)
    const attempts = faults.fired('status') / storm.offered
    assert.ok(attempts > 1.05 && attempts <= 1.25, `${attempts} attempts a call reached the server`)
    assert.ok(storm.failures.some(({ reason }) => reason === 'retry_budget_exhausted'))
    const before = faults.fired('status')
    const broken = await offer(withBreaker, 300)
    const spared = (faults.fired('status') - before) / broken.offered
    assert.ok(spared < 0.5, `${spared} attempts a call reached the server past a breaker`)
    assert.ok(broken.failures.some(({ reason }) => reason === 'circuit_open'))
    faults.clear()
    let calls = 0
    for (let inARow = 0; inARow < 20; calls++) {
      assert.ok(calls < 1000, 'not within 1,000 calls')
      const isStored = await withBreaker.storeBlob('demo', `after ${calls}`).then(
        () => true,
        () => later(10).then(() => false)
      )
      inARow = isStored ? inARow + 1 : 0
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
