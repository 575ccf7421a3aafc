/** Blobs and files by GET and HEAD, as browsers, caches and curl read them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request as http1Request, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { hashObject } from '../../src/git/oid.ts'
import { content, contentOid, http2Request, type TransferServer, transferServer } from '../support/transfers.ts'

const author = { name: 'A', email: 'a@b' }

async function stored({ uploads }: TransferServer): Promise<void> {
  const response = await fetch(uploads, { method: 'PUT', body: content })
  assert.equal(response.status, 201)
}

/** One request of node:http2, whole. */
async function get(server: TransferServer, path: string, headers: Record<string, string>, method = 'GET') {
  const { stream, answer } = http2Request(server.connectHttp2(), { ':method': method, ':path': path, ...headers })
  stream.end()
  return answer
}

test('a range has the digest of its bytes where the client wants it, from where the client has them', async (context) => {
  const server = await transferServer(context)
  await stored(server)
  const path = server.pathOf(`blobs/${contentOid}`)
  const digestOf = (from: number, end: number) =>
    `sha-256=:${createHash('sha256').update(content.subarray(from, end)).digest('base64')}:`
  const wants = { 'want-content-digest': 'sha-512=3, sha-256=1' }
  const part = await get(server, path, { range: 'bytes=1000-250000', ...wants })
  assert.deepEqual([part.status, part.headers['content-length']], [206, '249001'])
  assert.ok(part.body.equals(content.subarray(1000, 250_001)))
  assert.equal(part.trailers['content-digest'], digestOf(1000, 250_001))
  const overHttp1 = await new Promise<IncomingMessage>((resolve) => {
    http1Request(server.http + path, { headers: { range: 'bytes=1000-250000', ...wants } }, resolve).end()
  })
  const received: Buffer[] = await overHttp1.toArray()
  assert.deepEqual([overHttp1.statusCode, overHttp1.headers['trailer']], [206, 'content-digest'])
  assert.ok(Buffer.concat(received).equals(content.subarray(1000, 250_001)))
  assert.equal(overHttp1.trailers['content-digest'], digestOf(1000, 250_001))
  const rest = await get(server, path, { range: 'bytes=5000-250000', 'blobwire-digest-from': '1000', ...wants })
  assert.equal(rest.body.length, 245_001)
  assert.equal(rest.trailers['content-digest'], digestOf(1000, 250_001))
  assert.deepEqual((await get(server, path, { range: 'bytes=5-9' })).trailers, {}, 'nobody wants it')
  assert.deepEqual((await get(server, path, { range: 'bytes=5-9', 'want-content-digest': 'sha-256=0' })).trailers, {})
  assert.deepEqual((await get(server, path, wants)).trailers, {}, 'the oid tells')
  for (const from of ['6000', '-1', 'x']) {
    const refused = await get(server, path, { range: 'bytes=5000-', 'blobwire-digest-from': from, ...wants })
    assert.equal(refused.status, 400, from)
  }
})

test('a file by revision and path: its type, its conditions, and names with any bytes', async (context) => {
  const server = await transferServer(context)
  const client = server.fixture.client()
  const repo = client.repository('demo')
  const changes = {
    'docs/a b.txt': 'hello\n',
    'page.html': '<script>alert(1)</script>',
    'a.svg': '<svg/>',
    'x.PNG': 'p'
  }
  await repo.commitFiles({ branch: 'topic/one', changes, message: 'm\n', author })
  const url = (path: string) => `${server.http}${server.pathOf('files')}/topic%2Fone/${path}`
  const read = await fetch(url('docs/a%20b.txt'))
  assert.equal(await read.text(), 'hello\n')
  const etag = `"${hashObject('blob', Buffer.from('hello\n'), 'sha1')}"`
  const told = (response: Response) =>
    ['content-type', 'cache-control', 'etag'].map((name) => response.headers.get(name))
  assert.deepEqual(told(read), ['text/plain; charset=utf-8', 'private, no-cache', etag])
  for (const [path, type] of [
    ['page.html', 'application/octet-stream'],
    ['a.svg', 'application/octet-stream'],
    ['x.PNG', 'image/png']
  ] as const) {
    const response = await fetch(url(path), { method: 'HEAD' })
    assert.equal(response.headers.get('content-type'), type, path)
    const safe = ['x-content-type-options', 'content-security-policy'].map((name) => response.headers.get(name))
    assert.deepEqual(safe, ['nosniff', 'sandbox'])
  }
  const unmodified = await fetch(url('docs/a%20b.txt'), { headers: { 'if-none-match': etag } })
  assert.equal(unmodified.status, 304)
  const range = { range: 'bytes=1-2', 'if-range': etag }
  assert.equal(await (await fetch(url('docs/a%20b.txt'), { headers: range })).text(), 'el')
  await repo.commitFiles({ branch: 'topic/one', changes: { 'docs/a b.txt': 'another\n' }, message: 'm\n', author })
  const whole = await fetch(url('docs/a%20b.txt'), { headers: range })
  assert.deepEqual([whole.status, await whole.text()], [200, 'another\n'], 'another blob is there now')
  assert.equal((await fetch(url('docs/none'))).status, 404)
  assert.equal((await fetch(url('docs'))).status, 400, 'a directory is no blob')
})

test('a path that is not UTF-8, and a repository with slashes', async (context) => {
  const server = await transferServer(context)
  const name = 'team/files/x'
  const repo = server.fixture.client().repository(name)
  await repo.createRepository()
  const { oid } = await repo.storeBlob('x\n')
  const entry = Buffer.concat([Buffer.from('100644 '), Buffer.of(0xe9), Buffer.of(0), Buffer.from(oid, 'hex')])
  const { oid: tree } = await repo.storeObject({ kind: 'tree', content: entry })
  const base = `${server.http}/v1/repositories/${encodeURIComponent(name)}`
  assert.equal(await (await fetch(`${base}/files/${tree}/%E9`)).text(), 'x\n')
  assert.equal(await (await fetch(`${base}/blobs/${oid}`)).text(), 'x\n')
  const location = (await fetch(`${base}/uploads`, { method: 'POST', body: 'y\n' })).headers.get('location') ?? ''
  assert.equal(await (await fetch(server.http + location)).text(), 'y\n', location)
})

test('an empty blob', async (context) => {
  const server = await transferServer(context)
  const put = await fetch(server.uploads, { method: 'PUT', body: '' })
  assert.equal(put.status, 201)
  const path = server.pathOf('blobs/e69de29bb2d1d6434b8b29ae775ad8c2e48c5391')
  const whole = await get(server, path, {})
  assert.deepEqual(
    [whole.status, whole.headers['content-length'], whole.body.length, whole.resetCode],
    [200, '0', 0, 0]
  )
  assert.equal((await get(server, path, { range: 'bytes=0-' })).status, 416)
})
