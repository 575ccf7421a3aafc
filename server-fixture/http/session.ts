/** Sessions as bidi streams. */
import type { ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Codec } from '../../src/codec/codec.ts'
import {
  compressedFlag,
  EnvelopeParser,
  encodeEnvelope,
  envelopeHeaderBytes,
  payloadBytes,
  payloadOf,
  sealEnvelope
} from '../../src/codec/envelope.ts'
import { type Compressor, compress, compressorsIn, type Encoding } from '../../src/compression/compression.ts'
import { piecesLookCompressible } from '../../src/compression/sample.ts'
import { isZstd } from '../../src/compression/zstd-frames.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { decodeTurns } from '../decode-turns.ts'
import { inflate } from '../inflate.ts'
import { Charge, type ConnectionBudget } from '../memory-budget.ts'
import type { RequestRecord } from '../metrics/request-record.ts'
import type { Principal } from '../service/context.ts'
import { Session, type SessionStream } from '../service/session.ts'
import { EncodedOnce } from '../service/watch/encoded-once.ts'
import { drainStream } from './drain.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { encodingOf, type MessageStreamContext, messagePieces, streamHeaders } from './message-stream.ts'
import { isOnSameMachine } from './same-machine.ts'

/** Smaller frames are not compressed; the client has the same threshold. */
const compressionThresholdBytes = 64 * 1024
/** Answers that wait for a client that does not read; with more, nothing more is read from it. */
const maxUnsentBytes = 8 * 1024 * 1024

interface StreamContext extends MessageStreamContext {
  readonly exchange: Exchange
  readonly authenticate: () => Principal
  readonly input: Readable
  readonly output: ServerHttp2Stream
  readonly budget: ConnectionBudget
  readonly record: RequestRecord
  /** Of the frames that the client compresses; undefined = it compresses none. */
  readonly encoding: Encoding | undefined
  /** For answers; undefined = the client accepts no compressed ones. */
  readonly compressor: Compressor | undefined
}

/** Serves one session to its end. @throws BlobwireError where the session is refused */
export async function handleSession(exchange: Exchange, context: MessageStreamContext): Promise<void> {
  const { protocol } = context
  const { acceptHeader, encodingHeader } = protocol
  const encoding = encodingOf(exchange, protocol)
  const authorization = headerOf(exchange, 'authorization')
  const { record } = exchange
  record.method = methods.session.name
  record.lasts()
  const authenticate = () => context.authenticator.authenticate(methods.session.name, authorization)
  record.tokenName = authenticate().name
  const isLocal = isOnSameMachine(exchange)
  const [compressor] = isLocal ? [] : compressorsIn(headerOf(exchange, acceptHeader) ?? '')
  const headers = {
    ...streamHeaders(context),
    ...(isLocal ? { [acceptHeader]: 'identity' } : {}),
    ...(compressor ? { [encodingHeader]: compressor } : {})
  }
  const output = exchange.open(200, headers, protocol.trailers)
  if (output === undefined) throw new BlobwireError({ code: 'unimplemented', message: 'a session requires HTTP/2' })
  const budget = context.memory.of(exchange.connection)
  const input = exchange.openBody()
  const found = { authenticate, budget, exchange, input, output, record, encoding, compressor }
  await new HttpSessionStream({ ...context, ...found }).serve()
}

const encoders = new Map<Codec, EncodedOnce<Messages['SessionResponse']>>()

/** Encodes updates of watches. */
function updatesOf(codec: Codec): EncodedOnce<Messages['SessionResponse']> {
  let encoder = encoders.get(codec)
  if (encoder === undefined) {
    encoder = new EncodedOnce((response) => Buffer.concat(messagePieces(codec, 'SessionResponse', response)))
    encoders.set(codec, encoder)
  }
  return encoder
}

class HttpSessionStream implements SessionStream {
  readonly input: Readable
  readonly #output: ServerHttp2Stream
  readonly #context: StreamContext
  readonly #session: Session
  readonly #compressing = new Set<Promise<void>>()
  /** The bytes of an incomplete envelope. */
  readonly #incoming: Charge

  constructor(context: StreamContext) {
    this.input = context.input
    this.#output = context.output
    this.#context = context
    this.#incoming = new Charge(context.budget)
    this.#session = new Session(this, context)
  }

