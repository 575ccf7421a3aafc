/** Health checks and reflection on the HTTP port, over Connect, gRPC and gRPC-Web. */
import type { Writable } from 'node:stream'
import { encodeEnvelope } from '../../src/codec/envelope.ts'
import { parseJson } from '../../src/codec/json.ts'
import { malformed } from '../../src/codec/malformed.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { StandardMethod } from '../grpc/standard-services.ts'
import { respondError } from '../http/errors.ts'
import { type Exchange, headerOf, respondAllow } from '../http/exchange.ts'
import {
  failedEnd,
  type MessageStreamContext,
  readMessages,
  readRequest,
  respondFailed,
  respondWhole,
  streamHeaders
} from '../http/message-stream.ts'
import { readBody } from '../http/request-body.ts'
import { serveStream } from '../http/rpc-routes.ts'
import { connectStreams } from '../http/stream-protocol.ts'
import { type HandlerDependencies, maxAnonymousBytes } from '../listener.ts'
import { Charge } from '../memory-budget.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { Output } from '../transfers/output.ts'
import { openTransfer } from '../transfers/transfer.ts'
import { grpcTypeOf } from './protocols.ts'
import { callStandard, StandardStream } from './standard-call.ts'
import { textExchange } from './text-exchange.ts'

/** Bytes that wait for a client that does not read; with more, nothing more is read from it. */
const maxUnsentBytes = 64 * 1024
const health = '/grpc.health.v1.Health/'

/** A message as bytes and as the object of a handler. */
interface Format {
  readonly name: 'proto' | 'json'
  encode(message: object): Uint8Array
  decode(bytes: Uint8Array): object
}

function protobuf({ definition }: StandardMethod): Format {
  return {
    name: 'proto',
    encode: (message) => definition.responseSerialize(message),
    decode(bytes) {
      try {
        return definition.requestDeserialize(Buffer.from(bytes))
      } catch (cause) {
        throw malformed('the message is not valid protobuf', cause)
      }
    }
  }
}

/** The messages of health checks, whose objects are their JSON; those of reflection have bytes. */
const json: Format = {
  name: 'json',
  encode: (message) => Buffer.from(JSON.stringify(message)),
  decode(bytes) {
    const { service = '' } = (bytes.length === 0 ? {} : parseJson(bytes)) as { readonly service?: unknown }
    if (typeof service !== 'string') throw invalidArgument('service', 'must be a string')
    return { service }
  }
}

/** A call, in its format. */
interface Context extends Omit<MessageStreamContext, 'codec' | 'service'> {
  readonly codec: Format
  readonly method: StandardMethod
  readonly service: { readonly limits: { readonly maxBatchBytes: number; readonly chunkBytes: number } }
}

/** Nobody knows the callers, so that their messages have little room. */
const service = { limits: { maxBatchBytes: maxAnonymousBytes, chunkBytes: maxAnonymousBytes } }

/** Answers one request. */
export async function handleStandard(
  exchange: Exchange,
  method: StandardMethod,
  dependencies: HandlerDependencies
): Promise<void> {
  const { record } = exchange
  const { requestId } = record
  const { path, requestStream, responseStream } = method.definition
  record.method = path.startsWith(health) ? 'Health' : 'Reflection'
  const [type = ''] = (headerOf(exchange, 'content-type') ?? '').toLowerCase().split(';', 1)
  const grpc = grpcTypeOf(exchange)
  const isUnary = !requestStream && !responseStream
  const prefix = isUnary ? 'application/' : 'application/connect+'
  const isJson = grpc?.codec.name === 'json' || type.trim() === `${prefix}json`
  const isHere = grpc || type.trim() === `${prefix}proto` || isJson
  if (exchange.method !== 'POST') return respondAllow(exchange, { allow: 'POST, OPTIONS', 'x-request-id': requestId })
  if (!isHere || (isJson && !path.startsWith(health))) {
    return exchange.respond(415, { 'accept-post': `${prefix}proto`, 'x-request-id': requestId })
  }
  const codec = isJson ? json : protobuf(method)
  const protocol = grpc?.protocol ?? connectStreams
  const context: Context = { ...dependencies, protocol, codec, requestId, method, service }
  if (isUnary && !grpc) return answerConnect(exchange, context)
  const binary = grpc?.isText ? textExchange(exchange) : exchange
  try {
    await (isUnary ? answerUnary(binary, context) : serveStream(binary, answerStream, context))
  } catch (error) {
    respondFailed(binary, context, error)
  }
}

