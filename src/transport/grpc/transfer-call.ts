/** A stream of gRPC that carries a large blob: its connection, its metadata and its end. */
import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import type { GrpcConnection, StreamListener } from '../../connection/grpc/connection.ts'
import type { GrpcModule } from '../../connection/grpc/grpc-js.ts'
import type { TransferChannels } from '../../connection/grpc/transfer-channels.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Method } from '../../schema/descriptor.ts'
import { serviceName } from '../../schema/methods.ts'
import { errorFromService, isReset } from './errors.ts'

/** The dependencies of uploads and downloads. */
export interface GrpcTransferContext {
  readonly grpc: GrpcModule
  readonly channels: TransferChannels
}

/** The stream of one attempt, and the means to open it. */
export interface OpeningCall {
  readonly client: Client
  readonly path: string
  readonly metadata: Metadata
}

/** The parts of an attempt that every stream has. */
export interface CallAttempt {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** One stream. Its end, whatever brings it about, comes once. */
export class TransferCall<Stream extends { cancel(): void }> implements StreamListener {
  readonly stream: Stream
  readonly #connection: GrpcConnection
  readonly #signal: AbortSignal
  readonly #onEnd: (error: unknown) => void
  #hasReceived = false
  #error: unknown
  #isOver = false

  /** `onEnd` is told the error of a stream that the caller, the source or the connection ends. */
  constructor(
    { grpc, channels }: GrpcTransferContext,
    { headers, signal }: CallAttempt,
    {
      method,
      open,
      onEnd
    }: {
      readonly method: Method
      readonly open: (opening: OpeningCall) => Stream
      readonly onEnd: (error: unknown) => void
    }
  ) {
    const metadata = new grpc.Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    this.#signal = signal
    this.#onEnd = onEnd
    this.#connection = channels.begin(this)
    this.stream = open({ client: this.#connection.client, path: `/${serviceName}/${method.name}`, metadata })
    signal.addEventListener('abort', this.#abort)
    // Its maker has to have it before it ends.
    if (signal.aborted) queueMicrotask(this.#abort)
  }

  /** A message has come. */
  received(): void {
    this.#hasReceived = true
    this.#connection.messageReceived()
  }

  /** Ends the stream from this side. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#error = error
    this.end()
    this.stream.cancel()
    this.#onEnd(error)
  }

  /** The stream has ended, or nobody reads on. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#signal.removeEventListener('abort', this.#abort)
    this.#connection.end(this)
  }

  /** The error of a stream that has failed. */
  errorOf(error: ServiceError | BlobwireError): unknown {
    if (this.#error !== undefined) return this.#error
    if (error instanceof BlobwireError) return error
    if (!this.#hasReceived && isReset(error)) this.#connection.streamReset()
    return errorFromService(error)
  }

  onReady(): void {
    // grpc-js sends what waits by itself.
  }

  onGoaway(): void {
    // The stream runs to its end on the draining connection.
  }

  onLost(error: BlobwireError): void {
    this.fail(error)
  }

  readonly #abort = () => {
    const { reason } = this.#signal
    if (reason instanceof BlobwireError && reason.code === 'deadline_exceeded') this.#connection.suspect()
    this.fail(reason)
  }
}