  /** Resolves when the session has ended. */
  serve(): Promise<void> {
    const { service, draining, deadline } = this.#context
    const session = this.#session
    const parser = new EnvelopeParser(service.limits.maxBatchBytes, (flags, payload) => this.#take(flags, payload))
    this.input.on('data', (chunk: Buffer) => {
      if (session.takesNothing) return
      try {
        this.#incoming.add(chunk.length)
        parser.push(chunk)
        if (parser.incomplete) session.partial.grew()
      } catch (error) {
        session.stop(error)
      }
    })
    this.input.once('end', () => {
      if (!parser.incomplete || draining.aborted) void session.finish()
      else session.fail(invalidArgument('frame', 'must be complete before the stream ends'))
    })
    this.input.once('close', () => {
      this.#incoming.release()
      session.abandon()
    })
    this.input.once('error', () => session.abandon())
    // `watchConnections` has set the time.
    this.input.on('timeout', () => void session.finish())
    this.#output.on('drain', () => session.onDrain())
    deadline?.addEventListener('abort', () => session.fail(deadline.reason))
    session.start()
    return session.ended
  }

  get unreadBytes(): number {
    return this.input.readableLength
  }

  get isRead(): boolean {
    return this.#output.writableLength <= maxUnsentBytes
  }

  send(response: Messages['SessionResponse']): void {
    const { codec, compressor, record } = this.#context
    if (response.updates.length > 0) {
      // Compressed messages may overtake each other; updates must not.
      const bytes = updatesOf(codec).of(response)
      record.sent(bytes.length - envelopeHeaderBytes, bytes.length - envelopeHeaderBytes)
      this.#output.write(bytes)
      return
    }
    const message = codec.prepare('SessionResponse', response as Init<Messages['SessionResponse']>)
    const pieces = codec.write('SessionResponse', message, envelopeHeaderBytes)
    const plainBytes = payloadBytes(pieces)
    if (!compressor || plainBytes < compressionThresholdBytes || !piecesLookCompressible(pieces)) {
      sealEnvelope(pieces)
      record.sent(plainBytes, plainBytes)
      for (const piece of pieces) this.#output.write(piece)
      return
    }
    const sent = Promise.resolve(compress(compressor, payloadOf(pieces))).then(
      (bytes) => {
        record.sent(bytes.length, plainBytes)
        if (!this.#session.isOver) this.#output.write(encodeEnvelope(compressedFlag, bytes))
      },
      (error) => this.#session.fail(error)
    )
    this.#compressing.add(sent)
    sent.finally(() => this.#compressing.delete(sent))
  }

  flushed(): Promise<unknown> {
    return Promise.all(this.#compressing)
  }

  end(error: BlobwireError | undefined): Promise<void> {
    const { exchange, protocol, record } = this.#context
    if (error) record.failed(error)
    return new Promise((resolve) => {
      this.#output.end(protocol.end(exchange, error), () => {
        if (!this.#output.readableEnded) drainStream(this.#output)
        resolve()
      })
    })
  }

  #take(flags: number, payload: Uint8Array): void {
    this.#session.partial.reset()
    const charge = this.#incoming.split(envelopeHeaderBytes + payload.length)
    try {
      this.#session.receive(this.#decode(flags, payload, charge), charge)
    } catch (error) {
      charge.release()
      throw error
    }
  }

  #decode(
    flags: number,
    payload: Uint8Array,
    charge: Charge
  ): Messages['SessionRequest'] | Promise<Messages['SessionRequest']> {
    const { codec, protocol, service, encoding: declared, record } = this.#context
    const isCompressed = (flags & compressedFlag) !== 0
    if ((flags & ~compressedFlag) !== 0) throw invalidArgument('frame', `must not have the unknown flags ${flags}`)
    if (isCompressed && declared === undefined) {
      throw invalidArgument('frame', `must not be compressed without ${protocol.encodingHeader}`)
    }
    if (declared === undefined || !isCompressed) {
      record.received(payload.length, payload.length)
      return decodeTurns.decode(codec.decode, 'SessionRequest', payload)
    }
    const decode = (message: Uint8Array) => {
      record.received(payload.length, message.length)
      return decodeTurns.decode(codec.decode, 'SessionRequest', message)
    }
    // A client learns that the server takes zstd when the stream has begun.
    const encoding = declared === 'gzip' && isZstd(payload) ? 'zstd' : declared
    return this.#session.inflating.run(() => {
      const bytes = inflate(payload, { encoding, maxBytes: service.limits.maxBatchBytes, charge })
      return bytes instanceof Promise ? bytes.then(decode) : decode(bytes)
    })
  }
}
