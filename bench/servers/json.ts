/** JSON over HTTP/1.1 as most services speak it: one request stores one blob, base64 in the body. */
import { createServer } from 'node:http'
import { announce, storeBlob } from './blob-map.ts'

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { content } = JSON.parse(Buffer.concat(chunks).toString()) as { content: string }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(storeBlob(Buffer.from(content, 'base64'))))
  })
})
server.listen(0, '127.0.0.1', () => announce(server.address()))
