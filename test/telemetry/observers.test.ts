/** Observers see every call and attempt, on each transport, and their headers reach the server. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CallOutcome, ClientOptions, Observer, StartedCall, TransportName } from '../../src/index.ts'
import { BlobwireError, blobOid } from '../../src/index.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { batchHarness, pipelineHarness, settled } from '../support/pipeline-harness.ts'
import { type TestServer, testServer } from '../support/server.ts'

/** A call as an observer saw it. */
interface Seen {
  readonly call: StartedCall
  readonly steps: string[]
  outcome?: CallOutcome
}

/** Notes everything; each attempt gets a request id of its own, which errors name. */
function recorder(headers?: (number: number) => Record<string, string>): { seen: Seen[]; observer: Observer } {
  const seen: Seen[] = []
  const observer: Observer = {
    callStarted(call) {
      const record: Seen = { call, steps: [] }
      seen.push(record)
      return {
        event: (name) => record.steps.push(name),
        attemptStarted({ number, endpoint, transport }) {
          assert.ok(endpoint)
          record.steps.push(`attempt ${number} ${transport}`)
          return {
            headers: headers?.(seen.length),
            event: (name) => record.steps.push(name),
            ended: ({ error }) => record.steps.push(`ended ${error?.code ?? 'ok'}`)
          }
        },
        ended(outcome) {
          assert.equal(record.outcome, undefined, 'one end')
          record.outcome = outcome
        }
      }
    }
  }
  return { seen, observer }
}

let server: TestServer
before(async () => {
  server = await testServer()
  await server.client().createRepository('demo')
})
after(() => server[Symbol.asyncDispose]())

const ways: { name: string; options: Partial<ClientOptions> & { transport: TransportName } }[] = [
  { name: 'msgpack, frames', options: { transport: 'msgpack' } },
  { name: 'json, frames', options: { transport: 'json' } },
  { name: 'gRPC, frames', options: { transport: 'grpc' } },
  { name: 'msgpack, requests', options: { transport: 'msgpack', batch: false } },
  { name: 'gRPC, requests', options: { transport: 'grpc', batch: false } }
]
const missing = blobOid('never stored')

for (const { name, options } of ways) {
  test(`${name}: a call is told from its start to its end, and an observer's headers arrive`, async () => {
    const { seen, observer } = recorder((number) => ({ 'x-request-id': `observed-${number}` }))
    const client = server.client({ ...options, observers: [observer] })
    await client.storeBlob('demo', 'content')
    const failures = await Promise.allSettled([client.getBlob('demo', missing), client.getBlob('demo', missing)])
    const [stored, ...read] = seen as [Seen, Seen, Seen]
    assert.deepEqual(
      { ...stored.call, startedAtMs: 0 },
      {
        method: 'storeBlob',
        rpc: 'blobwire.v1.VcsService/StoreBlob',
        repository: 'demo',
        operations: 1,
        timeoutMs: 30_000,
        startedAtMs: 0
      }
    )
    assert.equal(stored.steps[0], `attempt 1 ${options.transport}`)
    const sent = stored.steps.filter((step) => ['encoded', 'sent', 'answered'].includes(step))
    assert.deepEqual(sent, ['encoded', 'sent', 'answered'])
    assert.equal(stored.steps.at(-1), 'ended ok')
    const { error, attempts, transport, durationMs } = stored.outcome as CallOutcome
    assert.deepEqual({ error, attempts, transport }, { error: undefined, attempts: 1, transport: options.transport })
    assert.ok(durationMs > 0)
    assert.match(stored.outcome?.endpoint ?? '', /^(http|grpc):/)
    assert.ok(stored.outcome?.requestId, 'the id under which the server logs it')
    for (const [index, failure] of failures.entries()) {
      assert.ok(failure.status === 'rejected' && failure.reason instanceof BlobwireError)
      assert.equal(failure.reason.requestId, `observed-${index + 2}`)
      assert.equal(read[index]?.outcome?.error?.code, 'not_found')
      assert.equal(read[index]?.outcome?.requestId, `observed-${index + 2}`)
      assert.equal(read[index]?.steps.at(-1), 'ended not_found')
    }
  })
}

for (const transport of ['msgpack', 'grpc'] as const) {
  test(`${transport}: uploads and downloads are calls, too`, async () => {
    const { seen, observer } = recorder((number) => ({ 'x-request-id': `transfer-${number}` }))
    const client = server.client({ transport, observers: [observer] })
    const content = new Uint8Array(2_000_000).fill(transport.length)
    const { oid } = await client.upload('demo', content)
    assert.deepEqual(await client.download('demo', oid).bytes(), content)
    await assert.rejects(client.download('demo', missing).bytes(), { code: 'not_found', requestId: /^transfer-/ })
    const transfers = seen.filter(({ call }) => call.method.endsWith('loadBlob'))
    const told = transfers.map(({ call, outcome }) => [call.method, call.repository, outcome?.error?.code])
    assert.deepEqual(told, [
      ['uploadBlob', 'demo', undefined],
      ['downloadBlob', 'demo', undefined],
      ['downloadBlob', 'demo', 'not_found']
    ])
    for (const { outcome } of transfers) assert.ok(outcome?.endpoint && outcome.requestId)
  })
}

