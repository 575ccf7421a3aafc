/** Requests of the Connect protocol. Source: connectrpc.com, "Connect Protocol Reference". */
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import { grpcTypes } from '../grpc-http/protocols.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { handleConnectGet } from './connect-get.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf, respondAllow } from './exchange.ts'
import { type RpcRoute, rpcOf, serveStream } from './rpc-routes.ts'
import { connectStreams } from './stream-protocol.ts'
import { handleUnary } from './unary.ts'

const codecs = new Map<string, Codec>([jsonCodec, msgpackCodec, protobufCodec].map((codec) => [codec.name, codec]))
/** By content type. */
const unaryCodecs = new Map(Array.from(codecs.values(), (codec) => [codec.contentType, codec]))
const streamCodecs = new Map(Array.from(codecs, ([name, codec]) => [`application/connect+${name}`, codec]))

/** The methods of HTTP and the content types that a path takes. */
function acceptedBy(route: RpcRoute | undefined): { readonly allow: string; readonly 'accept-post': string } {
  const types = route?.handleStream ? streamCodecs : unaryCodecs
  return {
    allow: isReadByGet(route) ? 'GET, HEAD, POST, OPTIONS' : 'POST, OPTIONS',
    'accept-post': [...types.keys(), ...grpcTypes].join(', ')
  }
}

const isReadByGet = (route: RpcRoute | undefined): route is RpcRoute =>
  route?.method.kind === 'unary' && route.method.readOnly

/** Answers one request below `/blobwire.v1.VcsService/`. */
export async function handleConnect(exchange: Exchange, dependencies: HandlerDependencies): Promise<void> {
  const route = rpcOf(exchange)
  const { method, record } = exchange
  const { requestId } = record
  try {
    if (method === 'POST') await handlePost(exchange, route, dependencies)
    else if ((method === 'GET' || method === 'HEAD') && isReadByGet(route)) {
      await handleConnectGet(exchange, { ...dependencies, codecs, method: route.method, requestId })
    } else respondAllow(exchange, { ...acceptedBy(route), 'x-request-id': requestId })
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  }
}

/** Not async: a promise more for each call. */
function handlePost(
  exchange: Exchange,
  route: RpcRoute | undefined,
  dependencies: HandlerDependencies
): Promise<void> | undefined {
  const { requestId } = exchange.record
  const method = route?.method
  const type = (headerOf(exchange, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const codec = unaryCodecs.get(type)
  if (codec) return handleUnary(exchange, { ...dependencies, codec, requestId, method })
  const streamCodec = streamCodecs.get(type)
  if (streamCodec === undefined) {
    const { 'accept-post': accepted } = acceptedBy(route)
    exchange.respond(415, { 'accept-post': accepted, 'x-request-id': requestId })
    return undefined
  }
  const handle = route?.handleStream
  if (handle === undefined) return handleUnary(exchange, { ...dependencies, codec: undefined, requestId, method })
  return serveStream(exchange, handle, { ...dependencies, protocol: connectStreams, codec: streamCodec, requestId })
}
