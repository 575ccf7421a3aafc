/** Sessions as bidirectional streams of Connect. Source: connectrpc.com, "Connect Protocol Reference", "Streaming RPCs". */
import { Readable } from 'node:stream'
import {
  compressedFlag,
  EnvelopeParser,
  encodeEnvelope,
  endStreamFlag,
  envelopeHeaderBytes,
  payloadBytes,
  payloadOf,
  sealEnvelope
} from '../../codec/envelope.ts'
import {
  compress,
  compressorFor,
  compressorsIn,
  compressorsOf,
  decompress,
  type Encoding,
  isEncoding
} from '../../compression/compression.ts'
import { piecesLookCompressible } from '../../compression/sample.ts'
import type { StreamControl } from '../../connection/http2/connection-pool.ts'
import { asBlobwireError, type BlobwireError } from '../../core/error.ts'
import type { Compressor } from '../../platform/platform.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods, serviceName } from '../../schema/methods.ts'
import type { AttemptEvents } from '../../telemetry/observed-call.ts'
import { asResponseError, errorFromException, malformedResponse } from '../errors.ts'
import { frameMessage, type SessionFrame } from '../session-frame.ts'
import type { SessionOpening, SessionStream } from '../session-stream.ts'
import { sessionCompressionThresholdBytes, type TransportOptions } from '../transport.ts'
import { errorFromEndStream } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { Refusal } from './refusal.ts'

/** Bytes that may wait in the request body before `send` returns false. */
const highWaterBytes = 1024 * 1024

/** Opens a session on the connection. */
export function openHttpSession(
  context: HttpContext,
  options: TransportOptions,
  opening: SessionOpening
): SessionStream {
  return new HttpSession(context, options, opening)
}

const destroyed = () => new Error('the session was destroyed')

class HttpSession implements SessionStream {
  readonly #context: HttpContext
  readonly #options: TransportOptions
  readonly #opening: SessionOpening
  readonly #body: Readable
  readonly #parser: EnvelopeParser
  #control: StreamControl | undefined
  #refusal: Refusal | undefined
  /** Of compressed messages from the server. */
  #encoding: Encoding | undefined
  /** Compressors that both sides have: gzip, until the server has named others. */
  #usable: readonly Compressor[]
  #ended = false
  #halfClosed = false
  /** Nothing was received since the last write. */
  #nothingSinceWrite = false
  #endStreamReceived = false
  /** The last message that is being decompressed; messages are taken in order. */
  #reading: Promise<void> | undefined

