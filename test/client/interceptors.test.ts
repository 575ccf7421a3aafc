/** Interceptors: what they see, what they may change, and how calls end that wait in one. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { byLevel, type CallToIntercept, Interception } from '../../src/client/interception.ts'
import { BlobwireError, type CallInterceptor, type Interceptor, type RequestInterceptor } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { failureOf } from '../support/faulty-network.ts'
import { noWork } from '../support/pipeline-harness.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org' }

async function scene(context: TestContext, ...interceptors: Interceptor[]) {
  const fixture = atEnd(context, await testServer({ limits: { maxBatchOperations: 2 } }))
  const client = fixture.client({ interceptors })
  await fixture.client().createRepository('demo')
  return { fixture, client, repo: client.repository('demo') }
}

test('interceptors see each call once, outermost first, and requests only if they ask', async (context) => {
  const calls: string[] = []
  const requests: string[] = []
  const { client, repo } = await scene(
    context,
    (call, next) => {
      calls.push(`first ${call.method}`)
      return next(call)
    },
    {
      request(request, next) {
        requests.push(request.method)
        return next(request)
      }
    },
    (call, next) => {
      calls.push(`second ${call.method}`)
      return next(call)
    }
  )
  const seen = async (work: Promise<unknown>) => {
    await work
    return [calls.splice(0), requests.splice(0)]
  }
  // A batch is cut by the server's limits, once they are known.
  await seen(client.getCapabilities())
  const changes = { a: 'a'.repeat(40_000), b: 'b'.repeat(40_000), c: 'c' }
  const commit = repo.commitFiles({ branch: 'main', changes, message: 'm\n', author })
  assert.deepEqual(await seen(commit), [['first commitFiles', 'second commitFiles'], ['commitFiles']])
  const batch = repo.batch(['1', '2', '3'].map((content) => ({ storeBlob: { content } })))
  assert.deepEqual(await seen(batch), [
    ['first batch', 'second batch'],
    ['batchOperations', 'batchOperations']
  ])
  assert.deepEqual(await seen(repo.getTree()), [['first getTree', 'second getTree'], ['getTree']])
  assert.deepEqual(await seen(client.listRepositories()), [
    ['first listRepositories', 'second listRepositories'],
    ['listRepositories']
  ])
  assert.deepEqual(await seen(client.getCapabilities()), [['first getCapabilities', 'second getCapabilities'], []])
})

test('an interceptor may change the message, the headers and the answer, and send a call on again', async (context) => {
  let tries = 0
  const { client, repo } = await scene(context, async (call, next) => {
    if (call.method === 'storeBlob') return next({ ...call, message: { ...call.message, content: 'other' } })
    if (call.method === 'getCommit') return next({ ...call, repository: 'none' })
    if (call.method === 'deleteRepository') return next({ ...call, repository: '../x' })
    if (call.method === 'listRefs') return { refs: [], nextPageToken: 'mine' }
    if (call.method !== 'findMissing') return next({ ...call, headers: { ...call.headers, 'X-Request-Id': 'r-7' } })
    tries++
    const first = await next(call)
    tries++
    return first.missing.length > 0 ? next({ ...call, message: { ...call.message, oids: [] } }) : first
  })
  assert.equal((await repo.storeBlob('content')).size, 5)
  assert.equal((await repo.listRefs()).nextPageToken, 'mine')
  assert.deepEqual(await repo.findMissing(['0123456789abcdef0123456789abcdef01234567']), { missing: [] })
  assert.equal(tries, 2)
  await assert.rejects(repo.getCommit(), { code: 'not_found', reason: 'repository' })
  await assert.rejects(repo.deleteRepository(), { code: 'invalid_argument' })
  await assert.rejects(client.getRepository('absent'), { code: 'not_found', requestId: 'r-7' })
})

test('calls whose headers nobody changes stay in frames', async (context) => {
  const fixture = atEnd(context, await testServer())
  const request: RequestInterceptor = (seen, next) => next({ ...seen })
  const client = fixture.client({ interceptors: [(call, next) => next({ ...call }), { request }] })
  await client.createRepository('demo')
  await Promise.all(Array.from({ length: 10 }, (_, index) => client.storeBlob('demo', `${index}`)))
  assert.equal(client.stats().framedOperations, 10)
})

test('an exception of an interceptor is the error of the call, with its cause', async (context) => {
  for (const thrower of [() => Promise.reject(new TypeError('oops')), () => assert.fail('at once')]) {
    const { repo } = await scene(context, thrower)
    const error = await repo.storeBlob('x').then(
      () => assert.fail('succeeded'),
      (failure: BlobwireError) => failure
    )
    assert.deepEqual([error.code, error.reason, error.sent], ['unknown', 'interceptor', 'never'])
    assert.ok(error.cause instanceof Error)
  }
})

test('an interceptor that forgets to return, or the argument of next, is named', async (context) => {
  const passing: CallInterceptor = (call, next) => next(call)
  const forgetful = async (call: object, next: (call: object) => Promise<unknown>) => void (await next(call))
  const hasty = (call: object, next: (call: object) => Promise<unknown>) => void next(call)
  const idle = () => null
  const bare = (_call: object, next: () => Promise<unknown>) => next()
  const returned = 'interceptors[1] returned nothing; is a return missing?'
  const cases: [unknown, string, string | undefined][] = [
    [forgetful, returned, 'processed'],
    [hasty, returned, 'maybe'],
    [idle, returned, 'never'],
    [bare, 'interceptors[1] called next() without the call; use next(call)', 'never'],
    [{ request: forgetful }, returned, 'processed'],
    [{ request: bare }, 'interceptors[1] called next() without the call; use next(call)', 'never']
  ]
  for (const [broken, words, sent] of cases) {
    const { client, repo } = await scene(context, passing, broken as Interceptor)
    const calls = {
      storeBlob: () => repo.storeBlob('x'),
      batch: () => repo.batch([{ storeBlob: { content: 'x' } }]),
      getRepository: () => repo.getRepository(),
      refs: () => repo.refs().next(),
      listRefs: () => repo.listRefs(),
      repositories: () => client.repositories().next()
    }
    for (const [name, call] of Object.entries(calls)) {
      const { error } = await failureOf(call())
      assert.deepEqual([error.code, error.reason], ['unknown', 'interceptor'], `${name}: ${error.message}`)
      assert.ok(error.message.endsWith(words), `${name}: ${error.message}`)
      assert.ok(error.message.startsWith(name), `${name}: ${error.message}`)
      if (name === 'storeBlob') assert.equal(error.sent, sent)
    }
  }
})

test('a call that waits in an interceptor ends with its signal and with the client', async (context) => {
  const waiting = Promise.withResolvers<undefined>()
  let signal: AbortSignal | undefined
  const { client, repo } = await scene(context, async (call, next) => {
    signal = call.signal
    await waiting.promise
    return next(call)
  })
  const controller = new AbortController()
  const aborted = failureOf(repo.storeBlob('x', { signal: controller.signal }))
  controller.abort(new Error('enough'))
  const { error } = await aborted
  assert.deepEqual([error.code, error.sent, (error.cause as Error).message], ['cancelled', 'never', 'enough'])
  assert.equal(signal?.aborted, true)
  const closed = failureOf(repo.storeBlob('x'))
  await client.close()
  assert.deepEqual([(await closed).error.code, (await closed).error.reason], ['cancelled', 'client_closed'])
  await assert.rejects(repo.storeBlob('x'), { code: 'cancelled', reason: 'client_closed' })
  waiting.resolve(undefined)
})

/** A call of 1000 ms through one interceptor, on a clock that the test moves. */
function onFakeClock(interceptor: CallInterceptor, run: CallToIntercept<object, object>['run']) {
  const clock = new FakeClock()
  const interception = new Interception(byLevel([interceptor]).calls, { clock, work: noWork })
  const controller = new AbortController()
  const options = { signal: controller.signal }
  const rest = { headers: {}, timeoutMs: 1000, options }
  return {
    clock,
    controller,
    call: interception.run({ method: 'getCommit', repository: 'demo', message: {}, run, ...rest })
  }
}

