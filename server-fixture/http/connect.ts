/** The unary form of the Connect protocol. Source: connectrpc.com, "Connect Protocol Reference". */
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { gzip } from '../../src/compression/gzip.ts'
import { looksCompressible } from '../../src/compression/sample.ts'
import { httpStatusFromCode } from '../../src/core/code.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Init, MessageName, Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods, serviceName } from '../../src/schema/methods.ts'
import type { Authenticator } from '../auth.ts'
import type { DoorParts } from '../door.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { connectErrorObject } from './connect-error.ts'
import { acceptsGzip, type Exchange, headerOf } from './exchange.ts'
import { readBody } from './request-body.ts'
import { handleSession } from './session.ts'

/** Answers below this stay as they are. */
const gzipThresholdBytes = 1024

const byName = new Map(Object.values(methods).map((method) => [method.name, method as Method]))
const codecs = new Map<string, Codec>([jsonCodec, msgpackCodec].map((codec) => [codec.contentType, codec]))
const streaming = new Map<string, Codec | undefined>([
  ['application/connect+json', jsonCodec],
  ['application/connect+msgpack', msgpackCodec],
  ['application/connect+proto', undefined]
])

/** Whether the path is one of the service's. */
export function isConnectPath(path: string): boolean {
  return path.startsWith(`/${serviceName}/`)
}

function codecOf(exchange: Exchange): Codec | undefined {
  const type = (headerOf(exchange, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return codecs.get(type)
}

function timeoutOf(exchange: Exchange): number | undefined {
  const text = headerOf(exchange, 'connect-timeout-ms')
  if (text === undefined) return undefined
  if (!/^\d{1,10}$/.test(text)) throw invalidArgument('connect-timeout-ms', 'must be at most ten digits')
  return Number(text)
}

function methodOf(exchange: Exchange): Method | undefined {
  return byName.get(exchange.path.slice(serviceName.length + 2).split('?', 1)[0] ?? '')
}

/** What requests are answered with. */
export interface Ground {
  readonly parts: DoorParts
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
}

/** Answers one request below `/blobwire.v1.VcsService/`. */
export async function handleConnect(exchange: Exchange, requestId: string, ground: Ground): Promise<void> {
  const { parts, draining } = ground
  const type = (headerOf(exchange, 'content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
  if (exchange.method !== 'POST') {
    exchange.stopReading()
    exchange.respond(405, { allow: 'POST', 'x-request-id': requestId })
    return
  }
  const codec = codecOf(exchange)
  if (codec === undefined && !streaming.has(type)) {
    exchange.stopReading()
    exchange.respond(415, { 'accept-post': [...codecs.keys()].join(', '), 'x-request-id': requestId })
    return
  }
  try {
    const streamed = streaming.get(type)
    if (streamed !== undefined && methodOf(exchange) === methods.session) {
      return await handleSession(exchange, { codec: streamed, requestId, parts, draining })
    }
    const response = await answer(exchange, { codec, requestId, parts })
    await respond(exchange, { codec: codec as Codec, requestId, response })
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  }
}

interface Incoming {
  readonly codec: Codec | undefined
  readonly requestId: string
  readonly parts: DoorParts
}

interface Answer {
  readonly method: Method
  readonly message: object
}

async function answer(exchange: Exchange, { codec, requestId, parts }: Incoming): Promise<Answer> {
  const { service, authenticator, bodyTimeoutMs } = parts
  const method = methodOf(exchange)
  if (method === undefined || method.kind !== 'unary' || codec === undefined) {
    exchange.stopReading()
    const message = `${exchange.path.slice(1, 200)} is not served ${codec ? 'here' : 'as a stream'}`
    throw new BlobwireError({ code: 'unimplemented', message })
  }
  const version = headerOf(exchange, 'connect-protocol-version')
  if (version !== undefined && version !== '1') throw invalidArgument('connect-protocol-version', 'must be 1')
  const timeoutMs = timeoutOf(exchange)
  // Who may not call is told so before the body is read.
  const open = method === methods.getCapabilities
  const principal = authenticateFirst(exchange, authenticator, open)
  const began = performance.now()
  const bodyMs = Math.min(timeoutMs ?? bodyTimeoutMs, bodyTimeoutMs)
  const body = await readBody(exchange, { maxBytes: service.limits.maxBatchBytes, timeoutMs: bodyMs })
  const request = codec.decode(method.request, body.length === 0 && codec === jsonCodec ? Buffer.from('{}') : body)
  const gone = new AbortController()
  exchange.onAbandoned(() => gone.abort())
  const call = service.call(method.name, request, { principal, signal: gone.signal, requestId })
  const leftMs = timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (performance.now() - began))
  return { method, message: await within(leftMs, call, gone) }
}

function authenticateFirst(exchange: Exchange, authenticator: Authenticator, open: boolean) {
  if (open) return { may: () => true }
  try {
    return authenticator.authenticate(headerOf(exchange, 'authorization'))
  } catch (error) {
    exchange.stopReading()
    throw error
  }
}

/** The deadline the client gave. What has begun goes on to its end; it is safe to repeat. */
async function within<T>(timeoutMs: number | undefined, call: Promise<T>, gone: AbortController): Promise<T> {
  if (timeoutMs === undefined) return call
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new BlobwireError({ code: 'deadline_exceeded', message: `not done in time` }))
      gone.abort()
    }, timeoutMs)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}

interface Outgoing {
  readonly codec: Codec
  readonly requestId: string
  readonly response: Answer
}

async function respond(exchange: Exchange, { codec, requestId, response }: Outgoing): Promise<void> {
  let body = codec.encode(response.method.response, response.message as Init<Messages[MessageName]>)
  const headers: Record<string, string> = { 'content-type': codec.contentType, 'x-request-id': requestId }
  const accepts = acceptsGzip(headerOf(exchange, 'accept-encoding') ?? '')
  if (accepts && body.length >= gzipThresholdBytes && looksCompressible(body)) {
    body = await gzip(body)
    headers['content-encoding'] = 'gzip'
  }
  exchange.respond(200, { ...headers, 'content-length': String(body.length) }, body)
}

/** Sends Connect's JSON error object, whatever the codec. */
export function respondError(exchange: Exchange, requestId: string, error: BlobwireError): void {
  const body = Buffer.from(JSON.stringify(connectErrorObject(error, requestId)))
  exchange.respond(
    httpStatusFromCode[error.code],
    { 'content-type': 'application/json', 'content-length': String(body.length), 'x-request-id': requestId },
    body
  )
}
