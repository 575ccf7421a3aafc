/** Unary calls of the Connect protocol. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { acceptedEncodings, compress, compressorFor, compressorsIn } from '../../src/compression/compression.ts'
import { looksCompressible } from '../../src/compression/sample.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Init, MessageName, Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { decodeTurns } from '../decode-turns.ts'
import { type HandlerDependencies, maxRequestBytes } from '../listener.ts'
import { Charge } from '../memory-budget.ts'
import type { Principal } from '../service/context.ts'
import { isUnmodified } from './byte-range.ts'
import { callWithin } from './call-within.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { authenticate } from './record.ts'
import { type BodyLimits, readBody } from './request-body.ts'
import { isOnSameMachine } from './same-machine.ts'
import { connectTimeoutMs } from './stream-protocol.ts'

/** Smaller answers are not compressed. */
const compressionThresholdBytes = 1024

/** The context of a unary call. */
export interface UnaryContext extends HandlerDependencies {
  readonly requestId: string
  /** Undefined for the content type of a stream. */
  readonly codec: Codec | undefined
  /** Undefined for an unknown path. */
  readonly method: Method | undefined
  /**
   * Reads the message of the request.
   * @default the body
   */
  readonly readMessage?: (limits: BodyLimits) => Uint8Array | Promise<Uint8Array>
  /** The headers of an answer that caches may keep, with its tag. */
  readonly cachingOf?: (request: object, response: object, encoded: Uint8Array) => OutgoingHttpHeaders
}

/** Answers one unary call. @throws BlobwireError before anything is sent */
export async function handleUnary(exchange: Exchange, context: UnaryContext): Promise<void> {
  const { codec, method } = context
  if (method === undefined || method.kind !== 'unary' || codec === undefined) {
    const message = `${exchange.path.slice(1, 200)} is not a ${codec ? 'unary' : 'streaming'} method of this service`
    throw new BlobwireError({ code: 'unimplemented', message })
  }
  const version = headerOf(exchange, 'connect-protocol-version')
  if (version !== undefined && version !== '1') throw invalidArgument('connect-protocol-version', 'must be 1')
  exchange.record.method = method.name
  const timeoutMs = connectTimeoutMs(exchange)
  // Callers without a token are refused before the body is read.
  const principal = authenticate(exchange, method.name, context)
  const charge = new Charge(context.memory.of(exchange.connection))
  try {
    await answer(exchange, { ...context, method, codec, principal, timeoutMs, charge })
  } finally {
    charge.release()
  }
}

/** A call of a caller who is known. */
interface AdmittedCall extends UnaryContext {
  readonly method: Method
  readonly codec: Codec
  readonly principal: Principal
  readonly timeoutMs: number | undefined
  readonly charge: Charge
}

async function answer(exchange: Exchange, context: AdmittedCall): Promise<void> {
  const { service, codec, method, requestId, principal, timeoutMs, charge, readMessage, cachingOf } = context
  const began = performance.now()
  const bodyMs = Math.min(timeoutMs ?? context.bodyTimeoutMs, context.bodyTimeoutMs)
  const maxBytes = maxRequestBytes(method, service.limits)
  const limits = { maxBytes, timeoutMs: bodyMs, charge }
  const body = await (readMessage ? readMessage(limits) : readBody(exchange, limits))
  const message = body.length === 0 && codec === jsonCodec ? Buffer.from('{}') : body
  const decoded = decodeTurns.decode(codec.decode, method.request, message)
  const request = decoded instanceof Promise ? await decoded : decoded
  const deadlineMs = began + (timeoutMs ?? context.callTimeoutMs)
  const response = await callWithin(exchange, request, { service, method, principal, requestId, deadlineMs })
  exchange.record.answered(request, response)
  const encoded = codec.encode(method.response, response as Init<Messages[MessageName]>)
  // W3C "Server Timing": from the arrival of the request to its encoded answer.
  const timing = `total;dur=${(performance.now() - began).toFixed(2)}`
  const headers = { 'content-type': codec.contentType, 'x-request-id': requestId, 'server-timing': timing }
  await respond(exchange, encoded, cachingOf ? { ...headers, ...cachingOf(request, response, encoded) } : headers)
}

async function respond(exchange: Exchange, encoded: Uint8Array, headers: OutgoingHttpHeaders): Promise<void> {
  const { etag } = headers
  if (etag !== undefined && isUnmodified(exchange, etag.replace('W/', ''))) {
    const { 'content-type': _, ...others } = headers
    exchange.respond(304, others)
    return
  }
  const isLocal = isOnSameMachine(exchange)
  const accepted = isLocal ? [] : compressorsIn(headerOf(exchange, 'accept-encoding') ?? '')
  const pays = encoded.length >= compressionThresholdBytes && accepted.length > 0 && looksCompressible(encoded)
  const compressor = pays ? compressorFor(encoded.length, accepted) : undefined
  const body = compressor ? await compress(compressor, encoded) : encoded
  const encoding = compressor ? { 'content-encoding': compressor } : {}
  const all = {
    ...headers,
    ...encoding,
    'accept-encoding': isLocal ? 'identity' : acceptedEncodings,
    'content-length': String(body.length)
  }
  exchange.record.sent(body.length, encoded.length)
  exchange.respond(200, all, body)
}
