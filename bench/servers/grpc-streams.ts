/** Streams of a grpc-js server with its defaults. */
import { once } from 'node:events'
import {
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData
} from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { beginBlob, contentChunks } from '../contenders/stream-content.ts'
import { announce } from './blob-map.ts'

interface Chunk {
  readonly size?: string
  readonly chunk: Buffer
}

function take(call: ServerReadableStream<Chunk, object>, callback: sendUnaryData<object>): void {
  let hash: ReturnType<typeof beginBlob> | undefined
  call.on('data', ({ size, chunk }: Chunk) => {
    hash ??= beginBlob(Number(size))
    hash.update(chunk)
  })
  call.on('end', () => callback(null, { oid: hash?.digest('hex') }))
}

async function give(call: ServerWritableStream<{ length: string }, object>): Promise<void> {
  const size = Number(call.request.length)
  const hash = beginBlob(size)
  for (const chunk of contentChunks(size, 64 * 1024)) {
    hash.update(chunk)
    if (!call.write({ chunk })) await once(call, 'drain')
  }
  call.end()
}

const server = new Server()
const { UploadBlob, DownloadBlob } = loadProto()[serviceName] as ServiceDefinition
server.addService({ UploadBlob, DownloadBlob } as ServiceDefinition, { UploadBlob: take, DownloadBlob: give } as never)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  announce(port)
})
