/** Servers and clients of large blobs below the client's pipeline: a server that does what the test says, and attempts. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { TestContext } from 'node:test'
import { Server, ServerCredentials, type ServerReadableStream, type ServerWritableStream } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { codecOf } from '../../src/client/transport-factory.ts'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import { loadGrpcJs } from '../../src/connection/grpc/grpc-js.ts'
import { openHttpConnection } from '../../src/connection/http2/http-connection.ts'
import { type Counters, newCounters } from '../../src/core/counters.ts'
import type { TransportName } from '../../src/core/error.ts'
import { type BlobwireError, blobOid, type TlsOptions } from '../../src/index.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import type { ConnectionOptions } from '../../src/options/types.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { createGrpcTransport } from '../../src/transport/grpc/transport.ts'
import { createHttpTransport } from '../../src/transport/http/transport.ts'
import type { DownloadAttempt, UploadAttempt } from '../../src/transport/transfer.ts'
import type { Transport } from '../../src/transport/transport.ts'

/** A transport to one endpoint, closed with the test. */
export interface TransferWay {
  readonly transport: Transport
  readonly counters: Counters
}

/** Opens one. */
export async function openTransfers(
  context: TestContext,
  name: TransportName,
  url: string,
  { tls = {}, ...connection }: ConnectionOptions & { readonly tls?: TlsOptions } = {}
): Promise<TransferWay> {
  const counters = newCounters()
  const options = { compression: 'none' as const, maxResponseBytes: 64 * 1024 * 1024 }
  const endpoint = parseEndpoint(url)
  const shared = { tls, connection: resolveConnection(connection), userAgent: 'test' }
  const transport =
    name === 'grpc'
      ? createGrpcTransport({ grpc: await loadGrpcJs(), endpoint, counters, ...shared }, options)
      : createHttpTransport(
          { codec: codecOf(name), connection: openHttpConnection(endpoint, shared, counters), counters },
          options
        )
  context.after(() => transport.close())
  return { transport, counters }
}

/** Pieces of a blob. */
export async function* pieces(content: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

/** An attempt to upload `content`, all of it. */
export function uploadOf(content: Uint8Array, changed: Partial<UploadAttempt> = {}): UploadAttempt {
  const { offset = 0 } = changed
  return {
    repository: 'demo/large',
    uploadId: 'an-upload_1',
    size: content.length,
    offset,
    oid: '',
    headers: { 'x-request-id': 'r1' },
    signal: new AbortController().signal,
    chunks: pieces(content.subarray(offset)),
    digests: () => ({ oid: blobOid(content), sha256: createHash('sha256').update(content).digest() }),
    ...changed
  }
}

/** An attempt to download the blob `oid`, all of it. */
export function downloadOf(oid: string, changed: Partial<DownloadAttempt> = {}): DownloadAttempt {
  return {
    repository: 'demo/large',
    oid,
    revision: '',
    path: '',
    offset: 0,
    length: undefined,
    digestFrom: undefined,
    headers: { 'x-request-id': 'r1' },
    signal: new AbortController().signal,
    ...changed
  }
}

/** All of the chunks. */
export async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

/** The error of a download, wherever it comes. */
export async function downloadFailure({ transport }: TransferWay, attempt: DownloadAttempt): Promise<BlobwireError> {
  let bytes = 0
  try {
    const blob = await transport.download(attempt)
    for await (const chunk of blob.chunks) bytes += chunk.length
    bytes += blob.sha256?.length ?? 0
  } catch (error) {
    return error as BlobwireError
  }
  throw new Error(`${bytes} bytes passed for a blob`)
}

/** The body of a request over HTTP/2, and its trailers. */
export async function received(stream: ServerHttp2Stream): Promise<{ body: Buffer; trailers: IncomingHttpHeaders }> {
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', (found) => {
    trailers = found
  })
  return { body: await collected(stream), trailers }
}

/** A message as proto-loader has it. */
type Message = Readonly<Record<string, unknown>>

/** The methods of a gRPC server for large blobs. */
export interface GrpcHandlers {
  readonly upload?: (
    call: ServerReadableStream<Message, Message>,
    answer: (error: object | null, response?: Message) => void
  ) => void
  readonly download?: (call: ServerWritableStream<Message, Message>) => void
}

/** Starts a gRPC server that lives as long as the test; the result is its URL. */
export async function startGrpcPeer(context: TestContext, { upload, download }: GrpcHandlers): Promise<string> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  server.addService(loadProto()[serviceName] as ServiceDefinition, {
    ...(upload && { UploadBlob: upload }),
    ...(download && { DownloadBlob: download })
  })
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure()
    server.bindAsync('127.0.0.1:0', credentials, (error, found) => (error ? reject(error) : resolve(found)))
  })
  context.after(() => server.forceShutdown())
  return `grpc://127.0.0.1:${port}`
}
