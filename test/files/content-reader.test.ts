/** Contents that nobody asked for are not taken for those of their oids. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import type { RepositoryCalls } from '../../src/client/calls.ts'
import { type Content, ContentReader } from '../../src/client/files/content-reader.ts'
import { hashObject } from '../../src/git/oid.ts'

const content = Buffer.from('right')
const oid = hashObject('blob', content, 'sha1')

/** A server that adds something of its own to the blob. */
function lying(added: object): RepositoryCalls {
  const invoke = async () => ({ results: [{ getBlob: { oid, size: content.length, content, ...added } }] })
  const caches = { limits: { maxBatchOperations: 100 } }
  return {
    repository: 'demo',
    invoker: { options: { verify: true, maxResponseBytes: 1000 }, caches, invoke }
  } as unknown as RepositoryCalls
}

test('a content that comes deflated unasked is refused; one that inflates to more than an answer is read in parts', async () => {
  const read = async (added: object, acceptDeflated: boolean) => {
    const reader = new ContentReader([oid], {
      calls: lying(added),
      options: () => ({}),
      verify: !acceptDeflated,
      acceptDeflated
    })
    const found: Content[] = []
    for await (const next of reader.contents()) found.push(next)
    return found
  }
  assert.deepEqual(await read({}, false), [{ size: 5, bytes: content, isDeflated: false }])
  await assert.rejects(read({ deflated: deflateSync('wrong') }, false), {
    code: 'internal',
    reason: 'malformed_response'
  })
  const [asked] = await read({ deflated: deflateSync('right') }, true)
  assert.equal(asked?.isDeflated, true)
  const [bomb] = await read({ deflated: deflateSync(Buffer.alloc(1001)), size: 1001 }, true)
  assert.deepEqual(bomb, { size: 1001, bytes: undefined, isDeflated: false })
})
