import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Interceptor } from '../../src/call/interceptor.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { answering, pipelineHarness } from '../support/pipeline-harness.ts'

test('the layers run in the order of order.ts', async () => {
  const clock = new FakeClock()
  const trail: string[] = []
  const named =
    (name: string): Interceptor =>
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

test('an error thrown by an interceptor becomes a BlobwireError with its cause', async () => {
  const broken: Interceptor = async () => {
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
