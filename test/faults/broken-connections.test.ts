/** Connections that cannot be made, break, or fall silent: the same error on all transports, in time, and then it works again. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type ClientOptions, createClient } from '../../src/index.ts'
import { blobOid, failureOf, faultyNetwork, transports } from '../support/faulty-network.ts'
import { fullBacklogPort } from '../support/full-backlog.ts'
import { settlesWithin } from '../support/until.ts'

/** Calls in frames on a session, and each as a request of its own. */
const ways: [string, Partial<ClientOptions>][] = [
  ['on a session', {}],
  ['as single requests', { batch: false }]
]

for (const transport of transports) {
  for (const [way, options] of ways) {
    test(`${transport}, ${way}: a refused connection is unavailable and never sent; once the port listens, calls go through`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open(options)
      proxy.refuse()
      const { error } = await failureOf(client.storeBlob('demo', 'x', { timeoutMs: 2000 }))
      assert.deepEqual(
        [error.code, error.sent, error.retryable, error.transport],
        ['unavailable', 'never', true, transport]
      )
      await proxy.accept()
      // A client may wait a moment before it tries an endpoint again that has just refused.
      const store = (): Promise<{ oid: string }> => client.storeBlob('demo', 'x').catch(store)
      assert.equal((await settlesWithin(store(), 2000)).oid, blobOid('x'))
    })

    test(`${transport}, ${way}: a reset before the answer is unavailable, and the call may have been done`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open(options)
      await client.storeBlob('demo', 'before')
      // The next byte of each connection breaks it, so that no later attempt has more luck.
      proxy.setToClient({ resetAfterBytes: 0 })
      const { error } = await failureOf(client.storeBlob('demo', 'x'))
      assert.deepEqual(
        [error.code, error.sent, error.retryable, error.transport],
        ['unavailable', 'maybe', true, transport]
      )
      assert.ok(error.attempts >= 1)
      assert.ok(error.cause, 'what happened is kept')
    })

    for (const how of ['resetAfterBytes', 'cutAfterBytes'] as const) {
      test(`${transport}, ${way}: ${how} in mid-answer is unavailable, and no part of the answer is delivered`, async (context) => {
        const { proxy, client: open } = await faultyNetwork(context, transport)
        const content = randomBytes(300_000)
        const { oid } = await open({ batch: false }).storeBlob('demo', content)
        const client = open(options)
        await client.storeBlob('demo', 'before')
        proxy.setToClient({ [how]: 50_000 })
        const { error } = await failureOf(client.getBlob('demo', oid))
        assert.deepEqual([error.code, error.sent, error.transport], ['unavailable', 'maybe', transport], error.message)
        proxy.setToClient({ [how]: Number.POSITIVE_INFINITY })
        assert.ok(content.equals((await client.getBlob('demo', oid)).content))
      })
    }

    test(`${transport}, ${way}: a connection that falls silent costs a call its deadline and no more`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open(options)
      await client.storeBlob('demo', 'before')
      proxy.partition()
      const call = () => settlesWithin(client.storeBlob('demo', 'x', { timeoutMs: 300 }), 550)
      const { error, tookMs } = await failureOf(call)
      assert.deepEqual([error.code, error.sent], ['deadline_exceeded', 'maybe'])
      assert.ok(tookMs >= 299, `${tookMs} ms`)
      proxy.heal()
      assert.equal((await settlesWithin(client.storeBlob('demo', 'y'), 1000)).oid, blobOid('y'))
    })

    test(`${transport}, ${way}: silence from the first byte on costs a call its deadline as well`, async (context) => {
      const { proxy, client: open } = await faultyNetwork(context, transport)
      const client = open(options)
      proxy.partition()
      const call = () => settlesWithin(client.storeBlob('demo', 'x', { timeoutMs: 300 }), 550)
      const { error, tookMs } = await failureOf(call)
      assert.equal(error.code, 'deadline_exceeded')
      assert.ok(tookMs >= 299, `${tookMs} ms`)
      proxy.heal()
      assert.equal((await client.storeBlob('demo', 'y')).oid, blobOid('y'))
    })
  }

  test(`${transport}: a name that does not exist is unavailable and never sent`, async (context) => {
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://blobwire-test.invalid:4100`
    const client = createClient({ endpoint, transport })
    context.after(() => client.close())
    const { error } = await failureOf(client.getRepository('demo', { timeoutMs: 10_000 }))
    assert.deepEqual([error.code, error.sent], ['unavailable', 'never'], error.message)
  })

  test(`${transport}: a name with two addresses, where only IPv4 is served`, async (context) => {
    const { proxy, client: open } = await faultyNetwork(context, transport)
    const client = open({ endpoint: `${transport === 'grpc' ? 'grpc' : 'http'}://localhost:${proxy.port}` })
    assert.equal((await client.storeBlob('demo', 'x')).oid, blobOid('x'))
  })
}

test('an address that does not answer costs connectTimeoutMs: unavailable, never sent', async (context) => {
  const port = await fullBacklogPort(context)
  for (const transport of transports) {
    for (const [, options] of ways) {
      const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${port}`
      const client = createClient({ endpoint, transport, connectTimeoutMs: 400, retry: false, ...options })
      context.after(() => client.close())
      const call = () => settlesWithin(client.storeBlob('demo', 'x', { timeoutMs: 5000 }), 2500)
      const { error, tookMs } = await failureOf(call)
      assert.deepEqual(
        [error.code, error.reason, error.sent, error.retryable, error.attempts, error.transport],
        ['unavailable', 'connect_timeout', 'never', true, 1, transport],
        error.message
      )
      assert.ok(tookMs >= 399, `${tookMs} ms`)
      assert.equal(client.stats().connections.failures, 1)
    }
  }
})
