/** Uploads and downloads over HTTP as any client may send them: with fetch, over HTTP/1.1. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hashObject } from '../../src/git/oid.ts'
import { atEnd, testServer } from '../support/server.ts'

const content = Buffer.alloc(300_000, 'some content ')
const oid = hashObject('blob', content, 'sha1')

/** The URL of the uploads of a repository. */
async function uploadsOf(context: TestContext): Promise<string> {
  const fixture = atEnd(context, await testServer({ limits: { maxInlineBytes: 64 * 1024, chunkBytes: 16 * 1024 } }))
  await fixture.client().repository('demo').createRepository()
  return `${fixture.server.http}/v1/repositories/demo/uploads`
}

test('an upload in parts: begun, gone on with, asked for, completed, read', async (context) => {
  const url = await uploadsOf(context)
  const body = content.subarray(0, 1000)
  const begun = await fetch(url, { method: 'POST', headers: { 'upload-complete': '?0' }, body })
  assert.equal(begun.status, 201)
  const location = new URL(begun.headers.get('location') ?? '', url)
  const patch = async (offset: number, end: number, complete: string) => {
    const headers = { 'upload-offset': String(offset), 'upload-complete': complete }
    const response = await fetch(location, {
      method: 'PATCH',
      headers: { ...headers, 'content-type': 'application/partial-upload' },
      body: content.subarray(offset, end)
    })
    const told = [response.status, response.headers.get('upload-offset'), response.headers.get('upload-complete')]
    return { told, response }
  }
  assert.deepEqual((await patch(1000, 5000, '?0')).told, [204, '5000', '?0'])
  assert.deepEqual((await patch(1000, 5000, '?0')).told, [409, '5000', '?0'])
  const state = await fetch(location, { method: 'HEAD' })
  const told = [state.status, state.headers.get('upload-offset'), state.headers.get('upload-complete')]
  assert.deepEqual(told, [204, '5000', '?0'])
  const done = await patch(5000, content.length, '?1')
  assert.deepEqual(done.told, [201, String(content.length), '?1'])
  assert.equal(done.response.headers.get('etag'), `"${oid}"`)
  const blob = new URL(done.response.headers.get('location') ?? '', url)
  const read = await fetch(blob, { headers: { range: 'bytes=100-199999' } })
  assert.equal(read.status, 206)
  assert.ok(Buffer.from(await read.arrayBuffer()).equals(content.subarray(100, 200_000)))
  const head = await fetch(blob, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), String(content.length))
})
