/** Uploads over HTTP as any client may send them, after the draft of resumable uploads. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as http1Request, type IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { content, contentOid, http2Request, transferServer } from '../support/transfers.ts'

const partial = { 'content-type': 'application/partial-upload' }
const size = String(content.length)

/** Requests for one upload. */
async function upload(context: TestContext, id = 'an-upload') {
  const { uploads, pathOf, http } = await transferServer(context)
  const url = `${uploads}/${id}`
  const send = async (method: string, headers: Record<string, string>, body: Uint8Array | undefined) => {
    const response = await fetch(url, { method, headers, ...(body ? { body } : {}) })
    const told = ['upload-offset', 'upload-complete'].map((name) => response.headers.get(name))
    return { told: [response.status, ...told], response, text: await response.text() }
  }
  const patch = (offset: number, end: number, complete: string, more: Record<string, string> = {}) => {
    const headers = { ...partial, 'upload-offset': String(offset), 'upload-complete': complete, ...more }
    return send('PATCH', headers, content.subarray(offset, end))
  }
  return { url, uploads, pathOf, http, send, patch }
}

test('an upload in parts: begun, gone on with, asked for, completed, read', async (context) => {
  const { uploads, http } = await upload(context)
  const headers = { 'upload-complete': '?0' }
  const begun = await fetch(uploads, { method: 'POST', headers, body: content.subarray(0, 1000) })
  assert.equal(begun.status, 201)
  const location = new URL(begun.headers.get('location') ?? '', http)
  const patch = async (offset: number, end: number, complete: string) => {
    const response = await fetch(location, {
      method: 'PATCH',
      headers: { ...partial, 'upload-offset': String(offset), 'upload-complete': complete },
      body: content.subarray(offset, end)
    })
    const told = [response.status, response.headers.get('upload-offset'), response.headers.get('upload-complete')]
    return { told, response }
  }
  assert.deepEqual((await patch(1000, 5000, '?0')).told, [204, '5000', '?0'])
  const state = await fetch(location, { method: 'HEAD' })
  assert.deepEqual(
    [state.status, state.headers.get('upload-offset'), state.headers.get('cache-control')],
    [204, '5000', 'no-store']
  )
  assert.equal(state.headers.get('upload-length'), null)
  const done = await patch(5000, content.length, '?1')
  assert.deepEqual(done.told, [201, size, '?1'])
  assert.equal(done.response.headers.get('etag'), `"${contentOid}"`)
  const answer = await done.response.json()
  assert.deepEqual(answer, { oid: contentOid, size, offset: size, complete: true })
  const again = await fetch(location, { method: 'HEAD' })
  assert.deepEqual([again.headers.get('upload-complete'), again.headers.get('blobwire-oid')], ['?1', contentOid])
  const blob = await fetch(new URL(done.response.headers.get('location') ?? '', http))
  assert.ok(Buffer.from(await blob.arrayBuffer()).equals(content))
})

