/** The paths of the HTTP server. */
import { jsonCodec } from '../../src/codec/json.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { HandlerDependencies } from '../listener.ts'
import { requestIdOf } from '../service/context.ts'
import { addressOf } from './addresses.ts'
import { handleBlob } from './blob-route.ts'
import { handleConnect, isConnectPath } from './connect.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { handleUpload } from './upload-route.ts'

function sendJson(exchange: Exchange, status: number, body: Uint8Array): void {
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  exchange.respond(status, headers, exchange.method === 'HEAD' ? undefined : body)
}

/** Answers one request. */
export async function route(exchange: Exchange, dependencies: HandlerDependencies): Promise<void> {
  const { service, draining } = dependencies
  const requestId = requestIdOf(headerOf(exchange, 'x-request-id'))
  const path = exchange.path.split('?', 1)[0] ?? ''
  if (isConnectPath(path)) return handleConnect(exchange, requestId, dependencies)
  const address = addressOf(path)
  if (address?.kind === 'blob' || address?.kind === 'file') {
    return handleBlob(exchange, address, { ...dependencies, requestId })
  }
  if (address) return handleUpload(exchange, address, { ...dependencies, requestId })
  const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
  if (isRead && path === '/healthz') {
    const status = draining.aborted ? 'NOT_SERVING' : 'SERVING'
    return sendJson(exchange, draining.aborted ? 503 : 200, Buffer.from(JSON.stringify({ status })))
  }
  if (isRead && path === '/.well-known/blobwire') {
    return sendJson(exchange, 200, jsonCodec.encode('GetCapabilitiesResponse', service.capabilities()))
  }
  const message = `unknown path ${JSON.stringify(path.slice(0, 200))}`
  const error = new BlobwireError({ code: 'unimplemented', message })
  respondError(
    { ...exchange, respond: (_status, headers, body) => exchange.respond(404, headers, body) },
    requestId,
    error
  )
}
