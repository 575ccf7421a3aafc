/** Connect's own server for Node, over HTTP/2. */
import { createServer } from 'node:http2'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { vcsService } from '../contenders/descriptors.ts'
import { announce, storeBlob } from './blob-map.ts'

const service = await vcsService()
const store = ({ content }: { content: Uint8Array }) => {
  const { oid, size } = storeBlob(content)
  return { oid, size: BigInt(size) }
}
const handler = connectNodeAdapter({ routes: (router) => router.service(service, { storeBlob: store } as never) })
const server = createServer(handler)
server.listen(0, '127.0.0.1', () => announce(server.address()))
