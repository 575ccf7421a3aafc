/** Transfers on a fake clock: attempts, cuts, stalls, deadlines and the breaker. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError, type BlobwireErrorInit } from '../../src/core/error.ts'
import type { Transfer, TransferAttempt } from '../../src/transfer/transfer.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import {
  defaultBreaker,
  down,
  type PipelineHarnessOptions,
  pipelineHarness,
  settled
} from '../support/pipeline-harness.ts'

const failure = (init: Partial<BlobwireErrorInit> = {}) =>
  new BlobwireError({ sent: 'maybe', attempts: 1, ...down, ...init })

/** Runs a transfer whose attempts do as the test says. */
function harness(options: PipelineHarnessOptions = {}) {
  const { pipeline, clock, counters, ...rest } = pipelineHarness(options)
  const attempts: { attempt: TransferAttempt; resolve: (result: string) => void; reject: (error: unknown) => void }[] =
    []
  const run = (transfer: Partial<Transfer> = {}) =>
    pipeline.transfers.run({ direction: 'up', headers: {}, stallTimeoutMs: 30_000, ...transfer }, (attempt) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      attempts.push({ attempt, resolve, reject })
      return promise
    })
  /** The attempt of this number, once it has begun. */
  const nth = async (number: number) => {
    for (let turn = 0; attempts.length < number; turn++) {
      assert.ok(turn < 100, `attempt ${number}`)
      await settled()
      clock.advance(50)
    }
    await settled()
    const found = attempts[number - 1]
    assert.ok(found)
    return found
  }
  return { ...rest, run, nth, attempts, clock: clock as FakeClock, counters, pipeline }
}

/** The error with which it rejects. */
async function errorOf(promise: Promise<unknown>): Promise<BlobwireError> {
  const error = await promise.then(
    () => assert.fail('it has a result'),
    (reason) => reason
  )
  assert.ok(error instanceof BlobwireError, String(error))
  return error
}

test('an attempt has request id, the name of the client, token and headers, and its result is the transfer’s', async () => {
  const { run, nth, counters } = harness({ token: 'secret' })
  const result = run({ headers: { 'x-own': 'yes' } })
  const { attempt, resolve } = await nth(1)
  attempt.moved(7)
  resolve('done')
  assert.equal(await result, 'done')
  const named = { 'x-request-id': 'r-1', 'user-agent': 'test' }
  assert.deepEqual(attempt.headers, { ...named, 'x-own': 'yes', authorization: 'Bearer secret' })
  assert.deepEqual(counters.transfers, { started: 1, failures: 0, retries: 0, bytesSent: 7, bytesReceived: 0 })
  assert.equal(counters.calls, 0)
})

test('a token of its own, and the count of a download', async () => {
  const { run, nth, counters } = harness({ token: 'secret' })
  const result = run({ direction: 'down', token: 'guest' })
  const { attempt, resolve } = await nth(1)
  attempt.moved(9)
  resolve('done')
  await result
  assert.equal(attempt.headers['authorization'], 'Bearer guest')
  assert.deepEqual([counters.transfers.bytesSent, counters.transfers.bytesReceived], [0, 9])
})

test('cuts without progress end a transfer after maxAttempts; each progress counts anew', async () => {
  const { run, nth, counters } = harness()
  const error = errorOf(run())
  for (let number = 1; number <= 20; number++) {
    const { attempt, reject } = await nth(number)
    attempt.progressed()
    reject(failure())
  }
  // maxAttempts is 3, of which the last one with progress is the first.
  for (let number = 21; number <= 22; number++) (await nth(number)).reject(failure({ message: `cut ${number}` }))
  const { message, attempts, sent, transport, endpoint } = await error
  assert.deepEqual([message, attempts, sent, transport, endpoint], ['cut 22', 22, 'maybe', 'msgpack', 'a'])
  assert.deepEqual([counters.transfers.failures, counters.transfers.retries], [1, 21])
})

test('an error that no repetition mends ends it at once', async () => {
  const { run, nth } = harness()
  const error = errorOf(run())
  ;(await nth(1)).reject(failure({ code: 'permission_denied', sent: 'processed' }))
  assert.deepEqual([(await error).code, (await error).attempts], ['permission_denied', 1])
})

test('retries take from the budget of the client', async () => {
  const retry = { maxAttempts: 9, baseMs: 100, maxMs: 20_000, budgetRatio: 0, budgetPerSecond: 0.1 }
  const { run, nth } = harness({ retry })
  const error = errorOf(run())
  ;(await nth(1)).reject(failure())
  ;(await nth(2)).reject(failure())
  assert.equal((await error).reason, 'retry_budget_exhausted')
})

test('an attempt in which no byte moves for stallTimeoutMs fails, and the next one begins', async () => {
  const { run, nth, clock, attempts } = harness()
  const result = run({ stallTimeoutMs: 1000 })
  const { attempt } = await nth(1)
  clock.advance(700)
  attempt.moved(1)
  clock.advance(900)
  assert.equal(attempt.signal.aborted, false)
  clock.advance(100)
  assert.equal((attempt.signal.reason as BlobwireError).reason, 'stalled')
  ;(await nth(2)).resolve('late')
  assert.equal(await result, 'late')
  assert.equal(attempts.length, 2)
})

test('time in which the application keeps the transfer waiting is no stall', async () => {
  const { run, nth, clock } = harness()
  const result = run({ stallTimeoutMs: 1000 })
  const { attempt, resolve } = await nth(1)
  const chunk = Promise.withResolvers<string>()
  const waited = attempt.idle(chunk.promise)
  clock.advance(100_000)
  assert.equal(attempt.signal.aborted, false)
  chunk.resolve('chunk')
  assert.equal(await waited, 'chunk')
  clock.advance(999)
  assert.equal(attempt.signal.aborted, false)
  resolve('done')
  await result
})

