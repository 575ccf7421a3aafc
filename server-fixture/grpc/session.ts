/** Sessions as bidi streams of gRPC. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { toWire } from '../../src/codec/wire-object.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { decodeProtobuf } from '../../src/transport/grpc/proto.ts'
import type { HandlerDependencies } from '../listener.ts'
import type { Principal } from '../service/context.ts'
import { Session, type SessionStream } from '../service/session.ts'
import { toStatus } from './errors.ts'
import { metadataValue } from './metadata.ts'

/** The client's messages are not decoded yet. */
type Stream = ServerDuplexStream<Buffer, object>

/** The context of a session over gRPC. */
export interface GrpcSessionContext extends HandlerDependencies {
  readonly requestId: string
}

interface StreamContext extends GrpcSessionContext {
  readonly authenticate: () => Principal
}

/** Serves one session to its end. @throws BlobwireError where the session is refused */
export async function handleSession(stream: Stream, context: GrpcSessionContext): Promise<void> {
  const authorization = metadataValue(stream.metadata, 'authorization')
  const authenticate = () => context.authenticator.authenticate(methods.session.name, authorization)
  authenticate()
  await new GrpcSessionStream(stream, { ...context, authenticate }).serve()
}

class GrpcSessionStream implements SessionStream {
  readonly input: Stream
  readonly #context: StreamContext
  readonly #session: Session
  #isRead = true

  constructor(stream: Stream, context: StreamContext) {
    this.input = stream
    this.#context = context
    this.#session = new Session(this, context)
  }

  /** Resolves when the session has ended. */
  serve(): Promise<void> {
    const session = this.#session
    this.input.on('data', (message: Buffer) => {
      if (session.isOver) return
      try {
        session.receive(decodeProtobuf('SessionRequest', message))
      } catch (error) {
        session.fail(error)
      }
    })
    this.input.on('end', () => void session.finish())
    this.input.on('cancelled', () => session.abandon())
    this.input.on('error', (error) => session.fail(error))
    this.input.on('drain', () => {
      this.#isRead = true
      session.onDrain()
    })
    session.start()
    return session.ended
  }

  get isRead(): boolean {
    return this.#isRead
  }

  send(response: Messages['SessionResponse']): void {
    this.#isRead = this.input.write(toWire('SessionResponse', response as Init<Messages['SessionResponse']>))
  }

  async flushed(): Promise<void> {}

  async end(error: BlobwireError | undefined): Promise<void> {
    if (error) this.input.emit('error', toStatus(error, this.#context.requestId))
    else this.input.end()
  }
}
