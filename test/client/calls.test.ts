/** Common to every call: deadlines, aborts, closing, tokens, headers, interceptors; the same on all transports. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { type BlobwireError, blobOid, createClient } from '../../src/index.ts'
import { failureOf, transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { BlockingStore } from '../support/stores.ts'
import { settlesWithin } from '../support/until.ts'

test('a deadline ends the call on the client, and the server is told', async (context) => {
  const store = new BlockingStore()
  // A test that fails must not leave the server waiting for it.
  context.after(() => store.release())
  const fixture = atEnd(context, await testServer({ store }))
  for (const transport of transports) {
    const client = fixture.client({ transport, timeoutMs: 150 })
    await assert.rejects(settlesWithin(client.getRepository('x'), 150 + 250), (error: BlobwireError) => {
      assert.deepEqual([error.code, error.transport ?? transport], ['deadline_exceeded', transport])
      return true
    })
    await assert.rejects(client.getRepository('x', { timeoutMs: 20 }), { code: 'deadline_exceeded' })
  }
  store.release()
  await assert.rejects(fixture.client().getRepository('x'), { code: 'not_found' })
})

test('an abort ends the call at once, before it starts and under way', async (context) => {
  const store = new BlockingStore()
  // A test that fails must not leave the server waiting for it.
  context.after(() => store.release())
  const fixture = atEnd(context, await testServer({ store }))
  for (const transport of transports) {
    const client = fixture.client({ transport })
    const aborted = client.getRepository('x', { signal: AbortSignal.abort() })
    await assert.rejects(aborted, { code: 'cancelled', sent: 'never' })
    const controller = new AbortController()
    const running = client.getRepository('x', { signal: controller.signal })
    setImmediate(() => controller.abort())
    await assert.rejects(running, { code: 'cancelled', sent: 'maybe' })
  }
  store.release()
})

test('closing settles calls under way and refuses later ones; twice is once', async (context) => {
  const store = new BlockingStore()
  // A test that fails must not leave the server waiting for it.
  context.after(() => store.release())
  const fixture = atEnd(context, await testServer({ store }))
  for (const transport of transports) {
    const client = fixture.client({ transport })
    const running = Array.from({ length: 5 }, () => client.getRepository('x'))
    const settled = Promise.allSettled(running)
    await Promise.all([client.close(), client.close()])
    for (const outcome of await settled) {
      assert.equal(outcome.status, 'rejected')
      const { code, reason } = (outcome as PromiseRejectedResult).reason as BlobwireError
      assert.deepEqual([code, reason], ['cancelled', 'client_closed'])
    }
    await assert.rejects(client.getRepository('x'), { code: 'cancelled', reason: 'client_closed' })
  }
  store.release()
})

test('a port without a listener: unavailable, never sent, retryable', async (context) => {
  for (const transport of transports) {
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:1`
    const client = createClient({ endpoint, transport, timeoutMs: 3000, retry: { maxAttempts: 3 } })
    context.after(() => client.close())
    await assert.rejects(client.getRepository('x'), (error: BlobwireError) => {
      const { code, sent, retryable, attempts } = error
      assert.deepEqual([code, sent, retryable, attempts], ['unavailable', 'never', true, 3])
      assert.equal(error.transport, transport)
      return true
    })
  }
})

test('tokens: none, wrong, expired, read only, another tenant; the same on all transports', async (context) => {
  const grants = [
    { token: 'writer', access: 'write', repositories: ['team/*'] },
    { token: 'reader', access: 'read', repositories: ['team/site'] },
    { token: 'stranger', access: 'write', repositories: ['other/*'] },
    { token: 'old', access: 'write', repositories: ['*'], expires: '2001-01-01T00:00:00Z' }
  ] as const
  const fixture = atEnd(context, await testServer({ grants }))
  await fixture.client({ token: 'writer' }).createRepository('team/site')
  for (const transport of transports) {
    const as = (token?: string) => fixture.client({ transport, token }).repository('team/site')
    const { oid } = await as('writer').storeBlob('secret\n')
    const reasons = { undefined: 'no_token', garbage: 'bad_token', old: 'expired_token' }
    for (const [token, reason] of Object.entries(reasons)) {
      const repo = as(token === 'undefined' ? undefined : token)
      await assert.rejects(repo.getBlob(oid), { code: 'unauthenticated', reason, retryable: false, sent: 'processed' })
    }
    assert.equal((await as('reader').getBlob(oid)).size, 7)
    await assert.rejects(as('reader').storeBlob('x'), { code: 'permission_denied' })
    const [read, write] = await as('reader').batch([{ getBlob: { oid } }, { storeBlob: { content: 'x' } }])
    assert.equal(read.value?.oid, oid)
    assert.equal(write.error?.code, 'permission_denied')
    const hidden = await as('stranger')
      .getBlob(oid)
      .catch((error: BlobwireError) => error)
    const absent = await fixture
      .client({ transport, token: 'stranger' })
      .getBlob('team/none', oid)
      .catch((error: BlobwireError) => error)
    assert.ok('message' in hidden && 'message' in absent)
    assert.deepEqual([hidden.code, hidden.reason], ['not_found', 'repository'])
    assert.equal(hidden.message.replace('team/site', ''), absent.message.replace('team/none', ''))
    await assert.rejects(as('stranger').createRepository(), { code: 'permission_denied' })
    assert.doesNotMatch(inspect(hidden, { depth: 20, showHidden: true }), /stranger/)
    const names = (await fixture.client({ transport, token: 'stranger' }).listRepositories()).repositories
    assert.deepEqual(names, [])
  }
})

test('interceptors see calls and may add headers; headers reach the server', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const transport of transports) {
    const seen: string[] = []
    const client = fixture.client({
      transport,
      headers: { 'x-request-id': `mine-${transport}` },
      interceptors: [
        async (call, next) => {
          seen.push(call.method)
          return next({ ...call, headers: { ...call.headers, 'x-extra': '1' } })
        }
      ]
    })
    const answered = { code: 'not_found', sent: 'processed', attempts: 1, requestId: `mine-${transport}` }
    await assert.rejects(client.getRepository('none'), answered)
    const wrong = { objectFormat: 5 as unknown as 'sha1' }
    const untried = { code: 'invalid_argument', sent: 'never', attempts: 0 }
    await assert.rejects(client.createRepository('none', wrong), untried)
    // A call whose arguments are wrong is refused before anybody sees it.
    assert.deepEqual(seen, ['getRepository'])
    await assert.rejects(client.getRepository('none', { headers: { 'grpc-timeout': '1S' } }), {
      code: 'invalid_argument'
    })
    const { calls, failures, requests } = client.stats()
    assert.deepEqual([calls, failures, requests], [1, 1, 1])
  }
})

test('names no repository can have are refused before anything is sent', async () => {
  const client = createClient({ endpoint: 'http://127.0.0.1:1' })
  const names = [
    '',
    '/',
    'a//b',
    '../x',
    'a/..',
    '%2e%2e',
    'a\0b',
    'x'.repeat(65536),
    '__proto__',
    'a.git',
    'ａ',
    'a b',
    '-x'
  ]
  for (const name of names) {
    await assert.rejects(
      client.getRepository(name),
      { code: 'invalid_argument', sent: 'never' },
      JSON.stringify(name.slice(0, 20))
    )
  }
  assert.equal(client.stats().calls, 0)
  await client.close()
})

test('a blob above the limit is uploaded; the server is asked for the limit where a message would be in vain', async (context) => {
  const limits = { maxInlineBytes: 2_000_000 }
  for (const transport of transports) {
    for (const batch of [{}, false] as const) {
      const fixture = atEnd(context, await testServer({ limits }))
      const client = fixture.client({ transport, batch })
      const repo = client.repository('large')
      await repo.createRepository()
      /** Stores zeros, and tells the requests and transfers that it took. */
      const costOf = async (size: number) => {
        const before = client.stats()
        assert.deepEqual(await repo.storeBlob(new Uint8Array(size)), { oid: blobOid(new Uint8Array(size)), size })
        const after = client.stats()
        return { calls: after.calls - before.calls, transfers: after.transfers.started - before.transfers.started }
      }
      // Nothing is known yet, and the server may take it in a message: it does.
      assert.deepEqual(await costOf(1_500_000), { calls: 1, transfers: 0 })
      // In a message, in vain; then the capabilities, and whether it is there.
      assert.deepEqual(await costOf(2_000_001), { calls: 3, transfers: 1 })
      assert.deepEqual(await costOf(2_000_001), { calls: 1, transfers: 0 })
      assert.deepEqual(await costOf(2_000_002), { calls: 1, transfers: 1 })
      assert.deepEqual(await costOf(2_000_000), { calls: 1, transfers: 0 })
    }
  }
  const fixture = atEnd(context, await testServer({ limits: { ...limits, maxBlobBytes: 3_000_000 } }))
  const client = fixture.client()
  await client.createRepository('large')
  // Nothing of it is sent.
  const { error } = await failureOf(client.storeBlob('large', new Uint8Array(20_000_000)))
  assert.deepEqual(error.details.limit, { limit: 'max_blob_bytes', maximum: 3_000_000, actual: 20_000_000 })
  assert.match(error.message, /^storeBlob at /)
  assert.equal(client.stats().transfers.started, 0)
  const closed = createClient({ endpoint: 'http://127.0.0.1:1', timeoutMs: 200 })
  const unasked = await failureOf(closed.repository('large').storeBlob(new Uint8Array(5_000_000)))
  assert.match(unasked.error.message, /^storeBlob at /)
  assert.equal(unasked.error.sent, 'never')
  await closed.close()
  const roomy = { maxInlineBytes: 6_000_000, maxBatchBytes: 8_000_000, maxConnectionInFlightBytes: 32_000_000 }
  const repo = atEnd(context, await testServer({ limits: roomy }))
    .client()
    .repository('roomy')
  await repo.createRepository()
  assert.equal((await repo.storeBlob(new Uint8Array(5_000_000))).size, 5_000_000)
})

