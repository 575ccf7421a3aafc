/** A session between a client and a server in the same process. */
import { Charge, type ConnectionBudget } from '../server-fixture/memory-budget.ts'
import { Session } from '../server-fixture/service/session.ts'
import type { Codec, WireObject } from '../src/codec/codec.ts'
import type { BlobwireError } from '../src/core/error.ts'
import type { Init } from '../src/schema/descriptor.ts'
import type { Messages } from '../src/schema/messages.ts'
import { methods } from '../src/schema/methods.ts'
import { asResponseError } from '../src/transport/errors.ts'
import { frameMessage, type SessionFrame } from '../src/transport/session-frame.ts'
import type { SessionOpening, SessionStream } from '../src/transport/session-stream.ts'
import { answerError, turn } from './local-call.ts'
import type { LocalServer } from './local-server.ts'
import { type CallStream, resetError } from './local-stream.ts'

/** Messages arrive whole: nothing waits for the rest of one. */
const bodyTimeoutMs = 30_000

/** Opens a session; what goes wrong comes as its end. */
export function openLocalSession(
  server: LocalServer,
  codec: Codec<'json' | 'msgpack'>,
  opening: SessionOpening
): SessionStream {
  return new LocalSession(server, codec, opening)
}

/** Both sides: messages are encoded on one, and decoded on the other in a later turn of the event loop. */
class LocalSession implements SessionStream {
  readonly #codec: Codec<'json' | 'msgpack'>
  readonly #opening: SessionOpening
  readonly #toServer: Uint8Array[] = []
  readonly #budget: ConnectionBudget
  #session: Session | undefined
  #stream: CallStream | undefined
  #isHalfClosed = false
  #isPaused = false
  #isOver = false

  constructor(server: LocalServer, codec: Codec<'json' | 'msgpack'>, opening: SessionOpening) {
    this.#codec = codec
    this.#opening = opening
    this.#budget = server.memory.of(this)
    turn(() => this.#start(server))
  }

  #start(server: LocalServer): void {
    if (this.#isOver) return
    const { headers } = this.#opening
    const authenticate = () => server.authenticator.authenticate(methods.session.name, headers['authorization'])
    try {
      const { requestId, stream } = server.arrive(methods.session.name, headers)
      this.#stream = stream
      stream.onClosed(() => this.#end(resetError()))
      authenticate()
      const { name } = this.#codec
      const record = {
        metrics: server.metrics.transports[name],
        transport: name,
        tracing: undefined,
        beginFrame: () => undefined
      }
      const { service, draining } = server
      const rest = { budget: this.#budget, record, authenticate, draining, bodyTimeoutMs }
      this.#session = new Session(this.#serverSide(), { service, requestId, ...rest })
    } catch (error) {
      this.#end(answerError(error, headers['x-request-id'] ?? ''))
      return
    }
    this.#opening.onStart()
    this.#session.start()
    this.#pump()
  }

  /** The stream as the server has it. */
  #serverSide(): ConstructorParameters<typeof Session>[0] {
    return {
      isRead: true,
      unreadBytes: 0,
      input: {
        pause: () => {
          this.#isPaused = true
        },
        resume: () => {
          this.#isPaused = false
          turn(() => this.#pump())
        }
      },
      send: (response) => {
        const bytes = this.#codec.encode('SessionResponse', response as Init<Messages['SessionResponse']>)
        turn(() => this.#receive(bytes))
      },
      flushed: async () => undefined,
      end: (error) =>
        new Promise((resolve) => {
          turn(() => {
            this.#end(error && answerError(error, ''))
            resolve()
          })
        })
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isOver) return
    try {
      this.#opening.onResponse(this.#codec.decode('SessionResponse', this.#stream?.corrupted(bytes) ?? bytes))
    } catch (error) {
      this.#end(asResponseError(error))
    }
  }

  /** Hands the client's messages to the server. */
  #pump(): void {
    const session = this.#session
    while (session !== undefined && !this.#isPaused && !this.#isOver) {
      const bytes = this.#toServer.shift()
      if (bytes === undefined) break
      const charge = new Charge(this.#budget)
      try {
        charge.add(bytes.length)
        session.receive(this.#codec.decode('SessionRequest', bytes), charge)
      } catch (error) {
        charge.release()
        session.stop(error)
      }
    }
    if (this.#isHalfClosed && this.#toServer.length === 0) void session?.finish()
  }

  send(frame: SessionFrame): boolean {
    this.#write(frameMessage(frame, this.#codec.long))
    frame.events?.event('sent', { requestId: this.#opening.headers['x-request-id'] })
    return true
  }

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    this.#write(this.#codec.prepare('SessionRequest', { watch: { id, request } }))
  }

  cancel(ids: readonly number[]): void {
    this.#write(this.#codec.prepare('SessionRequest', { cancel: { ids } }))
  }

  #write(message: WireObject): void {
    if (this.#isOver || this.#isHalfClosed) return
    // Copied: a piece may be a caller's content, which the caller may change once the call has settled.
    this.#toServer.push(Buffer.concat(this.#codec.write('SessionRequest', message, 0)))
    turn(() => this.#pump())
  }

  end(): void {
    this.#isHalfClosed = true
    turn(() => this.#pump())
  }

  destroy(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#session?.abandon()
    this.#stream?.close()
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#isOver) return
    this.destroy()
    this.#opening.onEnd(error?.with({ transport: this.#codec.name }))
  }
}
