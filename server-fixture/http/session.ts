/** Sessions as Connect bidi streams. Source: connectrpc.com, "Connect Protocol Reference", "Streaming RPCs". */
import type { Writable } from 'node:stream'
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
import { gunzip, gzip } from '../../src/compression/gzip.ts'
import { piecesLookCompressible } from '../../src/compression/sample.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { DoorParts } from '../door.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { SessionRunner } from '../service/session.ts'
import { connectErrorObject } from './connect-error.ts'
import { acceptsGzip, type Exchange, headerOf } from './exchange.ts'

/** Frames below this stay as they are; see the client's own threshold. */
const gzipThresholdBytes = 64 * 1024
/** Answers that wait for a client that does not read; above it, nothing more is read from it. */
const maxUnsentBytes = 8 * 1024 * 1024
/** Compressed frames that wait to be decompressed; with more, nothing more is read. */
const maxReading = 16

/** What a session is served with. */
export interface SessionSetting {
  readonly codec: Codec
  readonly requestId: string
  readonly parts: DoorParts
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
}

/** Serves one session to its end. */
export async function handleSession(exchange: Exchange, setting: SessionSetting): Promise<void> {
  const { codec, requestId, parts, draining } = setting
  const encoding = headerOf(exchange, 'connect-content-encoding') ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new BlobwireError({ code: 'unimplemented', message: 'connect-content-encoding must be gzip or identity' })
  }
  const authorization = headerOf(exchange, 'authorization')
  parts.authenticator.authenticate(authorization)
  const gzipped = acceptsGzip(headerOf(exchange, 'connect-accept-encoding') ?? '')
  const output = exchange.open(200, {
    'content-type': `application/connect+${codec.name}`,
    'x-request-id': requestId,
    ...(gzipped ? { 'connect-content-encoding': 'gzip' } : {})
  })
  if (output === undefined) throw new BlobwireError({ code: 'unimplemented', message: 'a session needs HTTP/2' })
  const session = new HttpSession(exchange, output, {
    ...setting,
    gzipped,
    compressed: encoding === 'gzip',
    authorization
  })
  draining.addEventListener('abort', session.drain)
  await session.ended
  draining.removeEventListener('abort', session.drain)
}

interface Terms extends SessionSetting {
  /** The client said that it compresses frames. */
  readonly compressed: boolean
  /** It takes compressed answers. */
  readonly gzipped: boolean
  readonly authorization: string | undefined
}

class HttpSession {
  readonly ended: Promise<void>
  readonly #input: Exchange['body']
  readonly #output: Writable
  readonly #terms: Terms
  readonly #runner: SessionRunner
  readonly #parser: EnvelopeParser
  #resolve: () => void = () => undefined
  #over = false
  /** Compressed frames are read in the order in which they came. */
  #reading: Promise<void> = Promise.resolve()
  #readingCount = 0
  readonly #compressing = new Set<Promise<void>>()