test('a wrong offset is told the right one, in a problem that is an error of the service, too', async (context) => {
  const { send, patch } = await upload(context)
  await send('POST', { 'upload-complete': '?0' }, content.subarray(0, 1000))
  for (const offset of [0, 999, 1001, 200_000]) {
    const wrong = await patch(offset, offset + 10, '?0')
    assert.deepEqual(wrong.told, [409, '1000', '?0'], String(offset))
    const problem = JSON.parse(wrong.text)
    assert.match(problem.type, /#mismatching-upload-offset$/)
    assert.deepEqual([problem['expected-offset'], problem['provided-offset']], [1000, offset])
    assert.deepEqual([problem.code, problem.details[0].debug.reason], ['failed_precondition', 'upload_offset'])
  }
  assert.deepEqual((await send('POST', { 'upload-complete': '?1' }, content)).told, [409, '1000', '?0'], 'begun twice')
  assert.deepEqual((await patch(1000, content.length, '?1')).told, [201, size, '?1'])
})

const sha256 = createHash('sha256').update(content).digest('base64')
const otherSha256 = createHash('sha256').update('other').digest('base64')
const zeros = '0'.repeat(39)

test('headers that are wrong, or contradict each other', async (context) => {
  const { send, patch, url, pathOf, http } = await upload(context)
  await send('POST', { 'upload-complete': '?0', 'upload-length': size }, content.subarray(0, 1000))
  const cases: [name: string, headers: Record<string, string>, status: number, answer: RegExp][] = [
    ['no offset', { ...partial, 'upload-complete': '?1' }, 400, /upload-offset/],
    [
      'an offset of another type',
      { ...partial, 'upload-complete': '?1', 'upload-offset': '"1000"' },
      400,
      /upload-offset/
    ],
    ['a negative offset', { ...partial, 'upload-complete': '?1', 'upload-offset': '-1' }, 400, /upload-offset/],
    ['no upload-complete', { ...partial, 'upload-offset': '1000' }, 400, /upload-complete/],
    ['a boolean in words', { ...partial, 'upload-offset': '1000', 'upload-complete': 'true' }, 400, /upload-complete/],
    [
      'lengths that differ',
      { ...partial, 'upload-offset': '1000', 'upload-complete': '?1', 'upload-length': '9' },
      400,
      /upload-length/
    ],
    ['another type of content', { 'upload-offset': '1000', 'upload-complete': '?1' }, 415, /^$/],
    [
      'a content coding',
      { ...partial, 'upload-offset': '1000', 'upload-complete': '?0', 'content-encoding': 'gzip' },
      501,
      /content-encoding/
    ]
  ]
  for (const [name, headers, status, answer] of cases) {
    const { response, text } = await send('PATCH', headers, Buffer.from('x'))
    assert.equal(response.status, status, name)
    assert.match(text, answer, name)
  }
  assert.deepEqual(
    (await patch(1000, 1010, '?0', { 'upload-length': '5000' })).told[0],
    400,
    'another length than before'
  )
  const parameters = { ...partial, 'upload-offset': '1000;a=1', 'upload-complete': '?0;b' }
  assert.deepEqual((await send('PATCH', parameters, content.subarray(1000, 2000))).told, [204, '2000', '?0'])
  assert.equal((await fetch(`${url}x`, { method: 'HEAD' })).status, 404)
  assert.equal((await send('GET', {}, undefined)).response.status, 405)
  for (const id of ['a.b', 'a%2fb', 'x'.repeat(129)]) {
    const response = await fetch(http + pathOf(`uploads/${id}`), { method: 'POST', body: 'x' })
    assert.equal(response.status, 400, id)
  }
})

test('an upload that is longer than it said is refused, and what was there is kept', async (context) => {
  const { send, patch, url } = await upload(context)
  await send('POST', { 'upload-complete': '?0', 'upload-length': '5000' }, content.subarray(0, 1000))
  const { told, text } = await patch(1000, 9000, '?0')
  assert.equal(told[0], 400, text)
  const state = await fetch(url, { method: 'HEAD' })
  assert.ok(Number(state.headers.get('upload-offset')) <= 5000)
})

test('digests are those of the whole content; a wrong one leaves nothing', async (context) => {
  const { send, patch, url } = await upload(context)
  const begin = () => send('POST', { 'upload-complete': '?0' }, content.subarray(0, 1000))
  for (const wrong of [{ 'repr-digest': `sha-256=:${otherSha256}:` }, { 'blobwire-oid': `${zeros}1` }]) {
    await begin()
    const { told, text } = await patch(1000, content.length, '?1', wrong as unknown as Record<string, string>)
    assert.deepEqual([told[0], told[2]], [500, '?1'], text)
    assert.equal(JSON.parse(text).code, 'data_loss')
    assert.equal((await fetch(url, { method: 'HEAD' })).status, 404)
  }
  await begin()
  const digests = { 'repr-digest': `sha-512=:AAAA:, sha-256=:${sha256}:`, 'blobwire-oid': contentOid }
  assert.deepEqual((await patch(1000, content.length, '?1', digests)).told, [201, size, '?1'])
})

test('digests may be trailers over HTTP/2, also of a body that ends before the upload is opened', async (context) => {
  const { pathOf, connectHttp2 } = await transferServer(context)
  const session = connectHttp2()
  for (const [digest, status] of [
    [sha256, 201],
    [otherSha256, 500]
  ] as const) {
    for (const length of [content.length, 0]) {
      const path = pathOf(`uploads/trailers-${status}-${length}`)
      const headers = { ':method': 'POST', ':path': path, 'upload-complete': '?1' }
      const stream = session.request(headers, { waitForTrailers: true })
      const empty = createHash('sha256').digest('base64')
      const told = length === 0 && status === 201 ? empty : digest
      stream.on('wantTrailers', () => stream.sendTrailers({ 'repr-digest': `sha-256=:${told}:` }))
      stream.end(content.subarray(0, length))
      const [answer] = await once(stream, 'response')
      assert.equal(answer[':status'], status, `${length} bytes`)
      stream.close()
    }
  }
})

test('104 tells a client that asks for it where the upload is', async (context) => {
  const { http, pathOf, uploads, connectHttp2 } = await transferServer(context)
  const session = connectHttp2()
  const begin = async (path: string, headers: Record<string, string>) => {
    const { stream, answer } = http2Request(session, { ':method': 'POST', ':path': pathOf(path), ...headers })
    stream.end(content)
    return answer
  }
  const asked = await begin('uploads', { 'upload-complete': '?1' })
  assert.deepEqual([asked.status, asked.informed.length], [201, 1])
  const [interim] = asked.informed
  assert.equal(interim?.[':status'], 104)
  assert.match(String(interim?.['location']), /^\/v1\/repositories\/demo\/uploads\/[\w-]{20,}$/)
  assert.match(String(interim?.['upload-limit']), /^max-size=\d+, max-age=\d+$/)
  const state = await fetch(new URL(String(interim?.['location']), http), { method: 'HEAD' })
  assert.equal(state.headers.get('blobwire-oid'), contentOid)
  assert.equal((await begin('uploads/own-id', { 'upload-complete': '?1' })).informed.length, 0, 'the client has the id')
  assert.equal((await begin('uploads', {})).informed.length, 0, 'a client that knows nothing of it')
  const overHttp1 = http1Request(uploads, { method: 'POST', headers: { 'upload-complete': '?1' } })
  overHttp1.end(content)
  const [information] = (await once(overHttp1, 'information')) as [
    { statusCode: number; headers: { location?: string } }
  ]
  assert.equal(information.statusCode, 104)
  assert.match(information.headers.location ?? '', /^\/v1\/repositories\/demo\/uploads\/[\w-]{20,}$/)
  const [answered] = (await once(overHttp1, 'response')) as [IncomingMessage]
  assert.equal(answered.resume().statusCode, 201)
  const options = await fetch(uploads, { method: 'OPTIONS' })
  assert.deepEqual([options.status, options.headers.get('accept-patch')], [204, 'application/partial-upload'])
})
