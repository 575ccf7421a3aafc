/** Requests of the Connect protocol. Source: connectrpc.com, "Connect Protocol Reference". */
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import { grpcTypes } from '../grpc-http/protocols.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf, respondAllow } from './exchange.ts'
import { rpcOf, serveStream } from './rpc-routes.ts'
import { connectStreams } from './stream-protocol.ts'
import { handleUnary } from './unary.ts'

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
const acceptPost = [...messageTypes.keys(), ...grpcTypes].join(', ')

/** Answers one request below `/blobwire.v1.VcsService/`. */
export async function handleConnect(
  exchange: Exchange,
  requestId: string,
  dependencies: HandlerDependencies
): Promise<void> {
  if (exchange.method !== 'POST') {
    respondAllow(exchange, { allow: 'POST, OPTIONS', 'accept-post': acceptPost, 'x-request-id': requestId })
    return
  }
  const type = (headerOf(exchange, 'content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
  const message = messageTypes.get(type.toLowerCase())
  if (message === undefined) {
    exchange.respond(415, { 'accept-post': acceptPost, 'x-request-id': requestId })
    return
  }
  const { codec, isStream } = message
  const route = rpcOf(exchange)
  try {
    if (isStream && route?.handleStream) {
      const context = { ...dependencies, protocol: connectStreams, codec, requestId }
      return await serveStream(exchange, route.handleStream, context)
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
