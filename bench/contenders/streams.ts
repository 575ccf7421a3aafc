/** The contenders that carry large blobs. */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { createClient as createConnectClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { credentials, makeClientConstructor } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { startBenchServer } from '../servers/start.ts'
import { openBlobwire } from './blobwire.ts'
import { vcsService } from './descriptors.ts'
import { beginBlob, contentChunks, contentOid } from './stream-content.ts'

/** Carries a blob of the comparison's content in either direction; both check its oid. */
export interface BlobStreamer {
  /** Stores the blob that is downloaded. */
  prepare?(size: number): Promise<void>
  upload(size: number): Promise<void>
  download(size: number): Promise<void>
  close(): Promise<void>
}

/** Starts something in front of a server, whose port is used instead. */
type Through = (port: number) => Promise<{ port: number; stop(): Promise<void> }>

const direct: Through = async (port) => ({ port, stop: async () => undefined })

const mebibyte = 1024 * 1024
const ofUser = 64 * 1024

function check(oid: string | undefined, size: number): void {
  if (oid !== contentOid(size)) throw new Error(`${oid} is not the oid of what was carried`)
}

async function received(size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const hash = beginBlob(size)
  for await (const chunk of chunks) hash.update(chunk)
  check(hash.digest('hex'), size)
}

/** Streams of node:http2 with the windows of blobwire's connections. */
export async function bareStreams(through: Through = direct): Promise<BlobStreamer> {
  const server = await startBenchServer('bare-streams')
  const route = await through(server.port)
  const settings = { initialWindowSize: 8 * mebibyte, maxFrameSize: mebibyte / 4 }
  const session = connectHttp2(`http://127.0.0.1:${route.port}`, { settings })
  await once(session, 'connect')
  session.setLocalWindowSize(32 * mebibyte)
  return {
    async upload(size) {
      const stream = session.request({ ':method': 'POST', ':path': `/${size}` })
      const hash = beginBlob(size)
      for (const chunk of contentChunks(size, mebibyte / 4)) {
        hash.update(chunk)
        if (!stream.write(chunk)) await once(stream, 'drain')
      }
      stream.end()
      let oid = ''
      for await (const chunk of stream) oid += chunk
      check(oid, size)
      check(hash.digest('hex'), size)
    },
    download: (size) => received(size, session.request({ ':path': `/${size}` })),
    async close() {
      session.destroy()
      await route.stop()
      await server.stop()
    }
  }
}

/** Streams of grpc-js with its defaults. */
export async function grpcStreams(through: Through = direct): Promise<BlobStreamer> {
  const server = await startBenchServer('grpc-streams')
  const route = await through(server.port)
  const Client = makeClientConstructor(loadProto()[serviceName] as ServiceDefinition, serviceName)
  const client = new Client(`127.0.0.1:${route.port}`, credentials.createInsecure())
  type Done = (error: Error | null, response: { oid: string }) => void
  type Upload = (done: Done) => { write(message: object): boolean; end(): void } & NodeJS.EventEmitter
  const openUpload = (client['UploadBlob'] as unknown as Upload).bind(client)
  const openDownload = (
    client['DownloadBlob'] as unknown as (request: object) => AsyncIterable<{ chunk: Buffer }>
  ).bind(client)
  return {
    async upload(size) {
      const answered = Promise.withResolvers<string>()
      const stream = openUpload((error, response) => (error ? answered.reject(error) : answered.resolve(response.oid)))
      const hash = beginBlob(size)
      for (const chunk of contentChunks(size, ofUser)) {
        hash.update(chunk)
        if (!stream.write({ size, chunk })) await once(stream, 'drain')
      }
      stream.end()
      check(await answered.promise, size)
      check(hash.digest('hex'), size)
    },
    async download(size) {
      await received(size, chunksOf(openDownload({ length: size })))
    },
    async close() {
      client.close()
      await route.stop()
      await server.stop()
    }
  }
}

async function* chunksOf(messages: AsyncIterable<{ chunk: Uint8Array }>): AsyncGenerator<Uint8Array, void> {
  for await (const { chunk } of messages) yield chunk
}

/** Streams of Connect's own client for Node with its defaults, over HTTP/2. */
export async function connectStreams(through: Through = direct): Promise<BlobStreamer> {
  const server = await startBenchServer('connect-streams')
  const route = await through(server.port)
  const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${route.port}`, httpVersion: '2' })
  const client = createConnectClient(await vcsService(), transport) as unknown as {
    uploadBlob(requests: AsyncIterable<object>): Promise<{ oid: string }>
    downloadBlob(request: object): AsyncIterable<{ chunk: Uint8Array }>
  }
  return {
    async upload(size) {
      const hash = beginBlob(size)
      const requests = async function* () {
        for (const chunk of contentChunks(size, ofUser)) {
          hash.update(chunk)
          yield { size: BigInt(size), chunk }
        }
      }
      check((await client.uploadBlob(requests())).oid, size)
      check(hash.digest('hex'), size)
    },
    download: (size) => received(size, chunksOf(client.downloadBlob({ length: BigInt(size) }))),
    async close() {
      await route.stop()
      await server.stop()
    }
  }
}

async function* contentStream(size: number): AsyncGenerator<Uint8Array, void> {
  yield* contentChunks(size, mebibyte / 4)
}

/** blobwire's `upload` and `download`, which check oids by themselves. */
export async function blobwireStreams(
  transport: 'json' | 'msgpack' | 'grpc',
  through: Through = direct
): Promise<BlobStreamer> {
  const { repository, close } = await openBlobwire(transport, {}, through)
  const upload = async (size: number) => {
    // A function, so that the content can be read again after a cut.
    const { oid } = await repository.upload(async () => contentStream(size), { size })
    check(oid, size)
  }
  return {
    prepare: upload,
    upload,
    async download(size) {
      const oid = contentOid(size)
      let bytes = 0
      for await (const chunk of repository.download(oid)) bytes += chunk.length
      if (bytes !== size) throw new Error(`${bytes} bytes instead of ${size}`)
    },
    close
  }
}
