/** The order of the pipeline, as call/pipeline.ts draws it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestInterceptor } from '../../src/call/interceptor.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeStream } from '../support/fake-session.ts'
import { answering, pipelineHarness, settled } from '../support/pipeline-harness.ts'

test('the layers stand in the order that pipeline.ts draws', async () => {
  const clock = new FakeClock()
  const trail: string[] = []
  const named =
    (name: string): RequestInterceptor =>
    async (call, next) => {
      trail.push(`${name}: ${call.headers['authorization'] ?? 'no token'}`)
      clock.advance(1000)
      return next(call)
    }
  const { read } = pipelineHarness({
    clock,
    interceptors: [named('first'), named('second')],
    token: () => {
      trail.push('token')
      clock.advance(1000)
      return 'secret'
    },
    respond: answering((call) => {
      trail.push(`transport: ${call.headers['authorization']}, ${call.remainingMs()} ms left`)
      return {}
    })
  })
  await read()
  assert.deepEqual(trail, ['first: no token', 'second: no token', 'token', 'transport: Bearer secret, 27000 ms left'])
})

test('the worked example: a call passes breaker, retry, attempt and batch, and its neighbours with it', async () => {
  const seen: string[] = []
  const streams: FakeStream[] = []
  const once: RequestInterceptor = (call, next) => {
    seen.push(call.method)
    return next(call)
  }
  const refused = new BlobwireError({ code: 'unavailable', message: 'refused', sent: 'never' })
  const clock = new FakeClock()
  const { store, counters, pipeline } = pipelineHarness({
    clock,
    batch: {},
    endpoints: ['a', 'b'],
    // A second failure in a row would open the breaker, and one token is all that the budget has.
    breaker: {
      failures: 2,
      ratio: 1,
      minimumAttempts: 100,
      windowMs: 10_000,
      firstOpenMs: 500,
      openMs: 60_000,
      waitMs: 0
    },
    retry: { maxAttempts: 3, baseMs: 100, maxMs: 20_000, budgetRatio: 0, budgetPerSecond: 0.1 },
    interceptors: [once],
    connect: async (endpoint, name) => {
      if (endpoint === 'a') {
        clock.advance(1)
        throw refused
      }
      return {
        name,
        unary: () => assert.fail('no unary request'),
        openSession(opening) {
          const stream = new FakeStream(opening)
          streams.push(stream)
          return stream
        },
        upload: () => assert.fail('no upload'),
        download: () => assert.fail('no download'),
        canConnect: async () => false,
        closeIdle: () => undefined,
        close: async () => undefined
      }
    }
  })
  const calls = ['1', '2', '3', '4'].map((content) => store(content))
  await settled()
  const [a, b] = pipeline.channels()
  assert.deepEqual([a?.endpoint, a?.inFlight, b?.inFlight], ['a', 0, 2], 'half of the calls went to each; a is down')
  assert.equal(a?.breaker?.state, 'closed', 'two calls that failed together are one failure')
  clock.advance(49)
  await settled()
  assert.equal(counters.retries, 0, 'half of 100 ms have not passed')
  clock.advance(1)
  await settled()
  assert.deepEqual(
    [counters.calls, counters.attempts, counters.retries],
    [4, 6, 2],
    'nothing was sent: both are paid back'
  )
  const [stream] = streams
  stream?.answer()
  await settled()
  stream?.answer()
  assert.deepEqual((await Promise.all(calls)).toSorted(), ['oid of 1', 'oid of 2', 'oid of 3', 'oid of 4'])
  assert.deepEqual(
    [streams.length, stream?.frames.join(', ')],
    [1, '2 4, 1 3'],
    'the second attempts share a frame of b'
  )
  assert.deepEqual(
    seen,
    ['storeBlob', 'storeBlob', 'storeBlob', 'storeBlob'],
    'interceptors see a call, not its attempts'
  )
})

test('calls and failures are counted, and an error names its request', async () => {
  let fail = false
  const respond = answering(() => {
    if (fail) throw new BlobwireError({ code: 'not_found', message: 'no' })
    return {}
  })
  const { read, counters } = pipelineHarness({ respond })
  await read()
  fail = true
  await assert.rejects(read(), { code: 'not_found', requestId: 'r-1' })
  assert.deepEqual([counters.calls, counters.failures], [2, 1])
})

test('what an interceptor throws comes out as a BlobwireError with its cause', async () => {
  const broken: RequestInterceptor = async () => {
    throw new TypeError('oops')
  }
  const { read } = pipelineHarness({ interceptors: [broken] })
  await assert.rejects(read(), (error: BlobwireError) => {
    assert.equal(error.reason, 'interceptor')
    assert.ok(error.cause instanceof TypeError)
    return true
  })
})

test('concurrent requests share one answer of the token source, later ones ask again', async () => {
  let asked = 0
  const { read, last } = pipelineHarness({ token: async () => `t${++asked}`, respond: ({ answer }) => answer() })
  await Promise.all(Array.from({ length: 100 }, () => read()))
  assert.equal(asked, 1)
  await read()
  assert.equal(last().call.headers['authorization'], 'Bearer t2')
})

test('a token source that fails or gives no token is unauthenticated, and the text is not shown', async () => {
  const sources = [
    () => {
      throw new Error('vault is sealed')
    },
    async () => 'secret\nx-admin: 1',
    () => 5 as unknown as string
  ]
  for (const token of sources) {
    await assert.rejects(pipelineHarness({ token }).read(), (error: BlobwireError) => {
      assert.equal(error.code, 'unauthenticated')
      assert.equal(error.reason, 'token_source')
      assert.equal(error.retryable, false)
      assert.doesNotMatch(`${error.message}${error.stack}`, /secret/)
      return true
    })
  }
})

test('an error names the endpoint of the attempt, or all endpoints where there was none', async () => {
  const { clock, last, pipeline, write } = pipelineHarness({ endpoints: ['a', 'b', 'c', 'd'] })
  for (const _ of [1, 2]) {
    const late = write({ timeoutMs: 100 }).catch((error: BlobwireError) => error)
    await settled()
    ;(clock as FakeClock).advance(100)
    const { method, endpoint } = (await late) as BlobwireError
    assert.deepEqual([method, endpoint], ['storeBlob', last().endpoint])
  }
  await pipeline.close()
  const message = 'storeBlob at a, b, c and 1 more: the client is closed'
  await assert.rejects(write(), { message, endpoint: 'a, b, c and 1 more' })
})
