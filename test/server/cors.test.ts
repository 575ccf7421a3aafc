/** Pages of other origins: an unmodified connect-web, and the headers that browsers look at. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Code, createClient, type Interceptor } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { readCors } from '../../server-fixture/http/cors.ts'
import { readOptions } from '../../server-fixture/options.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { pageFetch } from '../support/page-fetch.ts'
import { atEnd, testServer } from '../support/server.ts'
import { http2Request, transferServer } from '../support/transfers.ts'
import { vcsService } from '../support/vcs-service.ts'

const page = 'https://app.example'
const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'

async function corsServer(context: TestContext, origins = [page, 'http://localhost:5173']) {
  const grants = [{ token: 'good', access: 'write' as const, repositories: ['*'] }]
  const fixture = atEnd(context, await testServer({ cors: { origins }, grants }))
  const repo = fixture.client({ token: 'good' }).repository('demo')
  await repo.createRepository()
  await repo.storeBlob('hello\n')
  return fixture.server.http
}

interface Client {
  storeBlob(request: object, options: object): Promise<{ oid: string }>
  getBlob(request: object): Promise<{ content: Uint8Array }>
  getRepository(request: object): Promise<object>
  downloadBlob(request: object): AsyncIterable<{ chunk: Uint8Array }>
}

async function connectWeb(baseUrl: string, fetch: typeof globalThis.fetch): Promise<Client> {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('authorization', 'Bearer good')
    request.header.set('x-own', 'of an interceptor')
    return next(request)
  }
  const transport = createConnectTransport({ baseUrl, fetch, useHttpGet: true, interceptors: [authorize] })
  return createClient(await vcsService(), transport) as unknown as Client
}

test('connect-web on a page of an origin that is listed: calls, streams, errors, and headers of both sides', async (context) => {
  const url = await corsServer(context)
  const { fetch, preflights } = pageFetch(page)
  const client = await connectWeb(url, fetch)
  const seen: Headers[] = []
  const options = { onHeader: (headers: Headers) => void seen.push(headers) }
  const stored = await client.storeBlob({ repository: 'demo', content: Buffer.from('hello\n') }, options)
  assert.equal(stored.oid, helloOid)
  assert.match(seen[0]?.get('x-request-id') ?? '', /./)
  assert.match(seen[0]?.get('server-timing') ?? '', /^total/)
  await assert.rejects(client.getRepository({ repository: 'none' }), { code: Code.NotFound })
  const chunks: Uint8Array[] = []
  for await (const { chunk } of client.downloadBlob({ repository: 'demo', oid: helloOid })) chunks.push(chunk)
  assert.equal(Buffer.concat(chunks).toString(), 'hello\n')
  assert.equal(preflights[0]?.get('access-control-max-age'), '7200')
  assert.deepEqual([preflights[0]?.get('access-control-allow-credentials'), preflights.length], [null, 3])
})

test('uploads and blobs from a page; other pages, and servers without a list, are refused', async (context) => {
  const url = await corsServer(context)
  const { fetch } = pageFetch(page)
  const headers = { authorization: 'Bearer good' }
  const uploads = `${url}/v1/repositories/demo/uploads`
  const put = await fetch(`${uploads}/mine`, { method: 'PUT', body: 'hello\n', headers })
  assert.deepEqual([put.status, put.headers.get('upload-complete')], [201, '?1'])
  const blob = await fetch(`${url}${put.headers.get('location')}`, { headers })
  assert.deepEqual([await blob.text(), blob.headers.get('etag')], ['hello\n', `"${helloOid}"`])
  assert.equal((await fetch(`${uploads}/mine`, { method: 'DELETE', headers })).status, 204)
  const body = { method: 'POST', body: '{}', headers: { ...headers, 'content-type': 'application/json' } }
  const call = `${url}/${serviceName}/GetCapabilities`
  await assert.rejects(pageFetch('https://app.example.evil.example').fetch(call, body), /not allowed: null/)
  await assert.rejects(pageFetch('null').fetch(call, body), /not allowed: null/)
  const closed = atEnd(context, await testServer())
  await assert.rejects(pageFetch(page).fetch(`${closed.server.http}/${serviceName}/GetCapabilities`, body), TypeError)
})

test('a form of another page, which browsers send without asking, uploads nothing', async (context) => {
  const { server } = atEnd(context, await testServer({ cors: { origins: [page] } }))
  const { host, origin } = new URL(server.http)
  await fetch(`${server.http}/${serviceName}/CreateRepository`, {
    method: 'POST',
    body: '{"repository":"demo"}',
    headers: { 'content-type': 'application/json' }
  })
  const send = async (headers: Record<string, string>) => {
    const form = { 'content-type': 'text/plain', ...headers }
    const url = `${server.http}/v1/repositories/demo/uploads`
    const answer = await fetch(url, { method: 'POST', body: 'hello\n', headers: form })
    const { message = '' } = (await answer.json()) as { message?: string }
    return `${answer.status} ${message.split(';', 1)[0]}`
  }
  const evil = 'https://evil.example'
  assert.equal(await send({ origin: evil }), `403 pages of "${evil}" may not use this server`)
  assert.match(await send({ origin: 'null' }), /^403/)
  assert.match(await send({ origin: `http://${host}0` }), /^403/)
  assert.match(await send({ origin, 'sec-fetch-site': 'same-site' }), /^403/)
  assert.match(await send({ origin: evil, 'sec-fetch-site': 'cross-site' }), /^403/)
  const refused = server.metrics.snapshot().transports.http.calls['UploadBlob']
  assert.deepEqual([refused?.ok, refused?.failures], [0, { permission_denied: 5 }])
  for (const headers of [{}, { origin }, { origin: page }, { origin: evil, 'sec-fetch-site': 'same-origin' }]) {
    assert.match(await send(headers), /^201/)
  }
})

test('the origin varies all answers of a server with a list, and any page may use one with *', async (context) => {
  const url = await corsServer(context)
  const ask = async (origin: string | undefined, base = url) => {
    const answer = await globalThis.fetch(`${base}/.well-known/blobwire`, { headers: origin ? { origin } : {} })
    return ['access-control-allow-origin', 'vary', 'access-control-allow-credentials'].map((name) =>
      answer.headers.get(name)
    )
  }
  assert.deepEqual(await ask(page), [page, 'origin', null])
  assert.deepEqual(await ask('http://localhost:5173'), ['http://localhost:5173', 'origin', null])
  assert.deepEqual(await ask('http://localhost:5174'), [null, 'origin', null])
  assert.deepEqual(await ask(undefined), [null, 'origin', null])
  const open = await corsServer(context, ['*'])
  assert.deepEqual(await ask('https://any.example', open), ['*', null, null])
  assert.deepEqual(await ask(undefined, open), [null, null, null])
  const { fetch } = pageFetch('https://any.example')
  const stored = await (await connectWeb(open, fetch)).getBlob({ repository: 'demo', oid: helloOid })
  assert.equal(Buffer.from(stored.content).toString(), 'hello\n')
})

test('answers over HTTP/2 have the headers, those of streams and of refusals too', async (context) => {
  const { connectHttp2 } = await transferServer(context, { cors: { origins: [page] } })
  const session = connectHttp2()
  const ask = (method: string, headers: Record<string, string>) => {
    const path = `/${serviceName}/${method}`
    const { stream, answer } = http2Request(session, { ':method': 'POST', ':path': path, origin: page, ...headers })
    stream.end()
    return answer
  }
  const answers = await Promise.all([
    ask('Session', { 'content-type': 'application/connect+proto' }),
    ask('DownloadBlob', { 'content-type': 'application/connect+proto' }),
    ask('GetRepository', { 'content-type': 'application/json' }),
    ask('GetRepository', { 'content-type': 'text/plain' })
  ])
  assert.deepEqual(
    answers.map(({ headers }) => [headers[':status'], headers['access-control-allow-origin'], headers['vary']]),
    [
      [200, page, 'origin'],
      [200, page, 'origin'],
      [400, page, 'origin'],
      [415, page, 'origin']
    ]
  )
})

test('origins that no browser sends are refused, with the form that one sends', async () => {
  const accepted = ['https://app.example', 'http://[::1]:8080', 'https://xn--bcher-kva.example', 'tauri://localhost']
  assert.equal(readCors({ origins: accepted }).origins.size, 4)
  const refused: [string, RegExp][] = [
    ['https://app.example/', /must be scheme:\/\/host/],
    ['https://app.example:443', /must be https:\/\/app.example, as browsers send it/],
    ['https://App.example', /must be https:\/\/app.example,/],
    ['https://*.example', /must be scheme/],
    ['https://user@app.example', /must be scheme/],
    ['app.example', /must be scheme/],
    ['null', /must be scheme/],
    ['', /must be scheme/]
  ]
  for (const [origin, message] of refused) {
    await assert.rejects(readOptions(['--cors-origins', origin]), message)
  }
  await assert.rejects(readOptions(['--cors-origins', `${page},*`]), /must stand alone/)
  const read = await readOptions(['--cors-origins', `${page},http://localhost:5173`])
  assert.deepEqual(read?.cors, { origins: [page, 'http://localhost:5173'] })
})