test('an operation that fits no request fails alone, whichever the transport', async (context) => {
  const fixture = atEnd(context, await testServer({ limits: { maxBatchBytes: 8192, maxInlineBytes: 4096 } }))
  for (const transport of transports) {
    const repo = fixture.client({ transport }).repository(`alone-${transport}`)
    await repo.createRepository()
    const author = { name: 'Ada', email: 'ada@example.org' }
    const { oid: tree } = await repo.storeTree([])
    for (const size of [8200, 20_000]) {
      const large = { storeCommit: { tree, message: 'm'.repeat(size), author } }
      const results = await repo.batch([
        { storeBlob: { content: `before ${size}` } },
        large,
        { commitFiles: { branch: 'main', changes: { [`a${size}`]: 'a' }, message: 'm', author } }
      ])
      assert.deepEqual(
        results.map(({ ok }) => ok),
        [true, false, true]
      )
      const error = results[1].error ?? assert.fail('the large commit was stored')
      assert.equal(error.code, 'resource_exhausted')
      assert.match(error.message, /^batch at .*: operations\[1\]\.storeCommit: /)
      const only = await repo.batch([large])
      assert.equal(only[0].error?.code, 'resource_exhausted')
    }
    const message = 'm'.repeat(20_000)
    const atomic = repo.batch([{ storeCommit: { tree, message, author } }], { atomic: true })
    await assert.rejects(atomic, { code: 'resource_exhausted' })
  }
})

