/** Requests of the Connect protocol. Source: connectrpc.com, "Connect Protocol Reference". */
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods, serviceName } from '../../src/schema/methods.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import type { ConnectStreamContext } from './connect-stream.ts'
import { handleDownloadStream } from './download-stream.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { handleSession } from './session.ts'
import { handleUnary } from './unary.ts'
import { handleUploadStream } from './upload-stream.ts'
import { handleWatchStream } from './watch-stream.ts'

type StreamHandler = (exchange: Exchange, context: ConnectStreamContext) => Promise<void>

/** A method by the name in its path, and the handler of its stream; unary methods have none. */
interface Route {
  readonly method: Method
  readonly handleStream: StreamHandler | undefined
}

const streamHandlers = new Map<Method, StreamHandler>([
  [methods.session as Method, handleSession],
  [methods.uploadBlob as Method, handleUploadStream],
  [methods.downloadBlob as Method, handleDownloadStream],
  [methods.watchRefs as Method, handleWatchStream]
])
const routes = new Map<string, Route>(
  Object.values(methods).map((method) => [method.name, { method, handleStream: streamHandlers.get(method as Method) }])
)

/** A content type: its codec, for one message or for a stream of envelopes. */
interface MessageType {
  readonly codec: Codec
  readonly isStream: boolean
}

const codecs: readonly Codec[] = [jsonCodec, msgpackCodec, protobufCodec]
const messageTypes = new Map<string, MessageType>([
  ...codecs.map((codec) => [codec.contentType, { codec, isStream: false }] as const),
  ...codecs.map((codec) => [`application/connect+${codec.name}`, { codec, isStream: true }] as const)
])
const acceptPost = [...messageTypes.keys()].join(', ')

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
  const message = messageTypes.get(type.toLowerCase())
  if (message === undefined) {
    exchange.respond(415, { 'accept-post': acceptPost, 'x-request-id': requestId })
    return
  }
  const { codec, isStream } = message
  const route = routes.get(exchange.path.slice(serviceName.length + 2).split('?', 1)[0] ?? '')
  try {
    if (isStream && route?.handleStream) {
      return await route.handleStream(exchange, { ...dependencies, codec, requestId })
    }
    await handleUnary(exchange, {
      ...dependencies,
      codec: isStream ? undefined : codec,
      requestId,
      method: route?.method
    })
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  }
}
