/** Downloads from servers that are older than downloads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientCaches } from '../../src/client/client-caches.ts'
import { readLargeResults, recoverRead } from '../../src/client/large-reads.ts'
import { BlobwireError, createClient } from '../../src/index.ts'
import { methods } from '../../src/schema/methods.ts'
import { startAnsweringServer } from '../support/answering-server.ts'
import { pipelineHarness } from '../support/pipeline-harness.ts'
import { atEnd } from '../support/server.ts'

const oid = 'ab'.repeat(20)

test('a server without downloads is told as such; a proxy that fails is not', async (context) => {
  const server = atEnd(context, await startAnsweringServer())
  for (const transport of ['json', 'grpc'] as const) {
    const protocol = transport === 'grpc' ? 'grpc' : 'http'
    const client = createClient({ endpoint: `${protocol}://127.0.0.1:${server.port}`, transport, retry: false })
    context.after(() => client.close())
    server.answer =
      transport === 'grpc'
        ? {
            headers: { 'content-type': 'application/grpc' },
            trailers: { 'grpc-status': '12', 'grpc-message': 'unknown method' }
          }
        : {
            status: 501,
            headers: { 'content-type': 'application/json' },
            body: Buffer.from(JSON.stringify({ code: 'unimplemented', message: 'unknown method' }))
          }
    const unknown = {
      code: 'unimplemented',
      reason: 'no_such_method',
      message: /the server is too old for downloadBlob/
    }
    await assert.rejects(client.download('demo', oid).bytes(), unknown, transport)
    await assert.rejects(client.download('demo', oid).info(), unknown, transport)
  }
  server.answer = { status: 404, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') }
  const behindProxy = createClient({ endpoint: `http://127.0.0.1:${server.port}`, transport: 'json', retry: false })
  context.after(() => behindProxy.close())
  await assert.rejects(behindProxy.download('demo', oid).bytes(), { code: 'unimplemented', reason: '' })
})

test('a blob that is too large for an answer of an older server fails as it did, and the message says why', async () => {
  const { pipeline, clock } = pipelineHarness()
  const limit = { limit: 'max_inline_bytes', maximum: 10, actual: 11 }
  const refusal = new BlobwireError({ code: 'resource_exhausted', message: 'too large', details: { limit } })
  const client = {
    options: { verify: true, timeoutMs: 30_000 },
    endpoint: 'a',
    clock,
    caches: new ClientCaches(),
    pipeline,
    capabilities: async () => ({ resume: false }) as never,
    transferOf: () => ({ headers: {}, stallTimeoutMs: 30_000 })
  }
  const request = { repository: 'demo', oid }
  const call = { method: methods.getBlob, request, headers: {}, timeoutMs: 30_000, signal: undefined }
  const failed = { error: refusal, call, remainingMs: 20_000, stallTimeoutMs: 30_000 }
  const expected = { code: 'resource_exhausted', message: /too large, and this server is older than downloads$/ }
  await assert.rejects(recoverRead(client, failed) ?? Promise.resolve(), expected)
  const operations = [{ getBlob: { oid } }, { storeBlob: { content: 'a' } }]
  const results = operations.map(() => ({ ok: false, error: refusal }) as const)
  const batch = { invoker: client, repository: 'demo', defaults: { clock, objectFormat: 'sha1' } } as const
  const [read, write] = await readLargeResults(batch, { operations, results }, {})
  assert.match(read?.error?.message ?? '', expected.message)
  assert.equal(write?.error, refusal)
  // Other calls and other errors are not looked at.
  assert.equal(recoverRead(client, { ...failed, call: { ...call, method: methods.storeBlob } }), undefined)
  const other = new BlobwireError({ code: 'not_found', message: 'none' })
  assert.equal(recoverRead(client, { ...failed, error: other }), undefined)
})