test('a batch is split to fit the limits, both ways, and keeps its order', async (context) => {
  const fixture = atEnd(
    context,
    await testServer({ limits: { maxBatchOperations: 10, maxBatchBytes: 8192, maxInlineBytes: 4096 } })
  )
  for (const transport of transports) {
    const repo = fixture.client({ transport }).repository(`split-${transport}`)
    await repo.createRepository()
    const contents = Array.from({ length: 57 }, (_, index) => `${index} `.repeat(200 + index))
    const stored = await repo.batch(contents.map((content) => ({ storeBlob: { content } })))
    const oids = stored.map(({ value, error }) => value?.oid ?? assert.fail(String(error)))
    const read = await repo.batch(oids.map((oid) => ({ getBlob: { oid } })))
    assert.deepEqual(
      read.map(({ value }) => Buffer.from(value?.content ?? []).toString()),
      contents
    )
    const atomic = repo.batch(
      contents.map((content) => ({ storeBlob: { content } })),
      { atomic: true }
    )
    await assert.rejects(atomic, { code: 'resource_exhausted', reason: 'atomic_too_large' })
    await assert.rejects(repo.batch([{ storeBlob: { content: 'x' }, getBlob: { oid: 'y' } } as never]), {
      code: 'invalid_argument'
    })
    await assert.rejects(
      repo.batch([{ storeTrees: {} } as never]),
      /unknown operation "storeTrees"; did you mean storeTree\? expected one of storeBlob, /
    )
  }
})