test("a call's own headers have precedence over an observer's", async () => {
  for (const options of [{}, { batch: false }] as const) {
    const { observer } = recorder(() => ({ 'x-request-id': 'of-observer' }))
    const client = server.client({ ...options, observers: [observer] })
    const headers = { 'x-request-id': 'of-caller' }
    await assert.rejects(client.getBlob('demo', missing, { headers }), { requestId: 'of-caller' })
  }
})

test('without sessions, calls share requests although each has a header of an observer', async () => {
  const { observer } = recorder((number) => ({ traceparent: `00-${number}` }))
  const clock = new FakeClock()
  const none = new BlobwireError({ code: 'unimplemented', message: 'no sessions here', sent: 'processed' })
  const { store, arrivals } = batchHarness({
    clock,
    telemetry: new Telemetry(clock, { observers: [observer] }),
    onOpen: ({ opening }) => queueMicrotask(() => opening.onEnd(none))
  })
  await Promise.all(['a', 'b', 'c'].map((content) => store(content)))
  assert.equal(arrivals.length, 1)
  assert.equal(arrivals[0]?.call.headers['traceparent'], '00-1')
})

test('a call that is retried tells of each attempt and of the wait between them', async () => {
  const { seen, observer } = recorder()
  const clock = new FakeClock()
  const { read, last, arrivals } = pipelineHarness({
    clock,
    telemetry: new Telemetry(clock, { observers: [observer] })
  })
  const call = read()
  await settled()
  last().fail({ code: 'unavailable', message: 'down' })
  await settled()
  clock.advance(50)
  await settled()
  assert.equal(arrivals.length, 2)
  last().answer()
  await call
  const attempt = (number: number, end: string) => [`attempt ${number} msgpack`, `ended ${end}`]
  assert.deepEqual(seen[0]?.steps, [...attempt(1, 'unavailable'), 'retry', ...attempt(2, 'ok')])
  assert.equal(seen[0]?.outcome?.attempts, 2)
  assert.equal(seen[0]?.outcome?.durationMs, 50)
})

test('calls that are refused or end early have their end, too', async () => {
  const { seen, observer } = recorder()
  const clock = new FakeClock()
  const harness = pipelineHarness({
    clock,
    telemetry: new Telemetry(clock, { observers: [observer] }),
    concurrency: { maxCalls: 1, maxQueued: 1 }
  })
  const calls = [harness.read({ timeoutMs: 10 }), harness.read({ timeoutMs: 1000 }), harness.read()]
  const ended = Promise.allSettled(calls)
  await settled()
  clock.advance(10)
  await settled()
  await harness.pipeline.close()
  await assert.rejects(harness.read(), { reason: 'client_closed' })
  await ended
  assert.deepEqual(
    seen.map(({ outcome }) => outcome?.error?.reason || outcome?.error?.code),
    ['deadline_exceeded', 'client_closed', 'queue_full', 'client_closed']
  )
  assert.deepEqual(seen[1]?.steps.slice(0, 3), ['queued', 'admitted', 'attempt 1 msgpack'])
})

test('an observer that fails later is told of once, too, and ends no process', async () => {
  const problems: unknown[] = []
  // A rejection that nobody handles fails the test.
  const rejected = async () => {
    throw new Error('of the observer')
  }
  const attempt = { event: rejected, ended: rejected }
  const observers: Observer[] = [
    { callStarted: () => ({ event: rejected, ended: rejected, attemptStarted: () => attempt }) }
  ]
  const logger = { debug: rejected, info: rejected, warn: rejected, error: rejected }
  const clock = new FakeClock()
  const warn = (...problem: unknown[]) => problems.push(problem)
  for (const options of [{ observers }, { onCall: rejected }, { logger, observers }]) {
    const telemetry = new Telemetry(clock, { ...options, warn })
    const { store } = batchHarness({ clock, telemetry, batch: false })
    assert.equal(await store('a'), 'oid of a')
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(problems.length, 3)
})

test('an observer that throws is told of once, and breaks no call', async () => {
  const problems: unknown[] = []
  const thrown = () => {
    throw new Error('of the observer')
  }
  const attempt = {
    get headers(): never {
      return thrown()
    },
    event: thrown,
    ended: thrown
  }
  const observers: Observer[] = [
    { callStarted: thrown },
    { callStarted: () => ({ event: thrown, ended: thrown, attemptStarted: thrown }) },
    { callStarted: () => ({ attemptStarted: () => attempt }) },
    { callStarted: () => ({ attemptStarted: () => ({ headers: { 'grpc-timeout': '1', 'x-fine': 'a\nb' } }) }) }
  ]
  const clock = new FakeClock()
  const telemetry = new Telemetry(clock, { observers, warn: (...problem) => problems.push(problem) })
  const { store } = batchHarness({ clock, telemetry, batch: false })
  assert.equal(await store('a'), 'oid of a')
  assert.equal(problems.length, 1)
})
