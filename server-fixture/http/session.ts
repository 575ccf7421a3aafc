/** Sessions as Connect bidi streams. Source: connectrpc.com, "Connect Protocol Reference", "Streaming RPCs". */
import type { ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Codec } from '../../src/codec/codec.ts'
import {
  compressedFlag,
  EnvelopeParser,
  encodeEnvelope,
  endStreamFlag,
  envelopeHeaderBytes,
  payloadBytes,
  payloadOf,
  sealEnvelope
} from '../../src/codec/envelope.ts'
import { gzip } from '../../src/compression/gzip.ts'
import { piecesLookCompressible } from '../../src/compression/sample.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { decodeTurns } from '../decode-turns.ts'
import { inflate } from '../inflate.ts'
import type { HandlerDependencies } from '../listener.ts'
import { Charge, type ConnectionBudget } from '../memory-budget.ts'
import type { Principal } from '../service/context.ts'
import { Session, type SessionStream } from '../service/session.ts'
import { drainStream } from './drain.ts'
import { connectErrorObject } from './errors.ts'
import { acceptsGzip, type Exchange, headerOf } from './exchange.ts'

/** Smaller frames are not compressed; the client has the same threshold. */
const gzipThresholdBytes = 64 * 1024
/** Answers that wait for a client that does not read; with more, nothing more is read from it. */
const maxUnsentBytes = 8 * 1024 * 1024

/** The context of a session over HTTP. */
export interface HttpSessionContext extends HandlerDependencies {
  readonly codec: Codec
  readonly requestId: string
}

interface StreamContext extends HttpSessionContext {
  readonly authenticate: () => Principal
  readonly input: Readable
  readonly output: ServerHttp2Stream
  readonly budget: ConnectionBudget
  /** The client compresses frames. */
  readonly gzipsRequests: boolean
  /** The client accepts compressed answers. */
  readonly gzipsAnswers: boolean
}

/** Serves one session to its end. @throws BlobwireError where the session is refused */
export async function handleSession(exchange: Exchange, context: HttpSessionContext): Promise<void> {
  const encoding = headerOf(exchange, 'connect-content-encoding') ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new BlobwireError({ code: 'unimplemented', message: 'connect-content-encoding must be gzip or identity' })
  }
  const authorization = headerOf(exchange, 'authorization')
  const authenticate = () => context.authenticator.authenticate(methods.session.name, authorization)
  authenticate()
  const gzipsAnswers = acceptsGzip(headerOf(exchange, 'connect-accept-encoding') ?? '')
  const output = exchange.open(200, {
    'content-type': `application/connect+${context.codec.name}`,
    'x-request-id': context.requestId,
    ...(gzipsAnswers ? { 'connect-content-encoding': 'gzip' } : {})
  })
  if (output === undefined) throw new BlobwireError({ code: 'unimplemented', message: 'a session requires HTTP/2' })
  const gzips = { gzipsRequests: encoding === 'gzip', gzipsAnswers }
  const budget = context.memory.of(exchange.connection)
  const input = exchange.openBody()
  await new HttpSessionStream({ ...context, ...gzips, authenticate, budget, input, output }).serve()
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
    const { service, draining } = this.#context
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
    const { codec, gzipsAnswers } = this.#context
    const message = codec.prepare('SessionResponse', response as Init<Messages['SessionResponse']>)
    const pieces = codec.write(message, envelopeHeaderBytes)
    if (!gzipsAnswers || payloadBytes(pieces) < gzipThresholdBytes || !piecesLookCompressible(pieces)) {
      sealEnvelope(pieces)
      for (const piece of pieces) this.#output.write(piece)
      return
    }
    const sent = Promise.resolve(gzip(payloadOf(pieces))).then(
      (bytes) => {
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
    const message = error ? { error: connectErrorObject(error, this.#context.requestId) } : {}
    return new Promise((resolve) => {
      this.#output.end(encodeEnvelope(endStreamFlag, Buffer.from(JSON.stringify(message))), () => {
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
    const { codec, service, gzipsRequests } = this.#context
    const isCompressed = (flags & compressedFlag) !== 0
    if ((flags & ~compressedFlag) !== 0) throw invalidArgument('frame', `must not have the unknown flags ${flags}`)
    if (isCompressed && !gzipsRequests) {
      throw invalidArgument('frame', 'must not be compressed without connect-content-encoding')
    }
    if (!isCompressed) return decodeTurns.decode(codec.decode, 'SessionRequest', payload)
    const decode = (message: Uint8Array) => decodeTurns.decode(codec.decode, 'SessionRequest', message)
    return this.#session.inflating.run(() => {
      const bytes = inflate(payload, { encoding: 'gzip', maxBytes: service.limits.maxBatchBytes, charge })
      return bytes instanceof Promise ? bytes.then(decode) : decode(bytes)
    })
  }
}
