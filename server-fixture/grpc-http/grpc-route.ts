/** Requests of gRPC and gRPC-Web on the HTTP server. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Exchange } from '../http/exchange.ts'
import { type MessageStreamContext, respondFailed } from '../http/message-stream.ts'
import { isRpcPath, rpcOf, serveStream } from '../http/rpc-routes.ts'
import type { HandlerDependencies } from '../listener.ts'
import type { GrpcType } from './protocols.ts'
import { textExchange } from './text-exchange.ts'
import { handleGrpcUnary } from './unary.ts'

/** Answers one request of a content type of gRPC, whatever its path. */
export async function handleGrpc(
  exchange: Exchange,
  { protocol, codec, isText }: GrpcType,
  dependencies: HandlerDependencies
): Promise<void> {
  const { requestId } = exchange.record
  if (exchange.method !== 'POST') {
    exchange.respond(405, { allow: 'POST', 'x-request-id': requestId })
    return
  }
  const context = { ...dependencies, protocol, codec, requestId }
  const binary = isText ? textExchange(exchange) : exchange
  try {
    await answer(binary, context)
  } catch (error) {
    respondFailed(binary, context, error)
  }
}

async function answer(exchange: Exchange, context: MessageStreamContext): Promise<void> {
  const route = isRpcPath(exchange.path) ? rpcOf(exchange) : undefined
  if (route === undefined) {
    const message = `unknown method ${JSON.stringify(exchange.path.slice(0, 200))}`
    throw new BlobwireError({ code: 'unimplemented', message })
  }
  const { method, handleStream } = route
  if (handleStream) return serveStream(exchange, handleStream, context)
  return handleGrpcUnary(exchange, { ...context, method })
}