  constructor(context: HttpContext, options: TransportOptions, opening: SessionOpening) {
    this.#context = context
    this.#options = options
    this.#opening = opening
    this.#parser = new EnvelopeParser(options.maxResponseBytes, (flags, payload) => this.#take(flags, payload))
    this.#body = new Readable({ highWaterMark: highWaterBytes, read: () => opening.onDrain() })
    const type = `application/connect+${context.codec.name}`
    const own = compressorsOf(options.compression)
    // A server on this machine, if it is one, says that it takes none.
    this.#usable = context.machine === undefined ? own.filter((name) => name === 'gzip') : []
    const compressionHeaders = { 'connect-content-encoding': 'gzip', 'connect-accept-encoding': own.join(', ') }
    context.counters.requests++
    context.connection.openStream(
      {
        path: `/${serviceName}/${methods.session.name}`,
        method: 'POST',
        headers: {
          ...opening.headers,
          ...context.machine,
          'content-type': type,
          'connect-protocol-version': '1',
          ...(own.length > 0 ? compressionHeaders : {})
        },
        body: this.#body
      },
      {
        onStart: (control) => {
          this.#control = control
          if (this.#ended) control.abort(destroyed())
          else opening.onStart()
        },
        onGoaway: () => {
          if (!this.#ended) opening.onGoaway()
        },
        onHeaders: (status, headers) => this.#headers(status, headers, type),
        onData: (chunk) => this.#data(chunk),
        onEnd: () => this.#responseEnded(),
        onError: (error) => this.#broken(errorFromException(error))
      }
    )
  }

  send(frame: SessionFrame): boolean {
    const { codec } = this.#context
    const message = frameMessage(frame, codec.long)
    const pieces = codec.write('SessionRequest', message, envelopeHeaderBytes)
    frame.events?.event('encoded', { bytes: payloadBytes(pieces), operations: frame.operations.length })
    return this.#write(pieces, frame.events)
  }

  cancel(ids: readonly number[]): void {
    // The operation may have been cancelled because the server does not respond.
    if (this.#nothingSinceWrite) this.#control?.suspect()
    if (this.#halfClosed) return
    this.#command({ cancel: { ids } })
  }

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    this.#command({ watch: { id, request } })
  }

  #command(message: Init<Messages['SessionRequest']>): void {
    const { codec } = this.#context
    this.#write(codec.write('SessionRequest', codec.prepare('SessionRequest', message), envelopeHeaderBytes))
  }

  end(): void {
    if (!this.#ended && !this.#halfClosed) this.#body.push(null)
    this.#halfClosed = true
  }

  destroy(): void {
    if (this.#ended) return
    this.#ended = true
    // Ended, because a destroyed body would tell the peer of an error.
    if (!this.#halfClosed) this.#body.push(null)
    this.#control?.abort(destroyed())
  }

  /** Writes a payload in pieces, with room for the envelope's header in front. */
  #write(pieces: readonly Uint8Array[], events?: AttemptEvents): boolean {
    if (this.#ended) return true
    const bytes = payloadBytes(pieces)
    this.#context.counters.uncompressedBytesSent += bytes
    const compressor =
      bytes >= sessionCompressionThresholdBytes && this.#usable.length > 0 && piecesLookCompressible(pieces)
        ? compressorFor(bytes, this.#usable)
        : undefined
    if (compressor) {
      // Frames are independent of each other: one that is being compressed may be overtaken.
      Promise.resolve(compress(compressor, payloadOf(pieces)))
        .then((packed) => {
          events?.event('compressed', { bytes: packed.length })
          this.#push([encodeEnvelope(compressedFlag, packed)], events)
        })
        .catch((error) => this.#end(errorFromException(error)))
      return this.#body.readableLength < highWaterBytes
    }
    sealEnvelope(pieces)
    return this.#push(pieces, events)
  }

  #push(pieces: readonly Uint8Array[], events?: AttemptEvents): boolean {
    if (this.#ended || this.#halfClosed) return true
    events?.event('sent', { requestId: this.#opening.headers['x-request-id'] })
    this.#nothingSinceWrite = true
    this.#context.counters.bytesSent += payloadBytes(pieces)
    let hasRoom = true
    // Every second piece is a caller's content, whose buffer may be transferred while the stream waits: the frame would
    // be cut short, and every later one with it.
    for (const [index, piece] of pieces.entries()) {
      hasRoom = this.#body.push(index % 2 === 0 ? piece : Buffer.from(piece))
    }
    return hasRoom
  }

  #headers(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, expected: string): void {
    const contentType = String(headers['content-type'] ?? '')
    if (status !== 200 || contentType.split(';', 1)[0]?.trim() !== expected) {
      this.#refusal = new Refusal(status, headers)
      return
    }
    const encoding = String(headers['connect-content-encoding'] ?? 'identity')
    if (isEncoding(encoding)) this.#encoding = encoding
    else if (encoding !== 'identity')
      this.#fail(malformedResponse('connect-content-encoding must be one of zstd, gzip'))
    const own = compressorsOf(this.#options.compression)
    const taken = compressorsIn(String(headers['connect-accept-encoding'] ?? 'gzip'))
    this.#usable = own.filter((name) => taken.includes(name))
  }

  #data(chunk: Buffer): void {
    if (this.#ended) return
    this.#nothingSinceWrite = false
    this.#context.counters.bytesReceived += chunk.length
    if (this.#refusal) return this.#refusal.add(chunk)
    try {
      this.#parser.push(chunk)
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(flags: number, payload: Uint8Array): void {
    if (this.#ended) return
    const isCompressed = (flags & compressedFlag) !== 0
    const bytes = isCompressed ? this.#decompress(payload) : payload
    if (bytes instanceof Promise || this.#reading !== undefined) this.#takeLater(flags, Promise.resolve(bytes))
    else this.#message(flags, bytes)
  }

  #decompress(payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const encoding = this.#encoding
    if (encoding === undefined) throw malformedResponse('a compressed message without connect-content-encoding')
    return decompress(payload, {
      encoding,
      maxBytes: this.#options.maxResponseBytes,
      isWanted: () => !this.#ended
    })
  }

  #takeLater(flags: number, payload: Promise<Uint8Array>): void {
    const before = this.#reading ?? Promise.resolve()
    const reading = Promise.all([payload, before]).then(([bytes]) => {
      if (this.#reading === reading) this.#reading = undefined
      if (!this.#ended) this.#message(flags, bytes)
    })
    this.#reading = reading
    reading.catch((error) => this.#fail(error))
  }

  #message(flags: number, payload: Uint8Array): void {
    this.#context.counters.uncompressedBytesReceived += payload.length + envelopeHeaderBytes
    if ((flags & endStreamFlag) !== 0) return this.#endStream(payload)
    const response = this.#context.codec.decode('SessionResponse', payload)
    try {
      this.#opening.onResponse(response)
    } catch (error) {
      throw asBlobwireError(error)
    }
  }

  /** Connect's "EndStreamResponse": `{}`, or with `error` the same object as of a unary error. */
  #endStream(payload: Uint8Array): void {
    this.#endStreamReceived = true
    this.#control?.over()
    this.#end(errorFromEndStream(payload))
  }

  /** The response has ended; a session in good order ended before, with its end-stream message. */
  #responseEnded(): void {
    if (this.#refusal) return this.#end(this.#refusal.toError())
    const endUnlessEnded = () => {
      const cause = Object.assign(new Error('the stream broke off'), { code: 'EPIPE' })
      if (!this.#endStreamReceived) this.#end(errorFromException(cause))
    }
    if (this.#reading) this.#reading.then(endUnlessEnded, endUnlessEnded)
    else endUnlessEnded()
  }

  /** A refused stream was not processed, so that it counts as ended in good order: operations go on the next session. */
  #broken(error: BlobwireError): void {
    this.#end(error.reason === 'refused' ? undefined : error)
  }

  /** Ends the session because the peer violated the protocol. */
  #fail(error: unknown): void {
    if (this.#ended) return
    const blobwire = errorFromException(error)
    this.#end(asResponseError(blobwire))
    this.#control?.abort(destroyed())
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#ended) return
    this.#ended = true
    if (!this.#halfClosed) this.#body.push(null)
    this.#opening.onEnd(error?.with({ transport: this.#context.codec.name }))
  }
}