async function answerConnect(exchange: Exchange, context: Context): Promise<void> {
  const { codec, method, memory, bodyTimeoutMs: timeoutMs, requestId } = context
  const charge = new Charge(memory.of(exchange.connection))
  try {
    const body = await readBody(exchange, { maxBytes: maxAnonymousBytes, timeoutMs, charge })
    const bytes = codec.encode(await callStandard(method, codec.decode(body)))
    const headers = { 'content-type': `application/${codec.name}`, 'content-length': String(bytes.length) }
    exchange.respond(200, { ...headers, 'x-request-id': requestId }, bytes)
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  } finally {
    charge.release()
  }
}

/** The one message of a request. */
async function readOnly(exchange: Exchange, context: Context): Promise<object> {
  const transfer = openTransfer(context, exchange, context.bodyTimeoutMs)
  try {
    return await readRequest(exchange, { decode: context.codec.decode, context, transfer })
  } finally {
    transfer.end()
  }
}

async function answerUnary(exchange: Exchange, context: Context): Promise<void> {
  const { codec, method, protocol } = context
  const answer = codec.encode(await callStandard(method, await readOnly(exchange, context)))
  respondWhole(exchange, context, [encodeEnvelope(0, answer), protocol.end(exchange, undefined)])
}

/** A stream ends with its client's, with the time that its client tells, or with the server. */
async function answerStream(exchange: Exchange, context: Context): Promise<void> {
  const { definition } = context.method
  exchange.record.lasts()
  if (definition.requestStream) return converse(exchange, context)
  const request = await readOnly(exchange, context)
  const output = exchange.stream(200, streamHeaders(context), context.protocol.trailers)
  if (output) await watch(exchange, output, { ...context, request })
}

/** A handler that tells until it is cancelled. */
function watch(exchange: Exchange, output: Writable, context: Context & { readonly request: object }): Promise<void> {
  const { codec, method, draining, deadline, protocol, request } = context
  return new Promise((resolve) => {
    const write = (message: object) => {
      if (!output.writableEnded) output.write(encodeEnvelope(0, codec.encode(message)))
    }
    const stream = new StandardStream(request, { write, end: () => undefined }).start(method)
    const over = () => {
      draining.removeEventListener('abort', onDraining)
      stream.emit('cancelled')
      resolve()
    }
    const end = (error: BlobwireError) => void output.end(failedEnd(exchange, { protocol }, error))
    const onDraining = () => end(new BlobwireError({ code: 'unavailable', message: 'the server is shutting down' }))
    output.once('close', over).on('error', () => undefined)
    deadline?.addEventListener('abort', () => end(deadline.reason))
    if (draining.aborted) onDraining()
    else draining.addEventListener('abort', onDraining)
  })
}

/** A handler that answers each message. */
async function converse(exchange: Exchange, context: Context): Promise<void> {
  const { codec, method, protocol, idleTimeoutMs } = context
  const transfer = openTransfer(context, exchange, idleTimeoutMs)
  let output: Output<Uint8Array> | undefined
  const open = () => {
    if (output) return output
    const stream = exchange.stream(200, streamHeaders(context), protocol.trailers)
    output = stream && new Output(stream, transfer, maxUnsentBytes)
    return output
  }
  const write = (message: object) => {
    const bytes = encodeEnvelope(0, codec.encode(message))
    open()?.write(bytes, bytes.length)
  }
  const stream = new StandardStream(undefined, { write, end: () => undefined }).start(method)
  const take = (message: object) => {
    stream.emit('data', message)
    const room = output?.room()
    // Until then the transfer waits for the client, and not for the handler, which `consume` takes for a store.
    if (room) queueMicrotask(() => transfer.free())
    return room
  }
  try {
    await readMessages(exchange, { decode: codec.decode, context, transfer, take })
    await open()?.end(protocol.end(exchange, undefined))
  } catch (error) {
    if (output === undefined) throw error
    await output.end(failedEnd(exchange, context, error))
  } finally {
    transfer.end()
  }
}
