/** Sessions as bidi streams of gRPC. */
import { type ClientDuplexStream, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import { checkMessage, pruneMessage } from '../../codec/shape-check.ts'
import type { Counters } from '../../core/counters.ts'
import type { BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { malformedResponse } from '../errors.ts'
import type { SessionBatch, SessionOpening, SessionStream } from '../session.ts'
import { sessionGzipThresholdBytes } from '../transport.ts'
import type { GrpcChannel } from './channel.ts'
import { compressWhatPays } from './compression.ts'
import type { GrpcConnection, StreamListener } from './connection.ts'
import { errorFromService, isReset } from './errors.ts'

/** What a session is opened with. */
export interface GrpcSessionParts {
  readonly channel: GrpcChannel
  readonly method: MethodDefinition<object, object>
  readonly gzip: boolean
  readonly counters: Counters
}

const asIs = (bytes: Buffer) => bytes

/** Opens a session on the channel. */
export function openGrpcSession(parts: GrpcSessionParts, opening: SessionOpening): SessionStream {
  return new GrpcSession(parts, opening)
}

class GrpcSession implements SessionStream, StreamListener {
  readonly #parts: GrpcSessionParts
  readonly #opening: SessionOpening
  readonly #connection: GrpcConnection
  readonly #stream: ClientDuplexStream<Buffer, Buffer>
  #hasHeard = false
  #ended = false
  /** Nothing more is sent. */
  #half = false
  /** Nothing has come since the last frame was sent. */
  #isQuiet = false

  constructor(parts: GrpcSessionParts, opening: SessionOpening) {
    this.#parts = parts
    this.#opening = opening
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(opening.headers)) metadata.set(name, value)
    const interceptors = parts.gzip ? [compressWhatPays(sessionGzipThresholdBytes)] : []
    parts.counters.requests++
    this.#connection = parts.channel.begin(this)
    this.#stream = this.#connection.client.makeBidiStreamRequest(parts.method.path, asIs, asIs, metadata, {
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
      if (!this.#ended && !this.#hasHeard && isReset(error)) this.#connection.unanswered()
      this.#end(errorFromService(error))
    })
  }

  send(batch: SessionBatch): boolean {
    const { repository, firstId, operations } = batch
    return this.#write({ batch: { repository, firstId, operations } })
  }

  cancel(ids: readonly number[]): void {
    // Who stops waiting may have waited for nobody.
    if (this.#isQuiet) this.#connection.suspect()
    this.#write(pruneMessage('SessionRequest', { cancel: { ids } }))
  }

  end(): void {
    if (!this.#ended && !this.#half) this.#stream.end()
    this.#half = true
  }

  onReady(): void {
    if (!this.#ended) this.#opening.onStart()
  }

  onMove(): void {
    if (!this.#ended) this.#opening.onMove()
  }

  onLost(error: BlobwireError): void {
    if (this.#ended) return
    this.#end(error)
    this.#stream.cancel()
  }

  destroy(): void {
    if (this.#ended) return
    this.#leave()
    this.#stream.cancel()
  }

  #write(message: object): boolean {
    if (this.#ended || this.#half) return true
    this.#isQuiet = true
    const bytes = this.#parts.method.requestSerialize(message)
    this.#parts.counters.bytesSent += bytes.length
    return this.#stream.write(bytes)
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return
    this.#isQuiet = false
    this.#hasHeard = true
    this.#connection.hear()
    this.#parts.counters.bytesReceived += bytes.length
    let response: Messages['SessionResponse']
    try {
      response = checkMessage('SessionResponse', this.#parts.method.responseDeserialize(bytes))
    } catch (error) {
      this.#stream.cancel()
      this.#end(malformedResponse((error as Error).message, error))
      return
    }
    this.#opening.onResponse(response)
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#ended) return
    this.#leave()
    this.#opening.onEnd(error?.with({ transport: 'grpc' }))
  }

  #leave(): void {
    this.#ended = true
    this.#connection.end(this)
  }
}
