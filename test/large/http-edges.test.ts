/** Requests for blobs and uploads at the edges of RFC 9110, as proxies, other clients and attackers send them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { encodeEnvelope } from '../../src/codec/envelope.ts'
import { content, contentOid, http2Request, type TransferServer, transferServer } from '../support/transfers.ts'

const partial = { 'content-type': 'application/partial-upload' }
const emptyOid = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'

async function stored(context: TestContext): Promise<TransferServer> {
  const server = await transferServer(context)
  for (const body of [content, '']) assert.equal((await fetch(server.uploads, { method: 'PUT', body })).status, 201)
  return server
}

test('conditions and ranges of reads, as RFC 9110 orders them', async (context) => {
  const server = await stored(context)
  const etag = `"${contentOid}"`
  const cases = [
    { headers: { 'if-match': '"other"' }, status: 412 },
    { headers: { 'if-match': `W/${etag}` }, status: 412 },
    { headers: { 'if-match': '"other"', 'if-none-match': etag }, status: 412 },
    { headers: { 'if-match': `"other", ${etag}`, range: 'bytes=0-1' }, status: 206 },
    { headers: { 'if-match': '*' }, status: 200 },
    { headers: { 'if-match': etag, 'if-none-match': etag }, status: 304 },
    { headers: { range: 'bytes=0-1', 'if-range': `W/${etag}` }, status: 200 },
    { headers: { range: 'bytes=9007199254740993-9007199254740999' }, status: 416 },
    { headers: { range: `bytes=0-${'9'.repeat(400)}` }, status: 206 },
    { headers: { range: `bytes=${'9'.repeat(400)}-` }, status: 416 },
    { headers: { range: 'bytes=-0' }, status: 416 },
    { headers: { range: 'bytes=0-1' }, method: 'HEAD', status: 200 },
    { headers: { range: 'bytes=999999-' }, method: 'HEAD', status: 200 },
    { headers: { range: 'bytes=-5' }, oid: emptyOid, status: 200 },
    { headers: { range: 'bytes=-0' }, oid: emptyOid, status: 416 },
    { headers: { range: 'bytes=0-' }, oid: emptyOid, status: 416 }
  ]
  for (const { headers, method = 'GET', oid = contentOid, status } of cases) {
    const response = await fetch(server.http + server.pathOf(`blobs/${oid}`), { method, headers })
    await response.arrayBuffer()
    assert.equal(response.status, status, JSON.stringify([method, headers, oid]))
  }
})

test('a method that is a property of every object is refused as any other unknown one', async (context) => {
  const { connectHttp2, pathOf } = await transferServer(context)
  const session = connectHttp2()
  for (const method of ['constructor', 'toString', '__proto__', 'BREW']) {
    const { stream, answer } = http2Request(session, { ':path': pathOf('uploads/one'), ':method': method })
    stream.end()
    assert.equal((await answer).status, 405, method)
  }
})

test('an answer without content has no length over HTTP/1.1', async (context) => {
  const { http, pathOf } = await transferServer(context)
  const socket = connect(Number(new URL(http).port), '127.0.0.1')
  socket.write(`OPTIONS ${pathOf('uploads')} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
  })
  await once(socket, 'end')
  assert.match(answer, /^HTTP\/1.1 204 /)
  assert.doesNotMatch(answer, /content-length|transfer-encoding/i)
})

test('a complete upload is told to be complete, whatever it is asked for', async (context) => {
  const { uploads } = await transferServer(context)
  const url = `${uploads}/one`
  assert.equal((await fetch(url, { method: 'PUT', body: 'abc' })).status, 201)
  const patch = (offset: string, complete: string, body?: string) => {
    const headers = { ...partial, 'upload-offset': offset, 'upload-complete': complete }
    return fetch(url, { method: 'PATCH', headers, ...(body === undefined ? {} : { body }) })
  }
  const late = await patch('1', '?1', 'bc')
  const told = ({ status, headers }: Response) => [status, headers.get('upload-offset'), headers.get('upload-complete')]
  assert.deepEqual(told(late), [409, '3', '?1'])
  assert.deepEqual(told(await patch('3', '?0')), [201, '3', '?1'])
})

test('a full quota is no fault of the content', async (context) => {
  const { uploads } = await transferServer(context, { limits: { maxUploadBytes: 1000, maxBlobBytes: 5000 } })
  const put = async (bytes: number) => (await fetch(uploads, { method: 'PUT', body: Buffer.alloc(bytes) })).status
  assert.deepEqual([await put(2000), await put(6000)], [507, 413])
})

test('a digest that is none is refused, since its client counts on it', async (context) => {
  const { uploads } = await transferServer(context)
  const digest = createHash('sha256').update('abc').digest()
  const put = async (value: string) =>
    (await fetch(uploads, { method: 'PUT', body: 'abc', headers: { 'repr-digest': value } })).status
  for (const wrong of [':abcd:', `"${digest.toString('hex')}"`, digest.toString('base64'), '', '::']) {
    assert.equal(await put(`sha-256=${wrong}`), 400, wrong)
    assert.equal(await put(`sha-512=:AAAA:, sha-256 =${wrong}`), 400, wrong)
  }
  assert.equal(await put(`md5=:AAAA:,\tsha-256=:${digest.toString('base64')}:`), 201)
  assert.equal(await put('sha-512=:AAAA:'), 201, 'another one is not looked at')
})

test('a SHA-256 of another length is a mistake of the client, and costs no upload', async (context) => {
  const { http, uploads } = await transferServer(context)
  const message = { repository: 'demo', uploadId: 'one', chunk: 'YWJj', complete: true, sha256: 'AAAA' }
  const headers = { 'content-type': 'application/connect+json', 'connect-protocol-version': '1' }
  const body = encodeEnvelope(0, Buffer.from(JSON.stringify(message)))
  const answer = await fetch(`${http}/blobwire.v1.VcsService/UploadBlob`, { method: 'POST', headers, body })
  assert.match(await answer.text(), /"invalid_argument","message":"sha256: must have 32 bytes"/)
  assert.equal((await fetch(`${uploads}/one`, { method: 'HEAD' })).headers.get('upload-offset'), '3')
})
