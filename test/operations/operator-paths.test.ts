/** Metrics, health and the feed of the dashboard: who may see them, and whether they tell what happened. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect, constants } from 'node:http2'
import { type TestContext, test } from 'node:test'
import type { FeedSnapshot } from '../../server-fixture/admin/feed-snapshot.ts'
import { addFigures } from '../../server-fixture/metrics/snapshot.ts'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const grants = [
  { token: 'writer', access: 'write', repositories: ['*'] },
  { token: 'operator', access: 'none', repositories: ['*'], operate: true },
  { token: 'late', access: 'none', repositories: [], operate: true, expires: '2020-01-01T00:00:00Z' }
] as const
const basic = (name: string, token: string) => `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`

async function served(context: TestContext, options: Partial<ServerOptions> = {}) {
  const fixture = atEnd(context, await testServer({ grants, adminPort: 0, ...options }))
  const { http, admin = '' } = fixture.server
  const get = (url: string, authorization?: string) => fetch(url, authorization ? { headers: { authorization } } : {})
  return { fixture, http, admin, get }
}

test('the paths for operators need the right to operate, or the admin port; health needs neither', async (context) => {
  const { fixture, http, admin, get } = await served(context)
  for (const path of ['/metrics', '/dashboard', '/dashboard/events']) {
    const statuses: number[] = []
    for (const authorization of ['', 'Bearer wrong', 'Bearer late', 'Bearer writer', basic('x', 'writer')]) {
      const answer = await get(`${http}${path}`, authorization)
      statuses.push(answer.status)
      const asksForToken = answer.headers.get('www-authenticate')?.startsWith('Basic') ?? false
      assert.equal(asksForToken, answer.status === 401, authorization)
      assert.doesNotMatch(await answer.text(), /late|writer/)
    }
    assert.deepEqual(statuses, [401, 401, 401, 403, 403], path)
    for (const [url, authorization] of [
      [http, 'Bearer operator'],
      [http, basic('anybody', 'operator')],
      [admin, '']
    ] as const) {
      const answer = await get(`${url}${path}`, authorization)
      assert.equal(answer.status, 200, `${url}${path} ${authorization}`)
      await answer.body?.cancel()
    }
  }
  for (const path of ['/healthz', '/health/live', '/health/ready']) {
    for (const url of [http, admin]) assert.equal((await get(`${url}${path}`)).status, 200, path)
  }
  assert.deepEqual(await (await get(`${http}/health/ready`)).json(), { status: 'ready' })
  assert.deepEqual(await (await get(`${http}/health/ready`, 'Bearer writer')).json(), { status: 'ready' })
  for (const answer of [await get(`${http}/health/ready`, 'Bearer operator'), await get(`${admin}/health/ready`)]) {
    const { checks } = (await answer.json()) as { checks: Record<string, { ok: boolean }> }
    assert.deepEqual(Object.keys(checks), ['store', 'disk', 'memory', 'draining'])
  }
  // An operator has no right to a repository, and the admin port serves none.
  const repo = fixture.client({ token: 'operator' }).repository('demo')
  await assert.rejects(repo.createRepository(), { code: 'permission_denied' })
  await assert.rejects(repo.listRefs(), { code: 'not_found' })
  const call = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  assert.equal((await fetch(`${admin}/blobwire.v1.VcsService/ListRepositories`, call)).status, 404)
})

test('the admin port does not answer to the name of a web site', async (context) => {
  const { admin } = await served(context)
  const statusFor = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${admin}/metrics`, { headers: { host } }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode))
      })
        .once('error', reject)
        .end()
    })
  const { port } = new URL(admin)
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]']) assert.equal(await statusFor(host), 200, host)
  for (const host of ['evil.example', `evil.example:${port}`]) assert.equal(await statusFor(host), 421, host)
})

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: the figures have each call by its method and outcome, of frames and of requests`, async (context) => {
    const { fixture } = await served(context)
    const client = fixture.client({ transport, token: 'writer' })
    const repo = client.repository('demo')
    await repo.createRepository()
    const { oid } = await repo.storeBlob('a')
    await Promise.all(Array.from({ length: 50 }, (_, index) => repo.storeBlob(`b${index}`)))
    await repo.commitFiles({ branch: 'main', message: 'm', author: { name: 'a', email: 'a@b' }, changes: { a: 'a' } })
    await assert.rejects(repo.getBlob('ab'.repeat(20)), { code: 'not_found' })
    const operations = [{ getBlob: { oid } }, { getBlob: { oid: 'cd'.repeat(20) } }]
    await repo.batch(operations, { atomic: true })
    const stranger = fixture.client({ transport, token: 'nobody' }).repository('demo')
    await assert.rejects(stranger.getRepository(), { code: 'unauthenticated' })
    const { calls, batchOperations, sessionsOpened, sessions, frames, received, sent, inFlight, streams } =
      fixture.server.metrics.snapshot().transports[transport]
    assert.deepEqual(
      [calls['StoreBlob']?.ok, calls['CreateRepository']?.ok, calls['CommitFiles']?.ok, calls['BatchOperations']?.ok],
      [51, 1, 1, 1]
    )
    assert.deepEqual(calls['GetBlob']?.failures, { 'not_found/object': 1 })
    assert.deepEqual(batchOperations['GetBlob'], {
      ...batchOperations['GetBlob'],
      ok: 1,
      failures: { 'not_found/object': 1 }
    })
    const refusals = Object.values(calls).flatMap(({ failures }) => Object.keys(failures))
    assert.ok(refusals.includes('unauthenticated/bad_token'), String(refusals))
    assert.equal(
      calls['StoreBlob']?.durations.buckets.reduce((sum, count) => sum + count),
      51
    )
    assert.ok(sessionsOpened >= 1 && sessions >= 1 && frames >= 2 && frames < 51)
    assert.deepEqual([inFlight, streams], [0, sessions])
    assert.ok(received.messages > frames && received.wireBytes > 500 && sent.wireBytes > 500)
    await client.close()
  })
}

for (const [name, transport, type] of [
  ['gRPC', 'grpc', 'application/grpc'],
  ['HTTP/2', 'json', 'application/json']
] as const) {
  test(`${name}: a client that goes in the middle of its request leaves nothing in flight`, async (context) => {
    const { fixture } = await served(context)
    const session = connect(transport === 'grpc' ? fixture.server.grpc : fixture.server.http)
    context.after(() => session.destroy())
    const path = '/blobwire.v1.VcsService/StoreBlob'
    const headers = { ':method': 'POST', ':path': path, 'content-type': type, authorization: 'Bearer writer' }
    const stream = session.request(headers)
    stream.on('error', () => undefined).write(Buffer.from([0, 0, 0, 1, 0, 1]))
    const now = () => fixture.server.metrics.snapshot().transports[transport]
    await until(() => now().inFlight === 1, 'in flight')
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => now().inFlight === 0, 'none in flight')
    // A client of node:http2 ends its body before it resets the stream.
    const failure = transport === 'grpc' ? 'cancelled' : 'invalid_argument/malformed'
    assert.deepEqual(now().calls['StoreBlob']?.failures, { [failure]: 1 })
  })
}

test('a content type may be any text, and that of a plain request makes no transport', async (context) => {
  const { fixture, http, get } = await served(context)
  for (const type of ['constructor', '__proto__', 'application/json']) {
    const headers = { 'content-type': type, authorization: 'Bearer writer' }
    const put = await fetch(`${http}/v1/repositories/demo/uploads/a`, { method: 'PUT', headers, body: 'a' })
    assert.equal(put.status, 404)
    const call = await fetch(`${http}/blobwire.v1.VcsService/ListRefs`, { method: 'POST', headers, body: '{}' })
    assert.equal(call.status, type === 'application/json' ? 400 : 415)
  }
  const { json, http: plain } = fixture.server.metrics.snapshot().transports
  assert.deepEqual(Object.keys(json.calls), ['ListRefs'])
  assert.deepEqual(plain.calls['UploadBlob']?.failures, { 'not_found/repository': 3 })
  assert.deepEqual(plain.calls['Unknown']?.failures, { unimplemented: 2 })
  assert.equal((await get(`${http}/healthz`)).status, 200)
})

test('snapshots of several processes add up', async (context) => {
  const { fixture } = await served(context)
  const repo = fixture.client({ token: 'writer' }).repository('demo')
  await repo.createRepository()
  await repo.storeBlob('a')
  const one = fixture.server.metrics.snapshot()
  const both = addFigures(one, addFigures(one, { ...one, connections: {} }))
  assert.equal(both.process.processes, 3)
  assert.equal(both.transports.msgpack.calls['StoreBlob']?.ok ?? both.transports.json.calls['StoreBlob']?.ok, 3)
  assert.equal(both.connections['http']?.opened, 2 * (one.connections['http']?.opened ?? 0))
  assert.equal(both.loopDelay.buckets.length, one.loopDelay.buckets.length)
})

test('the feed tells of the last second: calls, errors, repositories', async (context) => {
  const { fixture, admin } = await served(context)
  const repo = fixture.client({ token: 'writer' }).repository('constructor')
  await repo.createRepository()
  const feed = await fetch(`${admin}/dashboard/events`)
  assert.equal(feed.headers.get('content-type'), 'text/event-stream')
  const reader = feed.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
  const next = async () => {
    const text = Buffer.from((await reader.read()).value as Uint8Array).toString()
    assert.match(text, /^data: .*\n\n$/)
    return JSON.parse(text.slice('data: '.length)) as FeedSnapshot
  }
  const first = await next()
  assert.deepEqual([first.state, first.callsPerSecond, first.repositories], ['ready', 0, []])
  await Promise.all(Array.from({ length: 20 }, (_, index) => repo.storeBlob(`b${index}`)))
  await assert.rejects(repo.getBlob('ab'.repeat(20)), { code: 'not_found' })
  const second = await next()
  assert.ok(second.callsPerSecond > 0 && second.errorsPerSecond > 0)
  assert.deepEqual(second.errors, [{ code: 'not_found', reason: 'object', count: 1 }])
  assert.equal(second.methods[0]?.name, 'StoreBlob')
  assert.equal(second.repositories[0]?.repository, 'constructor')
  assert.ok((second.repositories[0]?.callsPerSecond ?? 0) > 0)
  // A feed does not keep the server from closing.
  await fixture.server.close()
  assert.equal((await reader.read()).done, true)
})

test('the page has all that it names, each with its type, and names nothing elsewhere', async (context) => {
  const { admin, get } = await served(context)
  const types: Record<string, string> = { css: 'text/css', js: 'text/javascript' }
  const pages = new Set([`${admin}/dashboard`])
  for (const url of pages) {
    const answer = await get(url)
    assert.equal(answer.status, 200, url)
    const type = types[url.split('.').at(-1) ?? ''] ?? 'text/html'
    assert.equal(answer.headers.get('content-type'), `${type}; charset=utf-8`, url)
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self';/)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    const text = await answer.text()
    if (url.endsWith('uplot.js')) continue
    assert.doesNotMatch(text, /https?:\/\//, url)
    for (const [, , path = ''] of text.matchAll(/(src=|href=|from )["']([^"':]+\.(?:js|css))["']/g)) {
      pages.add(new URL(path, url).href)
    }
  }
  assert.equal(pages.size, 8)
})
