/** Sessions as bidi streams of gRPC. */
import { type ClientDuplexStream, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import { fromWire, toWire } from '../../codec/wire-object.ts'
import type { GrpcChannel } from '../../connection/grpc/channel.ts'
import { asIs, type GrpcConnection, type StreamListener } from '../../connection/grpc/connection.ts'
import type { Counters } from '../../core/counters.ts'
import { asBlobwireError, type BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { malformedResponse } from '../errors.ts'
import type { SessionBatch, SessionOpening, SessionStream } from '../session-stream.ts'
import { sessionGzipThresholdBytes } from '../transport.ts'
import { compressWhatPays } from './compression.ts'
import { errorFromService, isReset } from './errors.ts'

/** What a session is opened with. */
export interface GrpcSessionContext {
  readonly channel: GrpcChannel
  readonly method: MethodDefinition<object, object>
  readonly gzip: boolean
  readonly counters: Counters
}

/** Opens a session on the channel. */
export function openGrpcSession(context: GrpcSessionContext, opening: SessionOpening): SessionStream {
  return new GrpcSession(context, opening)
}

class GrpcSession implements SessionStream, StreamListener {
  readonly #context: GrpcSessionContext
  readonly #opening: SessionOpening
  readonly #connection: GrpcConnection
  readonly #stream: ClientDuplexStream<Buffer, Buffer>
  #hasReceived = false
  #ended = false
  /** Nothing more is sent. */
  #halfClosed = false
  /** Nothing has come since the last frame was sent. */
  #nothingSinceWrite = false

  constructor(context: GrpcSessionContext, opening: SessionOpening) {
    this.#context = context
    this.#opening = opening
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(opening.headers)) metadata.set(name, value)
    const interceptors = context.gzip ? [compressWhatPays(sessionGzipThresholdBytes)] : []
    context.counters.requests++
    this.#connection = context.channel.begin(this)
    this.#stream = this.#connection.client.makeBidiStreamRequest(context.method.path, asIs, asIs, metadata, {
      interceptors
    })
    // Asked of the connection, because the call itself says nothing until the server does. grpc-js's own `waitForReady`
    // would open a connection for a channel that has been closed.
    if (!this.#connection.isWaiting(this)) setImmediate(() => this.onReady())
    this.#stream.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#stream.on('drain', () => opening.onDrain())
    this.#stream.on('end', () => undefined)
    this.#stream.on('status', ({ code }: { code: number }) => {
      if (code === 0) this.#end(undefined)
    })
    this.#stream.on('error', (error: ServiceError) => {
      if (!this.#ended && !this.#hasReceived && isReset(error)) this.#connection.streamReset()
      this.#end(errorFromService(error))
    })
  }

  send(batch: SessionBatch): boolean {
    const { repository, firstId, operations } = batch
    return this.#write({ batch: { repository, firstId, operations } })
  }

  cancel(ids: readonly number[]): void {
    // Who stops waiting may have waited for nobody.
    if (this.#nothingSinceWrite) this.#connection.suspect()
    this.#write(toWire('SessionRequest', { cancel: { ids } }))
  }

  end(): void {
    if (!this.#ended && !this.#halfClosed) this.#stream.end()
    this.#halfClosed = true
  }

  onReady(): void {
    if (!this.#ended) this.#opening.onStart()
  }

  onGoaway(): void {
    if (!this.#ended) this.#opening.onGoaway()
  }

  onLost(error: BlobwireError): void {
    if (this.#ended) return
    this.#end(error)
    this.#stream.cancel()
  }

  destroy(): void {
    if (this.#ended) return
    this.#release()
    this.#stream.cancel()
  }

  #write(message: object): boolean {
    if (this.#ended || this.#halfClosed) return true
    this.#nothingSinceWrite = true
    const bytes = this.#context.method.requestSerialize(message)
    this.#context.counters.bytesSent += bytes.length
    return this.#stream.write(bytes)
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return
    this.#nothingSinceWrite = false
    this.#hasReceived = true
    this.#connection.messageReceived()
    this.#context.counters.bytesReceived += bytes.length
    let response: Messages['SessionResponse']
    try {
      response = fromWire('SessionResponse', this.#context.method.responseDeserialize(bytes))
    } catch (error) {
      this.#stream.cancel()
      this.#end(malformedResponse((error as Error).message, error))
      return
    }
    try {
      this.#opening.onResponse(response)
    } catch (error) {
      this.#stream.cancel()
      this.#end(asBlobwireError(error))
    }
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#ended) return
    this.#release()
    this.#opening.onEnd(error?.with({ transport: 'grpc' }))
  }

  #release(): void {
    this.#ended = true
    this.#connection.end(this)
  }
}
