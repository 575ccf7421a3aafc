/** Faults in the middle of transfers, over a network: judged by an unmodified Connect client and by node:http2. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { Code, createClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import type { Effect } from '../../server-fixture/faults/effects.ts'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { hashObject } from '../../src/git/oid.ts'
import { atEnd, testServer } from '../support/server.ts'
import { vcsService } from '../support/vcs-service.ts'

const content = Buffer.alloc(300_000, 'some content ')
const oid = hashObject('blob', content, 'sha1')
const size = BigInt(content.length)

interface Transfers {
  uploadBlob(requests: AsyncIterable<object>): Promise<{ oid: string }>
  downloadBlob(request: object): AsyncIterable<{ chunk: Uint8Array }>
  queryUpload(request: object): Promise<{ offset: bigint; complete: boolean; oid: string }>
}

async function setUp(context: TestContext) {
  const faults = new Faults()
  const effects: Effect[] = []
  const onEffect = (effect: Effect) => effects.push(effect)
  const fixture = atEnd(context, await testServer({ faults, onEffect, limits: { chunkBytes: 16 * 1024 } }))
  await fixture.client().repository('demo').createRepository()
  effects.length = 0
  return { faults, effects, server: fixture.server }
}

for (const form of ['Connect over HTTP/2', 'Connect over HTTP/1.1', 'gRPC'] as const) {
  test(`what passed before a cut is kept, and the rest follows: ${form}`, async (context) => {
    const { faults, effects, server } = await setUp(context)
    const httpVersion = form.endsWith('1.1') ? '1.1' : '2'
    const transport =
      form === 'gRPC'
        ? createGrpcTransport({ baseUrl: server.grpc })
        : createConnectTransport({ baseUrl: server.http, httpVersion, useBinaryFormat: false })
    const client = createClient(await vcsService(), transport) as unknown as Transfers
    const upload = async (from: number) =>
      client.uploadBlob(
        (async function* () {
          yield { repository: 'demo', uploadId: 'u-1', size, offset: BigInt(from) }
          for (let at = from; at < content.length; at += 50_000) {
            const chunk = content.subarray(at, at + 50_000)
            yield { offset: BigInt(at), chunk, complete: at + 50_000 >= content.length, oid }
          }
        })()
      )
    const query = async () => client.queryUpload({ repository: 'demo', uploadId: 'u-1' })
    faults.add({ rpc: 'UploadBlob', count: 1, fault: { kind: 'cut', afterBytes: 123_456 } })
    await assert.rejects(upload(0))
    assert.equal((await query()).offset, 123_456n)
    faults.add({ rpc: 'UploadBlob', count: 1, fault: { kind: 'lost_answer' } })
    await assert.rejects(upload(123_456))
    const { complete, oid: stored } = await query()
    assert.deepEqual([complete, stored], [true, oid])
    assert.equal((await upload(content.length - 1).catch((error) => error)).code, Code.FailedPrecondition)
    assert.deepEqual(effects, [{ kind: 'object', repository: 'demo', name: oid }])

    const chunks: Uint8Array[] = []
    const download = async () => {
      const offset = BigInt(Buffer.concat(chunks).length)
      for await (const { chunk } of client.downloadBlob({ repository: 'demo', oid, offset })) chunks.push(chunk)
    }
    faults.add({ rpc: 'DownloadBlob', count: 1, fault: { kind: 'cut', afterBytes: 100_000 } })
    await assert.rejects(download())
    assert.ok(Buffer.concat(chunks).length <= 100_000)
    await download()
    assert.ok(content.equals(Buffer.concat(chunks)))
    assert.equal(faults.fired('cut'), 2)
  })
}

test('a rule of an RPC holds for its HTTP requests, too: uploads, their state, blobs and files', async (context) => {
  const { faults, server } = await setUp(context)
  const session = connect(server.http)
  context.after(() => session.destroy())
  const status = async (method: string, path: string) => {
    const stream = session.request({ ':method': method, ':path': `/v1/repositories/demo/${path}` })
    stream.end()
    const [headers] = await once(stream, 'response')
    stream.resume()
    return headers[':status']
  }
  const fault = { kind: 'http_status', status: 599 } as const
  const rpcs = ['UploadBlob', 'QueryUpload', 'CancelUpload', 'DownloadBlob', 'DownloadBlob']
  const requests = [
    // Without a body: an empty blob.
    ['POST', 'uploads/u-1', 201],
    ['HEAD', 'uploads/u-1', 204],
    ['DELETE', 'uploads/u-1', 204],
    ['GET', `blobs/${oid}`, 404],
    ['GET', 'files/main/a.txt', 404]
  ] as const
  for (const [index, [method, path, unharmed]] of requests.entries()) {
    faults.clear()
    faults.add({ rpc: rpcs[index] as string, fault })
    assert.equal(await status(method, path), 599, `${method} ${path}`)
    faults.clear()
    faults.add({ rpc: rpcs.filter((rpc) => rpc !== rpcs[index]), fault })
    assert.equal(await status(method, path), unharmed, `${method} ${path}`)
  }
})