  constructor(exchange: Exchange, output: Writable, terms: Terms) {
    const { service, authenticator } = terms.parts
    this.#input = exchange.body
    this.#output = output
    this.#terms = terms
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#runner = new SessionRunner({
      service,
      requestId: terms.requestId,
      authenticate: () => authenticator.authenticate(terms.authorization),
      send: (response) => this.#send(response),
      isRead: () => this.#output.writableLength <= maxUnsentBytes,
      onRoom: () => this.#resume()
    })
    this.#parser = new EnvelopeParser(service.limits.maxBatchBytes, (flags, payload) => this.#take(flags, payload))
    this.#runner.greet()
    this.#input.on('data', (chunk: Buffer) => this.#data(chunk))
    this.#input.once('end', () => this.#finish())
    this.#input.once('close', () => this.#gone())
    this.#input.once('error', () => this.#gone())
    this.#output.on('drain', () => {
      this.#runner.goOn()
      this.#resume()
    })
    if (terms.draining.aborted) this.drain()
  }

  /** Answers what was received, and ends; the client goes on elsewhere. */
  readonly drain = (): void => {
    this.#input.pause()
    this.#finish()
  }

  #data(chunk: Buffer): void {
    if (this.#over) return
    try {
      this.#parser.push(chunk)
    } catch (error) {
      this.#fail(error)
    }
    if (!this.#hasRoom) this.#input.pause()
  }

  #resume(): void {
    // What has not been read when the server drains is not answered either; the client sends it again elsewhere.
    if (this.#terms.draining.aborted) return
    if (!this.#over && this.#hasRoom) this.#input.resume()
  }

  get #hasRoom(): boolean {
    return !this.#runner.full && this.#readingCount <= maxReading && this.#output.writableLength <= maxUnsentBytes
  }

  #take(flags: number, payload: Uint8Array): void {
    if ((flags & ~compressedFlag) !== 0) throw invalidArgument('frame', `unknown flags ${flags}`)
    const isCompressed = (flags & compressedFlag) !== 0
    if (isCompressed && !this.#terms.compressed) {
      throw invalidArgument('frame', 'is compressed, and connect-content-encoding does not say how')
    }
    const bytes = isCompressed ? gunzip(payload, this.#terms.parts.service.limits.maxBatchBytes) : payload
    if (!(bytes instanceof Promise) && this.#readingCount === 0) return this.#receive(bytes)
    this.#readingCount++
    const before = this.#reading
    this.#reading = Promise.all([bytes, before]).then(([plain]) => {
      this.#readingCount--
      if (!this.#over) this.#receive(plain)
      this.#resume()
    })
    this.#reading.catch((error) => this.#fail(error))
  }

  #receive(payload: Uint8Array): void {
    this.#runner.receive(this.#terms.codec.decode('SessionRequest', payload))
  }

  #send(response: Messages['SessionResponse']): void {
    if (this.#over) return
    const { codec, gzipped } = this.#terms
    const message = codec.prepare('SessionResponse', response as Init<Messages['SessionResponse']>)
    const pieces = codec.write(message, envelopeHeaderBytes)
    if (!gzipped || payloadBytes(pieces) < gzipThresholdBytes || !piecesLookCompressible(pieces)) {
      sealEnvelope(pieces)
      for (const piece of pieces) this.#output.write(piece)
      return
    }
    const sent = Promise.resolve(gzip(payloadOf(pieces))).then(
      (bytes) => {
        if (!this.#over) this.#output.write(encodeEnvelope(compressedFlag, bytes))
      },
      (error) => this.#fail(error)
    )
    this.#compressing.add(sent)
    sent.finally(() => this.#compressing.delete(sent))
  }

  /** The client sends no more, or is not read any more: what it sent is answered. */
  async #finish(): Promise<void> {
    try {
      await this.#reading
      if (this.#parser.incomplete && !this.#terms.draining.aborted) {
        throw invalidArgument('frame', 'the stream ends in the middle of a frame')
      }
    } catch (error) {
      return this.#fail(error)
    }
    await this.#runner.finished()
    await Promise.all(this.#compressing)
    this.#end(Buffer.from('{}'))
  }

  #fail(error: unknown): void {
    if (this.#over) return
    const object = connectErrorObject(toBlobwireError(error), this.#terms.requestId)
    this.#runner.abandon()
    this.#end(Buffer.from(JSON.stringify({ error: object })))
  }

  #end(message: Buffer): void {
    if (this.#over) return
    this.#over = true
    this.#input.resume()
    this.#output.end(encodeEnvelope(endStreamFlag, message), () => {
      // RFC 9113 section 8.1: tells the client to stop sending.
      if ('close' in this.#output) (this.#output as unknown as { close(code: number): void }).close(0)
      this.#resolve()
    })
  }

  #gone(): void {
    if (!this.#over) this.#runner.abandon()
    this.#over = true
    this.#resolve()
  }
}