test('the deadline ends a call that waits in an interceptor, before it is sent on and after', {
  timeout: 5000
}, async () => {
  const never = new Promise<never>(() => {})
  const before = onFakeClock(
    () => never,
    async () => ({})
  )
  before.clock.advance(1000)
  await assert.rejects(before.call, { code: 'deadline_exceeded', sent: 'never', attempts: 0 })
  const after = onFakeClock(
    async (call, next) => {
      await next(call)
      return never
    },
    async () => ({})
  )
  await new Promise(setImmediate)
  after.clock.advance(1000)
  await assert.rejects(after.call, { code: 'deadline_exceeded', sent: 'processed', attempts: 1 })
})

test('what was sent on ends by itself, and says how far it has got', { timeout: 5000 }, async () => {
  const sent = Promise.withResolvers<object>()
  const { controller, clock, call } = onFakeClock(
    (seen, next) => next(seen),
    (_message, options) => {
      assert.equal(options?.timeoutMs, undefined)
      return sent.promise
    }
  )
  controller.abort()
  clock.advance(2000)
  await new Promise(setImmediate)
  sent.reject(new BlobwireError({ code: 'cancelled', message: 'by the call itself', sent: 'maybe', attempts: 2 }))
  await assert.rejects(call, { message: 'getCommit: by the call itself', sent: 'maybe', attempts: 2 })
})
