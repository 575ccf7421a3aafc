/** Requests of the Connect protocol. Source: connectrpc.com, "Connect Protocol Reference". */
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods, serviceName } from '../../src/schema/methods.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { handleDownloadStream } from './download-stream.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { handleSession } from './session.ts'
import { handleUnary } from './unary.ts'
import { handleUploadStream } from './upload-stream.ts'
import { handleWatchStream } from './watch-stream.ts'

const byName = new Map(Object.values(methods).map((method) => [method.name, method as Method]))
const codecs = new Map<string, Codec>([jsonCodec, msgpackCodec].map((codec) => [codec.contentType, codec]))
const streamCodecs = new Map<string, Codec | undefined>([
  ['application/connect+json', jsonCodec],
  ['application/connect+msgpack', msgpackCodec],
  ['application/connect+proto', undefined]
])

/** Whether the path belongs to the service. */
export function isConnectPath(path: string): boolean {
  return path.startsWith(`/${serviceName}/`)
}

/** Answers one request below `/blobwire.v1.VcsService/`. */
export async function handleConnect(
  exchange: Exchange,
  requestId: string,
  dependencies: HandlerDependencies
): Promise<void> {
  if (exchange.method !== 'POST') {
    exchange.respond(405, { allow: 'POST', 'x-request-id': requestId })
    return
  }
  const type = (headerOf(exchange, 'content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
  const codec = codecs.get(type.toLowerCase())
  if (codec === undefined && !streamCodecs.has(type)) {
    exchange.respond(415, { 'accept-post': [...codecs.keys()].join(', '), 'x-request-id': requestId })
    return
  }
  const method = byName.get(exchange.path.slice(serviceName.length + 2).split('?', 1)[0] ?? '')
  const streamCodec = streamCodecs.get(type)
  try {
    if (streamCodec !== undefined && method === methods.session) {
      return await handleSession(exchange, { ...dependencies, codec: streamCodec, requestId })
    }
    if (streamCodec !== undefined && method === methods.uploadBlob) {
      return await handleUploadStream(exchange, { ...dependencies, codec: streamCodec, requestId })
    }
    if (streamCodec !== undefined && method === methods.downloadBlob) {
      return await handleDownloadStream(exchange, { ...dependencies, codec: streamCodec, requestId })
    }
    if (streamCodec !== undefined && method === methods.watchRefs) {
      return await handleWatchStream(exchange, { ...dependencies, codec: streamCodec, requestId })
    }
    await handleUnary(exchange, { ...dependencies, codec, requestId, method })
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  }
}