test('while the server is busy, bytes that the connection buffers and offsets that it tells shorten no wait', async () => {
  const { run, nth, clock } = harness()
  const result = run({ stallTimeoutMs: 1000 })
  const { attempt, resolve } = await nth(1)
  attempt.allow(100_000)
  attempt.moved(1_000_000)
  attempt.progressed()
  await attempt.idle(Promise.resolve())
  clock.advance(100_900)
  assert.equal(attempt.signal.aborted, false)
  resolve('done')
  await result
})

test('a server that has read what the connection buffers is busy no more', async () => {
  const { run, nth, clock } = harness()
  const result = run({ stallTimeoutMs: 1000 })
  const { attempt } = await nth(1)
  attempt.allow(100_000)
  attempt.moved(100_000_000)
  clock.advance(1000)
  assert.equal((attempt.signal.reason as BlobwireError).reason, 'stalled')
  ;(await nth(2)).resolve('done')
  await result
})

test('the deadline, an abort and close() end a transfer at once, and tell the attempt', async () => {
  const { run, nth, clock, pipeline } = harness()
  const late = errorOf(run({ timeoutMs: 5000 }))
  const first = await nth(1)
  clock.advance(5000)
  assert.equal((await late).code, 'deadline_exceeded')
  assert.ok(first.attempt.signal.aborted)

  const controller = new AbortController()
  const aborted = errorOf(run({ signal: controller.signal }))
  const second = await nth(2)
  controller.abort(new Error('enough'))
  assert.deepEqual([(await aborted).code, (await aborted).sent], ['cancelled', 'maybe'])
  assert.ok(second.attempt.signal.aborted)

  const open = errorOf(run())
  const third = await nth(3)
  await pipeline.close()
  assert.equal((await open).reason, 'client_closed')
  assert.ok(third.attempt.signal.aborted)
  assert.equal((await errorOf(run())).reason, 'client_closed')
  assert.equal(pipeline.transfers.running, 0)
  assert.equal(clock.pending, 0, 'no timer is left')
})

test('an abort during the wait between two attempts ends the transfer', async () => {
  const { run, nth, attempts, clock } = harness()
  const controller = new AbortController()
  const error = errorOf(run({ signal: controller.signal }))
  ;(await nth(1)).reject(failure())
  await settled()
  controller.abort()
  assert.equal((await error).code, 'cancelled')
  assert.equal(clock.pending, 0, 'nothing is waited for')
  await settled()
  clock.advance(60_000)
  await settled()
  assert.equal(attempts.length, 1)
  assert.equal(clock.pending, 0)
})

test('a transfer goes on at another endpoint', async () => {
  const endpoints: string[] = []
  const { run, nth } = harness({
    endpoints: ['a', 'b'],
    connect: (endpoint, name) => {
      endpoints.push(endpoint)
      return pipelineTransport(name)
    }
  })
  const result = run()
  ;(await nth(1)).reject(failure())
  ;(await nth(2)).resolve('done')
  await result
  assert.deepEqual([...endpoints].sort(), ['a', 'b'])
})

const pipelineTransport = async (name: 'json' | 'msgpack' | 'grpc') => ({
  name,
  unary: () => assert.fail('no unary request'),
  openSession: () => assert.fail('no session'),
  upload: () => assert.fail('no upload'),
  download: () => assert.fail('no download'),
  canConnect: async () => true,
  closeIdle: () => undefined,
  close: async () => undefined
})

test('failures open the breaker; a transfer that got further waits for it, and calls do not wait for the transfer', async () => {
  const { run, nth, pipeline, clock } = harness({
    breaker: { ...defaultBreaker, failures: 1, firstOpenMs: 10_000, openMs: 10_000, waitMs: 0 },
    canConnect: () => clock.now() > 5000
  })
  const result = run()
  const first = await nth(1)
  first.attempt.progressed()
  first.reject(failure())
  const breaker = pipeline.channels()[0]?.breaker
  const second = await nth(2)
  assert.ok(clock.now() > 5000, `${clock.now()}`)
  assert.equal(breaker?.state, 'closed', 'a connection was the probe')
  second.resolve('done')
  assert.equal(await result, 'done')
  assert.deepEqual([breaker?.openings, pipeline.channels()[0]?.inFlight], [1, 0])
})

test('without progress, a transfer waits for a breaker no longer than a call', async () => {
  const { run, nth, clock } = harness({
    breaker: { ...defaultBreaker, failures: 1, firstOpenMs: 10_000, openMs: 10_000, waitMs: 1000 },
    canConnect: () => false
  })
  const error = errorOf(run())
  ;(await nth(1)).reject(failure())
  for (let turn = 0; turn < 50; turn++) {
    clock.advance(50)
    await settled()
  }
  const { reason, cause } = await error
  assert.deepEqual([reason, (cause as BlobwireError).message], ['circuit_open', 'down'])
})

test('work that goes on after the end of its transfer makes no attempt', async () => {
  const { pipeline, clock } = harness()
  const source = Promise.withResolvers<void>()
  let attempts = 0
  const transfer = { direction: 'up', headers: {}, stallTimeoutMs: 30_000, timeoutMs: 1000 } as const
  const late = errorOf(
    pipeline.transfers.work(transfer, async (run) => {
      await source.promise
      return run(async () => attempts++)
    })
  )
  clock.advance(1000)
  assert.equal((await late).code, 'deadline_exceeded')
  source.resolve()
  await settled()
  assert.equal(attempts, 0)
})
