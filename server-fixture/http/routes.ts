import { randomUUID } from 'node:crypto'
import { jsonCodec } from '../../src/codec/json.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { DoorParts } from '../door.ts'
import { blobAddress, handleBlob } from './blob-route.ts'
import { handleConnect, isConnectPath, respondError } from './connect.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** The caller's own id where it is harmless to log, else a new one. */
function requestIdOf(exchange: Exchange): string {
  const id = headerOf(exchange, 'x-request-id')
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : randomUUID()
}

function sendJson(exchange: Exchange, status: number, body: Uint8Array): void {
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  exchange.respond(status, headers, exchange.method === 'HEAD' ? undefined : body)
}

/** Answers one request of the HTTP door. */
export async function route(exchange: Exchange, parts: DoorParts, draining: AbortSignal): Promise<void> {
  const requestId = requestIdOf(exchange)
  const path = exchange.path.split('?', 1)[0] ?? ''
  if (isConnectPath(path)) return handleConnect(exchange, requestId, { parts, draining })
  if (blobAddress(path)) return handleBlob(exchange, requestId, parts)
  exchange.stopReading()
  const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
  if (isRead && path === '/healthz') {
    const status = draining.aborted ? 'NOT_SERVING' : 'SERVING'
    return sendJson(exchange, draining.aborted ? 503 : 200, Buffer.from(JSON.stringify({ status })))
  }
  if (isRead && path === '/.well-known/blobwire') {
    const capabilities = parts.service.capabilities()
    return sendJson(exchange, 200, jsonCodec.encode('GetCapabilitiesResponse', capabilities))
  }
  const message = `there is nothing at ${JSON.stringify(path.slice(0, 200))}`
  const error = new BlobwireError({ code: 'unimplemented', message })
  respondError(
    { ...exchange, respond: (_status, headers, body) => exchange.respond(404, headers, body) },
    requestId,
    error
  )
}
