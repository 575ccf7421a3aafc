/** Streams of Connect's own server for Node, over HTTP/2. */
import { createServer } from 'node:http2'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { vcsService } from '../contenders/descriptors.ts'
import { beginBlob, contentChunks } from '../contenders/stream-content.ts'
import { announce } from './blob-map.ts'

interface Chunk {
  readonly size?: bigint
  readonly chunk: Uint8Array
}

async function uploadBlob(requests: AsyncIterable<Chunk>): Promise<object> {
  let hash: ReturnType<typeof beginBlob> | undefined
  for await (const { size, chunk } of requests) {
    hash ??= beginBlob(Number(size))
    hash.update(chunk)
  }
  return { oid: hash?.digest('hex') }
}

async function* downloadBlob({ length }: { length: bigint }): AsyncGenerator<object, void> {
  const hash = beginBlob(Number(length))
  for (const chunk of contentChunks(Number(length), 64 * 1024)) {
    hash.update(chunk)
    yield { chunk }
  }
}

const service = await vcsService()
const handler = connectNodeAdapter({
  routes: (router) => router.service(service, { uploadBlob, downloadBlob } as never)
})
const server = createServer(handler)
server.listen(0, '127.0.0.1', () => announce(server.address()))
