/** The messages of a stream, in their envelopes, and the end of its answer. */
import type { Codec } from '../../src/codec/codec.ts'
import { compressedFlag, EnvelopeParser, envelopeHeaderBytes, sealEnvelope } from '../../src/codec/envelope.ts'
import { acceptedEncodings, type Encoding, isEncoding } from '../../src/compression/compression.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Limits } from '../../src/schema/default-limits.ts'
import type { Init, MessageName } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { decodeTurns } from '../decode-turns.ts'
import { inflate } from '../inflate.ts'
import type { HandlerDependencies } from '../listener.ts'
import { Charge } from '../memory-budget.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { consume } from '../transfers/consume.ts'
import type { Transfer } from '../transfers/transfer.ts'
import { type Exchange, headerOf } from './exchange.ts'
import type { StreamProtocol } from './stream-protocol.ts'

/** The context of a stream. */
export interface MessageStreamContext extends HandlerDependencies {
  readonly protocol: StreamProtocol
  readonly codec: Codec
  readonly requestId: string
  /** Aborts when the client's time for the call is over, with the error; undefined = the client tells none. */
  readonly deadline?: AbortSignal | undefined
}

/** The part of a context that makes an answer. */
interface AnswerContext extends Pick<MessageStreamContext, 'protocol' | 'requestId'> {
  readonly codec: Pick<Codec, 'name'>
}

/** Headers of every answer: its end tells of errors. */
export function streamHeaders({ protocol, codec, requestId }: AnswerContext): Record<string, string> {
  const type = { 'content-type': protocol.contentType(codec), 'x-request-id': requestId }
  // To refused encodings, too (gRPC, "Compression").
  return { ...type, [protocol.acceptHeader]: acceptedEncodings }
}

/** A message in its envelope, in pieces. */
export function messagePieces<Name extends MessageName>(
  codec: Codec,
  type: Name,
  message: Messages[Name]
): Uint8Array[] {
  const pieces = codec.write(type, codec.prepare(type, message as Init<Messages[Name]>), envelopeHeaderBytes)
  sealEnvelope(pieces)
  return pieces
}

/** Ends an answer that failed, as `StreamProtocol.end`. */
export function failedEnd(
  exchange: Exchange,
  { protocol }: Pick<MessageStreamContext, 'protocol'>,
  error: unknown
): Uint8Array | undefined {
  const failure = toBlobwireError(error)
  exchange.record.failed(failure)
  return protocol.end(exchange, failure)
}

/** Sends an answer that is complete: its message, in pieces, and its end. */
export function respondWhole(
  exchange: Exchange,
  context: AnswerContext,
  pieces: readonly (Uint8Array | undefined)[]
): void {
  const present = pieces.filter((piece) => piece !== undefined)
  const body = present.length > 0 ? Buffer.concat(present) : undefined
  // HTTP/1.1 has trailers only behind a body in chunks.
  const length = context.protocol.trailers || !body ? {} : { 'content-length': String(body.length) }
  exchange.respond(200, { ...streamHeaders(context), ...length }, body)
}

/** Answers a stream of which nothing is sent yet with an error. */
export function respondFailed(exchange: Exchange, context: AnswerContext, error: unknown): void {
  respondWhole(exchange, context, [failedEnd(exchange, context, error)])
}

/** The bounds of messages. */
interface Bounded {
  readonly limits: Pick<Limits, 'maxBatchBytes' | 'chunkBytes'>
}

/** Decodes messages of a type of the schema, large ones in their turn. */
export function decoderOf<Name extends MessageName>(codec: Codec, type: Name) {
  return (payload: Uint8Array) => decodeTurns.decode(codec.decode<Name>, type, payload)
}

/** How messages are read. */
export interface MessageReading<Message> {
  readonly decode: (payload: Uint8Array) => Message | Promise<Message>
  readonly context: Pick<MessageStreamContext, 'protocol' | 'memory'> & { readonly service: Bounded }
  readonly transfer: Transfer
  /** Takes one message after the other; undefined = it is taken. */
  readonly take: (message: Message) => Promise<void> | undefined
  /** Asked after each message: nothing more is needed of the stream. */
  readonly isComplete?: () => boolean
}

/**
 * Reads the messages of a request, to its end. @throws BlobwireError `invalid_argument` where the stream ends within a
 * message, and as `consume`
 */
export async function readMessages<Message>(exchange: Exchange, reading: MessageReading<Message>): Promise<void> {
  const { context, transfer, take, isComplete = () => false } = reading
  const { service, memory, protocol } = context
  const encoding = encodingOf(exchange, protocol)
  const charge = new Charge(memory.of(exchange.connection))
  const waiting: { flags: number; payload: Uint8Array }[] = []
  const { maxBatchBytes: maxBytes, chunkBytes } = service.limits
  /** Of a message that has begun; those beyond a chunk are not in the share of the transfer. */
  let begunBytes = 0
  const parser = new EnvelopeParser(maxBytes, (flags, payload) => void waiting.push({ flags, payload }))
  const decode = async ({ flags, payload }: { flags: number; payload: Uint8Array }) => {
    if ((flags & ~compressedFlag) !== 0) throw invalidArgument('frame', `must not have the unknown flags ${flags}`)
    if (flags === 0) return reading.decode(payload)
    if (encoding === undefined)
      throw invalidArgument('frame', `must not be compressed without ${protocol.encodingHeader}`)
    return reading.decode(await inflate(payload, { encoding, maxBytes, charge }))
  }
  const takeAll = async () => {
    for (const envelope of waiting.splice(0)) {
      await take(await decode(envelope))
      charge.release()
      begunBytes = 0
    }
  }
  try {
    const takeChunk = (chunk: Uint8Array) => {
      parser.push(chunk)
      if (waiting.length > 0) return takeAll()
      begunBytes += chunk.length
      if (begunBytes > chunkBytes) charge.add(Math.min(chunk.length, begunBytes - chunkBytes))
      return undefined
    }
    const body = exchange.openBody()
    transfer.watch(body)
    await consume<Uint8Array>(body, { take: takeChunk, isComplete, transfer })
    if (parser.incomplete && !isComplete()) throw invalidArgument('frame', 'must be complete before the stream ends')
  } finally {
    charge.release()
  }
}

/** The one message of a request. @throws BlobwireError `invalid_argument` for none, `unimplemented` for several */
export async function readRequest<Message>(
  exchange: Exchange,
  reading: Pick<MessageReading<Message>, 'decode' | 'context' | 'transfer'>
): Promise<Message> {
  const requests: Message[] = []
  const take = (message: Message) => {
    if (requests.length > 0) throw new BlobwireError({ code: 'unimplemented', message: 'one message is expected' })
    requests.push(message)
    return undefined
  }
  await readMessages(exchange, { ...reading, take })
  const [request] = requests
  if (request === undefined) throw invalidArgument('request', 'must be given as a message')
  return request
}

/** Of compressed messages; undefined = there are none. @throws BlobwireError `unimplemented` */
export function encodingOf(exchange: Exchange, { encodingHeader }: StreamProtocol): Encoding | undefined {
  const encoding = headerOf(exchange, encodingHeader) ?? 'identity'
  if (encoding === 'identity') return undefined
  if (isEncoding(encoding)) return encoding
  const message = `${encodingHeader} must be one of ${acceptedEncodings}, identity`
  throw new BlobwireError({ code: 'unimplemented', message })
}
