/** Sessions as bidirectional streams of gRPC. */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import type { WireObject } from '../../codec/codec.ts'
import { decodeProtobuf, encodeWireObject } from '../../codec/protobuf.ts'
import { toWire } from '../../codec/wire-object.ts'
import type { GrpcChannel } from '../../connection/grpc/channel.ts'
import { asIs, type GrpcConnection, type StreamListener } from '../../connection/grpc/connection.ts'
import type { GrpcModule } from '../../connection/grpc/grpc-js.ts'
import type { Counters } from '../../core/counters.ts'
import { asBlobwireError, type BlobwireError } from '../../core/error.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods, serviceName } from '../../schema/methods.ts'
import { asResponseError } from '../errors.ts'
import { frameMessage, type SessionFrame } from '../session-frame.ts'
import type { SessionOpening, SessionStream } from '../session-stream.ts'
import { sessionCompressionThresholdBytes } from '../transport.ts'
import { compressIfSmaller } from './compression.ts'
import { errorFromService, isReset } from './errors.ts'

/** The dependencies of a session. */
export interface GrpcSessionContext {
  readonly grpc: GrpcModule
  readonly channel: GrpcChannel
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
  readonly #stream: ClientDuplexStream<Uint8Array, Buffer>
  #hasReceived = false
  #ended = false
  #halfClosed = false
  /** Nothing was received since the last write. */
  #nothingSinceWrite = false

  constructor(context: GrpcSessionContext, opening: SessionOpening) {
    this.#context = context
    this.#opening = opening
    const metadata = new context.grpc.Metadata()
    for (const [name, value] of Object.entries(opening.headers)) metadata.set(name, value)
    const interceptors = context.gzip ? [compressIfSmaller(context.grpc, sessionCompressionThresholdBytes)] : []
    context.counters.requests++
    this.#connection = context.channel.begin(this)
    this.#stream = this.#connection.client.makeBidiStreamRequest(
      `/${serviceName}/${methods.session.name}`,
      asIs,
      asIs,
      metadata,
      {
        interceptors
      }
    )
    // The connection tells readiness, because the call itself has no event before the server's first one. grpc-js's own
    // `waitForReady` would open a connection for a channel that was closed.
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

  send(frame: SessionFrame): boolean {
    return this.#write(
      frameMessage(frame, (id) => id),
      frame
    )
  }

  cancel(ids: readonly number[]): void {
    // The operation may have been cancelled because the server does not respond.
    if (this.#nothingSinceWrite) this.#connection.suspect()
    this.#write(toWire('SessionRequest', { cancel: { ids } }))
  }

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    this.#write(toWire('SessionRequest', { watch: { id, request } }))
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

  #write(message: WireObject, frame?: SessionFrame): boolean {
    if (this.#ended || this.#halfClosed) return true
    this.#nothingSinceWrite = true
    const bytes = encodeWireObject(methods.session.request, message)
    this.#context.counters.bytesSent += bytes.length
    this.#context.counters.uncompressedBytesSent += bytes.length
    if (frame?.events !== undefined) {
      frame.events.event('encoded', { bytes: bytes.length, operations: frame.operations.length })
      frame.events.event('sent', { requestId: this.#opening.headers['x-request-id'] })
    }
    return this.#stream.write(bytes)
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return
    this.#nothingSinceWrite = false
    this.#hasReceived = true
    this.#connection.messageReceived()
    this.#context.counters.bytesReceived += bytes.length
    this.#context.counters.uncompressedBytesReceived += bytes.length
    let response: Messages['SessionResponse']
    try {
      response = decodeProtobuf('SessionResponse', bytes)
    } catch (error) {
      this.#stream.cancel()
      this.#end(asResponseError(error))
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
