/**
 * Streams of node:http2 and nothing else, with raised windows: `POST /SIZE` hashes and keeps what comes, `GET /SIZE` sends
 * content and hashes it, as a server does that checks what it sends.
 */
import { once } from 'node:events'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { beginBlob, contentChunks } from '../contenders/stream-content.ts'
import { announce } from './blob-map.ts'

const mebibyte = 1024 * 1024
const settings = { initialWindowSize: 8 * mebibyte, maxFrameSize: mebibyte / 4 }
let kept: Buffer[] = []

async function take(stream: ServerHttp2Stream, size: number): Promise<void> {
  const hash = beginBlob(size)
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    hash.update(chunk)
    chunks.push(chunk)
  }
  kept = chunks
  stream.respond({ ':status': 200 })
  stream.end(hash.digest('hex'))
}

async function give(stream: ServerHttp2Stream, size: number): Promise<void> {
  stream.respond({ ':status': 200 })
  const hash = beginBlob(size)
  for (const chunk of contentChunks(size, mebibyte / 4)) {
    hash.update(chunk)
    if (!stream.write(chunk)) await once(stream, 'drain')
  }
  stream.end()
}

const server = createServer({ settings })
server.on('session', (session) => session.setLocalWindowSize(32 * mebibyte))
server.on('stream', (stream: ServerHttp2Stream, headers) => {
  const size = Number(String(headers[':path']).slice(1))
  void (headers[':method'] === 'POST' ? take(stream, size) : give(stream, size))
})
server.listen(0, '127.0.0.1', () => announce(server.address()))
// Read, so that what is kept is no garbage.
process.once('exit', () => kept.length)
