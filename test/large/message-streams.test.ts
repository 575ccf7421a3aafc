/** UploadBlob and DownloadBlob as streams, judged by clients of others: Connect's own and grpc-js. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import { hashObject } from '../../src/git/oid.ts'
import { atEnd, testServer } from '../support/server.ts'
import { vcsService } from '../support/vcs-service.ts'

const content = Buffer.alloc(300_000, 'some content ')
const oid = hashObject('blob', content, 'sha1')

interface Transfers {
  uploadBlob(requests: AsyncIterable<object>): Promise<{ oid: string; complete: boolean; offset: bigint }>
  downloadBlob(request: object): AsyncIterable<{ offset: bigint; size: bigint; oid: string; chunk: Uint8Array }>
}

for (const form of ['Connect over HTTP/2', 'Connect over HTTP/1.1', 'gRPC'] as const) {
  test(`a blob goes up and comes down through an unmodified client: ${form}`, async (context) => {
    const fixture = atEnd(context, await testServer())
    await fixture.client().repository('demo').createRepository()
    const httpVersion = form.endsWith('1.1') ? '1.1' : '2'
    const transport =
      form === 'gRPC'
        ? createGrpcTransport({ baseUrl: fixture.server.grpc })
        : createConnectTransport({ baseUrl: fixture.server.http, httpVersion, useBinaryFormat: false })
    const client = createClient(await vcsService(), transport) as unknown as Transfers
    const messages = async function* () {
      yield { repository: 'demo', uploadId: 'a-1', size: BigInt(content.length) }
      for (let offset = 0; offset < content.length; offset += 50_000) {
        const chunk = content.subarray(offset, offset + 50_000)
        yield { offset: BigInt(offset), chunk, complete: offset + 50_000 >= content.length, oid }
      }
    }
    const stored = await client.uploadBlob(messages())
    assert.deepEqual([stored.oid, stored.complete, stored.offset], [oid, true, BigInt(content.length)])
    const chunks: Uint8Array[] = []
    for await (const message of client.downloadBlob({ repository: 'demo', oid, offset: 5n, length: 100_000n })) {
      chunks.push(message.chunk)
    }
    assert.ok(Buffer.concat(chunks).equals(content.subarray(5, 100_005)))
  })
}
