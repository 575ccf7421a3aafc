/** Of a batch, the failed operations that may yet succeed are sent again, and no others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestInterceptor } from '../../src/index.ts'
import { errorDetail, operationError } from '../support/fake-session.ts'
import { atEnd, testServer } from '../support/server.ts'

/** Fails operations as `failing` says, by number of request and place in it; `sent` has what was asked for. */
function unreliable(failing: (request: number, place: number) => 'unavailable' | 'not_found' | undefined) {
  const sent: string[][] = []
  const request: RequestInterceptor = async (request, next) => {
    if (request.method !== 'batchOperations') return next(request)
    const number = sent.push((request.message.operations ?? []).map(describe)) - 1
    const { results } = await next(request)
    return {
      results: results.map((result, place) => {
        const code = failing(number, place)
        if (code === undefined) return result
        return { error: operationError({ code, detail: errorDetail({ retryable: code === 'unavailable' }) }) }
      })
    }
  }
  return { sent, interceptor: { request } }
}

function describe(operation: object): string {
  const [[name, request]] = Object.entries(operation) as [[string, { content?: Uint8Array }]]
  return `${name} ${Buffer.from(request.content ?? []).toString()}`
}

const blobs = (...contents: string[]) => contents.map((content) => ({ storeBlob: { content } }))
const retry = { maxAttempts: 3, baseMs: 1 }

test('only the operations that failed are sent again', async (context) => {
  const fixture = atEnd(context, await testServer())
  const { sent, interceptor } = unreliable((request, place) => (request === 0 && place % 2 ? 'unavailable' : undefined))
  const client = fixture.client({ interceptors: [interceptor], retry })
  await client.createRepository('demo')
  const results = await client.batch('demo', blobs('a', 'b', 'c', 'd'))
  assert.deepEqual(sent, [
    ['storeBlob a', 'storeBlob b', 'storeBlob c', 'storeBlob d'],
    ['storeBlob b', 'storeBlob d']
  ])
  assert.deepEqual(
    results.map(({ value }) => value?.size),
    [1, 1, 1, 1]
  )
  assert.equal(client.stats().retries, 1)
})

test('after three attempts the error is the result of that operation alone', async (context) => {
  const fixture = atEnd(context, await testServer())
  const { sent, interceptor } = unreliable((request, place) => {
    return (request === 0 ? place === 1 : true) ? 'unavailable' : undefined
  })
  const client = fixture.client({ interceptors: [interceptor], retry })
  await client.createRepository('demo')
  const [a, b] = await client.batch('demo', blobs('a', 'b'))
  assert.equal(a?.value?.size, 1)
  assert.deepEqual([b?.error?.code, b?.error?.attempts], ['unavailable', 3])
  assert.deepEqual(sent.slice(1), [['storeBlob b'], ['storeBlob b']])
})

test('in an ordered batch, operations that failed after a retried one are retried with it', async (context) => {
  const fixture = atEnd(context, await testServer())
  const codes = [undefined, 'unavailable', undefined, 'not_found'] as const
  const { sent, interceptor } = unreliable((request, place) => (request === 0 ? codes[place] : undefined))
  const client = fixture.client({ interceptors: [interceptor], retry })
  await client.createRepository('demo')
  const stored = await client.storeBlob('demo', 'd')
  const results = await client.batch('demo', [...blobs('a', 'b', 'c'), { getBlob: { oid: stored.oid } }])
  assert.deepEqual(sent[1], ['storeBlob b', 'getBlob '])
  assert.ok(results.every(({ error }) => error === undefined))
})

test('an atomic batch is sent again as a whole', async (context) => {
  const fixture = atEnd(context, await testServer())
  const { sent, interceptor } = unreliable(() => 'unavailable')
  const client = fixture.client({ interceptors: [interceptor], retry })
  await client.createRepository('demo')
  const results = await client.batch('demo', blobs('a', 'b'), { atomic: true })
  assert.deepEqual(sent, Array(3).fill(['storeBlob a', 'storeBlob b']))
  assert.ok(results.every(({ error }) => error?.code === 'unavailable'))
})

test('an abort ends the wait', async (context) => {
  const fixture = atEnd(context, await testServer())
  const controller = new AbortController()
  const { interceptor } = unreliable(() => {
    setImmediate(() => controller.abort())
    return 'unavailable'
  })
  const client = fixture.client({ interceptors: [interceptor], retry: { baseMs: 20_000 } })
  await client.createRepository('demo')
  await assert.rejects(client.batch('demo', blobs('a'), { signal: controller.signal }), { code: 'cancelled' })
})
