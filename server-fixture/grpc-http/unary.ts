/** Unary calls of gRPC and gRPC-Web: a message in its envelope in each direction. */
import {
  compressedFlag,
  encodeEnvelope,
  envelopeHeaderBytes,
  payloadBytes,
  payloadOf
} from '../../src/codec/envelope.ts'
import { compress, compressorFor, compressorsIn } from '../../src/compression/compression.ts'
import { piecesLookCompressible } from '../../src/compression/sample.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { MessageName, Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { decodeTurns } from '../decode-turns.ts'
import { callWithin } from '../http/call-within.ts'
import { type Exchange, headerOf } from '../http/exchange.ts'
import { encodingOf, type MessageStreamContext, messagePieces, streamHeaders } from '../http/message-stream.ts'
import { authenticate } from '../http/record.ts'
import { collectBody } from '../http/request-body.ts'
import { isOnSameMachine } from '../http/same-machine.ts'
import { inflate } from '../inflate.ts'
import { maxRequestBytes } from '../listener.ts'
import { Charge } from '../memory-budget.ts'
import { limitExceeded } from '../service/errors.ts'

/** Smaller answers are not compressed. */
const compressionThresholdBytes = 1024

/** The context of a unary call. */
export interface GrpcUnaryContext extends MessageStreamContext {
  readonly method: Method
}

/** Answers one call. @throws BlobwireError before anything is sent */
export async function handleGrpcUnary(exchange: Exchange, context: GrpcUnaryContext): Promise<void> {
  const { service, method, requestId, codec, protocol } = context
  exchange.record.method = method.name
  const began = performance.now()
  const timeoutMs = protocol.timeoutMs(exchange)
  // Callers without a token are refused before the body is read.
  const principal = authenticate(exchange, method.name, context)
  const charge = new Charge(context.memory.of(exchange.connection))
  try {
    const message = await readMessage(exchange, { ...context, charge, timeoutMs })
    const decoded = decodeTurns.decode(codec.decode, method.request, message)
    const request = decoded instanceof Promise ? await decoded : decoded
    const deadlineMs = began + (timeoutMs ?? context.callTimeoutMs)
    const response = await callWithin(exchange, request, { service, method, principal, requestId, deadlineMs })
    exchange.record.answered(request, response)
    await respond(exchange, messagePieces(codec, method.response, response as Messages[MessageName]), context)
  } finally {
    charge.release()
  }
}

interface Reading extends GrpcUnaryContext {
  readonly charge: Charge
  readonly timeoutMs: number | undefined
}

const lengthIn = (envelope: Uint8Array) => new DataView(envelope.buffer, envelope.byteOffset).getUint32(1)

/** The one message of a request, decompressed. @throws BlobwireError as `collectBody` and `inflate` */
async function readMessage(exchange: Exchange, reading: Reading): Promise<Uint8Array> {
  const { service, protocol, method, charge, bodyTimeoutMs, timeoutMs = bodyTimeoutMs } = reading
  const encoding = encodingOf(exchange, protocol)
  const maxBytes = maxRequestBytes(method, service.limits)
  // At once: of many messages that come together, those that are complete first would have no room to the end.
  const expectedBytes = (first: Uint8Array) => {
    if (first.length < envelopeHeaderBytes) return 0
    const length = lengthIn(first)
    if (length > maxBytes) throw limitExceeded('max_batch_bytes', maxBytes, length)
    return envelopeHeaderBytes + length
  }
  const body = await collectBody(exchange, {
    maxBytes: maxBytes + envelopeHeaderBytes,
    timeoutMs: Math.min(timeoutMs, bodyTimeoutMs),
    charge,
    expectedBytes
  })
  const [flags = 0] = body
  const payload = body.subarray(envelopeHeaderBytes)
  if (body.length < envelopeHeaderBytes || payload.length < lengthIn(body)) {
    throw invalidArgument('request', 'must be a whole message in its envelope')
  }
  if (payload.length > lengthIn(body)) {
    throw new BlobwireError({ code: 'unimplemented', message: 'one message is expected' })
  }
  if ((flags & ~compressedFlag) !== 0) throw invalidArgument('request', `must not have the unknown flags ${flags}`)
  const { record } = exchange
  if (flags === 0) {
    record.received(payload.length, payload.length)
    return payload
  }
  if (encoding === undefined) {
    // gRPC, "Compression".
    throw new BlobwireError({ code: 'internal', message: 'a compressed message requires grpc-encoding' })
  }
  const message = await inflate(payload, { encoding, maxBytes, charge })
  record.received(payload.length, message.length)
  return message
}

async function respond(
  exchange: Exchange,
  pieces: readonly Uint8Array[],
  context: MessageStreamContext
): Promise<void> {
  const { encodingHeader, acceptHeader, trailers } = context.protocol
  const plainBytes = payloadBytes(pieces)
  const isLocal = isOnSameMachine(exchange)
  const accepted = isLocal ? [] : compressorsIn(headerOf(exchange, acceptHeader) ?? '')
  const pays = plainBytes >= compressionThresholdBytes && accepted.length > 0 && piecesLookCompressible(pieces)
  const compressor = pays ? compressorFor(plainBytes, accepted) : undefined
  const compressed = compressor && encodeEnvelope(compressedFlag, await compress(compressor, payloadOf(pieces)))
  const end = context.protocol.end(exchange, undefined)
  const body = Buffer.concat([...(compressed ? [compressed] : pieces), ...(end ? [end] : [])])
  exchange.record.sent((compressed?.length ?? plainBytes + envelopeHeaderBytes) - envelopeHeaderBytes, plainBytes)
  exchange.respond(
    200,
    {
      ...streamHeaders(context),
      ...(isLocal ? { [acceptHeader]: 'identity' } : {}),
      ...(compressor ? { [encodingHeader]: compressor } : {}),
      ...(trailers ? {} : { 'content-length': String(body.length) })
    },
    body
  )
}
