/** `GET /v1/repositories/{name}/blobs/{oid}`, as browsers and caches use it. */
import assert from 'node:assert/strict'
import { request as http1Request } from 'node:http'
import { test } from 'node:test'
import { atEnd, testServer } from '../support/server.ts'

const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'

test('a blob by GET and HEAD: ranges, conditions, and names that try to get out', async (context) => {
  const fixture = atEnd(context, await testServer())
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  await repo.storeBlob('hello\n')
  const url = `${fixture.server.http}/v1/repositories/demo/blobs/${helloOid}`
  const get = async (headers: Record<string, string>, method = 'GET') => {
    const response = await fetch(url, { headers, method })
    const { status } = response
    return {
      status,
      text: await response.text(),
      range: response.headers.get('content-range'),
      headers: response.headers
    }
  }
  const whole = await get({})
  assert.deepEqual([whole.status, whole.text], [200, 'hello\n'])
  assert.deepEqual([whole.headers.get('etag'), whole.headers.get('content-length')], [`"${helloOid}"`, '6'])
  const head = await get({}, 'HEAD')
  assert.deepEqual([head.status, head.text, head.headers.get('content-length')], [200, '', '6'])
  const ranges: [string, number, string, string | null][] = [
    ['bytes=0-1', 206, 'he', 'bytes 0-1/6'],
    ['bytes=4-', 206, 'o\n', 'bytes 4-5/6'],
    ['bytes=-2', 206, 'o\n', 'bytes 4-5/6'],
    ['bytes=-99', 206, 'hello\n', 'bytes 0-5/6'],
    ['bytes=3-99', 206, 'lo\n', 'bytes 3-5/6'],
    ['bytes=6-', 416, '', 'bytes */6'],
    ['bytes=-0', 416, '', 'bytes */6'],
    ['bytes=3-1', 200, 'hello\n', null],
    ['bytes=0-1,3-4', 200, 'hello\n', null],
    ['lines=1-2', 200, 'hello\n', null]
  ]
  for (const [range, status, text, contentRange] of ranges) {
    const answer = await get({ range })
    assert.deepEqual([answer.status, answer.text, answer.range], [status, text, contentRange], range)
  }
  assert.equal((await get({ 'if-none-match': `"x", "${helloOid}"` })).status, 304)
  assert.equal((await get({ range: 'bytes=0-1', 'if-range': '"old"' })).status, 200)
  for (const name of ['..', '%2e%2e', '%2e%2e%2fdemo', 'demo%00', 'x/../demo', '%', '__proto__']) {
    const { port } = new URL(fixture.server.http)
    const status = await new Promise((resolve) => {
      http1Request({ port, path: `/v1/repositories/${name}/blobs/${helloOid}` }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).end()
    })
    assert.equal(status, 400, name)
  }
  const missing = await fetch(url.replace(helloOid, 'ab'.repeat(20)))
  assert.equal(missing.status, 404)
})
