import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestInterceptor } from '../../src/call/interceptor.ts'
import { createPipeline } from '../../src/call/pipeline.ts'
import type { PipelineContext } from '../../src/call/pipeline-context.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { newCounters } from '../../src/core/counters.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { plainPolicies } from '../support/policies.ts'

const unstarted = {
  method: methods.getBlob,
  request: {},
  headers: {},
  timeoutMs: 30_000,
  signal: undefined
}

/** A transport of unary calls alone. */
function answering(unary: Transport['unary']): PipelineContext['connect'] {
  return async () => ({ name: 'msgpack', unary, openSession: () => assert.fail('no session'), close: async () => {} })
}

function parts(over: Partial<PipelineContext>): PipelineContext {
  return {
    clock: new FakeClock(),
    counters: newCounters(),
    interceptors: [],
    token: undefined,
    timeoutMs: 30_000,
    headers: unstarted.headers,
    batch: false,
    ...plainPolicies,
    codecOf: () => msgpackCodec,
    endpoints: ['http://a'],
    transports: ['msgpack'],
    limits: () => assert.fail('nobody asks'),
    newRequestId: () => 'r-1',
    connect: answering(async () => ({})),
    ...over
  }
}

test('the layers stand in the order that order.ts gives', async () => {
  const clock = new FakeClock()
  const trail: string[] = []
  const named =
    (name: string): RequestInterceptor =>
    async (call, next) => {
      trail.push(`${name}: ${call.headers['authorization'] ?? 'no token'}`)
      clock.advance(1000)
      return next(call)
    }
  const pipeline = createPipeline(
    parts({
      clock,
      interceptors: [named('first'), named('second')],
      token: () => {
        trail.push('token')
        clock.advance(1000)
        return 'secret'
      },
      connect: answering(async (call) => {
        trail.push(`transport: ${call.headers['authorization']}, ${call.remainingMs()} ms left`)
        return {}
      })
    })
  )
  await pipeline.run(unstarted)
  assert.deepEqual(trail, ['first: no token', 'second: no token', 'token', 'transport: Bearer secret, 27000 ms left'])
})

test('calls and failures are counted, and an error names its request', async () => {
  const counters = newCounters()
  let fail = false
  const connect = answering(async () => {
    if (fail) throw new BlobwireError({ code: 'not_found', message: 'no' })
    return {}
  })
  const pipeline = createPipeline(parts({ counters, connect }))
  await pipeline.run(unstarted)
  fail = true
  await assert.rejects(pipeline.run(unstarted), { code: 'not_found', requestId: 'r-1' })
  assert.deepEqual([counters.calls, counters.failures], [2, 1])
})

test('what an interceptor throws comes out as a BlobwireError with its cause', async () => {
  const broken: RequestInterceptor = async () => {
    throw new TypeError('oops')
  }
  const pipeline = createPipeline(parts({ interceptors: [broken] }))
  await assert.rejects(pipeline.run(unstarted), (error: BlobwireError) => {
    assert.equal(error.reason, 'interceptor')
    assert.ok(error.cause instanceof TypeError)
    return true
  })
})

test('concurrent requests share one answer of the token source, later ones ask again', async () => {
  let asked = 0
  const seen: (string | undefined)[] = []
  const pipeline = createPipeline(
    parts({
      token: async () => `t${++asked}`,
      connect: answering(async (call) => {
        seen.push(call.headers['authorization'])
        return {}
      })
    })
  )
  await Promise.all(Array.from({ length: 100 }, () => pipeline.run(unstarted)))
  assert.equal(asked, 1)
  await pipeline.run(unstarted)
  assert.equal(seen.at(-1), 'Bearer t2')
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
    const run = createPipeline(parts({ token })).run(unstarted)
    await assert.rejects(run, (error: BlobwireError) => {
      assert.equal(error.code, 'unauthenticated')
      assert.equal(error.reason, 'token_source')
      assert.equal(error.retryable, false)
      assert.doesNotMatch(`${error.message}${error.stack}`, /secret/)
      return true
    })
  }
})
