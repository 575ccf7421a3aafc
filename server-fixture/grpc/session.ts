/** Sessions as bidi streams of gRPC. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { encodeProtobuf } from '../../src/codec/protobuf.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { drainStream } from '../http/drain.ts'
import type { HandlerDependencies } from '../listener.ts'
import type { ConnectionBudget } from '../memory-budget.ts'
import type { RequestRecord } from '../metrics/request-record.ts'
import type { Principal } from '../service/context.ts'
import { Session, type SessionStream } from '../service/session.ts'
import { EncodedOnce } from '../service/watch/encoded-once.ts'
import { toStatus } from './errors.ts'
import type { IncomingCall } from './incoming-calls.ts'
import { metadataValue } from './metadata.ts'
import { decodeRequest, encodeResponse, prefixBytes, type RawRequest } from './requests.ts'

type Stream = ServerDuplexStream<RawRequest, object>

/** The context of a session over gRPC. */
export interface GrpcSessionContext extends HandlerDependencies {
  readonly call: IncomingCall
  readonly requestId: string
}

interface StreamContext extends GrpcSessionContext {
  readonly authenticate: () => Principal
  readonly budget: ConnectionBudget
  readonly record: RequestRecord
}

/** Serves one session to its end. @throws BlobwireError where the session is refused */
export async function handleSession(stream: Stream, context: GrpcSessionContext): Promise<void> {
  const authorization = metadataValue(stream.metadata, 'authorization')
  const authenticate = () => context.authenticator.authenticate(methods.session.name, authorization)
  const { charge, record } = context.call
  record.lasts()
  await new GrpcSessionStream(stream, { ...context, authenticate, budget: charge.connection, record }).serve()
}

const updates = new EncodedOnce((response: Messages['SessionResponse']) => encodeProtobuf('SessionResponse', response))

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
    const { call } = this.#context
    call.onFull = (error) => session.stop(error)
    call.onChunk = () => session.partial.grew()
    // `watchConnections` has set the time.
    call.stream.on('timeout', () => void session.finish())
    this.input.on('data', (message: RawRequest) => {
      session.partial.reset()
      if (!session.takesNothing) this.#take(message)
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

  get unreadBytes(): number {
    return this.#context.call.stream.readableLength
  }

  get isRead(): boolean {
    return this.#isRead
  }

  send(response: Messages['SessionResponse']): void {
    const { record } = this.#context.call
    if (response.updates.length > 0) {
      const bytes = updates.of(response)
      record.sent(bytes.length, bytes.length)
      this.#isRead = this.input.write(bytes)
      return
    }
    const message = response as Init<Messages['SessionResponse']>
    this.#isRead = this.input.write(encodeResponse('SessionResponse', message, record))
  }

  #take(message: RawRequest): void {
    const { call, service } = this.#context
    const charge = call.charge.split(prefixBytes + message.bytes.length)
    const { encoding, record } = call
    try {
      const maxBytes = service.limits.maxBatchBytes
      const decode = () => decodeRequest('SessionRequest', message, { encoding, maxBytes, charge, record })
      this.#session.receive(message.isCompressed ? this.#session.inflating.run(decode) : decode(), charge)
    } catch (error) {
      charge.release()
      this.#session.stop(error)
    }
  }

  async flushed(): Promise<void> {}

  async end(error: BlobwireError | undefined): Promise<void> {
    if (error === undefined) {
      this.input.end()
      return
    }
    this.#context.record.failed(error)
    this.input.emit('error', toStatus(error, this.#context.requestId))
    // The client may read nothing, and send on.
    drainStream(this.#context.call.stream.removeAllListeners('data'))
  }
}
