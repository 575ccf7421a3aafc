/** The server's side of a session, the same for both listeners: its start, flow control, draining and end. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { type Charge, type ConnectionBudget, isFull } from '../memory-budget.ts'
import type { RequestRecord } from '../metrics/request-record.ts'
import type { TransportMetrics } from '../metrics/transport-metrics.ts'
import type { UnreadStream } from '../unread-streams.ts'
import type { Principal } from './context.ts'
import { toBlobwireError } from './error-detail.ts'
import { InflateQueue } from './inflate-queue.ts'
import { PartialMessage } from './partial-message.ts'
import { SessionFrames } from './session-frames.ts'
import type { VcsService } from './vcs-service.ts'

/** Messages of one session that are being decompressed at the same time; with more, nothing more is read from it. */
const maxDecoding = 16

/** The stream of a session, as its protocol offers it. */
export interface SessionStream {
  /** Whether the client reads its answers. While it does not, the session neither reads nor starts frames. */
  readonly isRead: boolean
  /** Bytes that came and were not read. */
  readonly unreadBytes: number
  /** The client's side of the stream, which the session pauses and resumes. */
  readonly input: { pause(): unknown; resume(): unknown }
  send(response: Messages['SessionResponse']): void
  /** Resolves when every response has been written to the stream. */
  flushed(): Promise<unknown>
  /** Ends the stream, with an error if the session failed; resolves when it has ended. */
  end(error: BlobwireError | undefined): Promise<void>
}

/** The context of a session. */
export interface SessionContext {
  readonly service: VcsService
  readonly requestId: string
  /** The budget of the session's connection. */
  readonly budget: ConnectionBudget
  /** The figures of the session's transport. */
  readonly record: Pick<RequestRecord, 'metrics' | 'beginFrame' | 'tracing' | 'transport'>
  /** Called for each frame. @throws BlobwireError */
  readonly authenticate: () => Principal
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
  /** Time for a message to arrive. */
  readonly bodyTimeoutMs: number
}

/** One session. Its protocol reports what happens on the stream; the session answers by the methods of the stream. */
export class Session implements UnreadStream {
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>
  readonly #stream: SessionStream
  readonly #draining: AbortSignal
  readonly #frames: SessionFrames
  readonly #metrics: TransportMetrics
  readonly #resolveEnded: () => void
  #isOver = false
  /** The budget had no room for a message: it and all that follow are not answered. */
  #refusal: BlobwireError | undefined
  readonly #budget: ConnectionBudget
  readonly #offRoom: () => void
  /** The message that is arriving. */
  readonly partial: PartialMessage
  /** Decompresses messages in turn. */
  readonly inflating: InflateQueue
  /** Messages are taken in the order in which they came. */
  #decoding: Promise<void> = Promise.resolve()
  #decodingCount = 0

  constructor(stream: SessionStream, context: SessionContext) {
    const { service, requestId, budget, authenticate, draining } = context
    this.partial = new PartialMessage(context.bodyTimeoutMs)
    this.#stream = stream
    this.#budget = budget
    this.#draining = draining
    this.#metrics = context.record.metrics
    this.#metrics.sessionOpened()
    this.#frames = new SessionFrames({
      service,
      requestId,
      record: context.record,
      budget,
      authenticate,
      send: (response) => this.#send(response),
      isRead: () => stream.isRead,
      onRoom: () => this.#resume()
    })
    this.inflating = new InflateQueue({ budget, hasPending: () => this.#frames.hasPending })
    this.#offRoom = budget.onRoom(() => this.#resume())
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#resolveEnded = resolve
  }

  /** Bytes that wait in the window of the stream. */
  get unreadBytes(): number {
    return this.#stream.unreadBytes
  }

  /** Nothing more is sent or received. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** What comes is dropped: the session is over, or a message was refused. */
  get takesNothing(): boolean {
    return this.#isOver || this.#refusal !== undefined
  }

  /** Greets the client with an empty message: a proxy that buffers one direction of a stream blocks it. */
  start(): void {
    this.#draining.addEventListener('abort', this.#drain)
    this.#send({ results: [], updates: [] })
    if (this.#draining.aborted) this.#drain()
  }

  /** The client sent a message, perhaps one that is still being decompressed. The session releases its charge. */
  receive(message: Messages['SessionRequest'] | Promise<Messages['SessionRequest']>, charge: Charge): void {
    if (message instanceof Promise || this.#decodingCount > 0) this.#takeInTurn(message, charge)
    else this.#take(message, charge)
    if (!this.#hasRoom) this.#pause()
  }

  /** The client reads its answers again. */
  onDrain(): void {
    this.#frames.startWaiting()
    this.#frames.watches.resume()
    this.#resume()
  }

  /** The client sends no more: answers every message that was received, then ends the stream. */
  async finish(): Promise<void> {
    await this.#decoding
    this.#frames.watches.drain()
    await this.#frames.finished()
    await this.#stream.flushed()
    // A message may be refused after the client has ended its side.
    this.#end(this.#refusal)
  }

  /** The budget has no room for a message: answers those before it, then ends the stream with the error. */
  refuse(error: BlobwireError): void {
    if (this.#refusal !== undefined) return
    this.#refusal = error
    this.inflating.close()
    void this.finish()
  }

  /** The stream is of no more use: by an error of the budget after what is pending, by others at once. */
  stop(error: unknown): void {
    // A client that reads nothing would never have the answers that a refusal waits for.
    if (isFull(error) && this.#stream.isRead) this.refuse(error)
    else this.fail(error)
  }

  /** Ends the stream with an error, and answers nothing more. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#frames.abandon()
    this.#end(toBlobwireError(error))
  }

  /** The client has gone. */
  abandon(): void {
    if (!this.#isOver) this.#frames.abandon()
    this.#close()
    this.#resolveEnded()
  }

  /** The server drains: unread messages are not answered; the client sends them again elsewhere. */
  readonly #drain = (): void => {
    this.#pause()
    void this.finish()
  }

  get #hasRoom(): boolean {
    return !this.#frames.full && this.#decodingCount <= maxDecoding && this.#stream.isRead
  }

  #pause(): void {
    this.#budget.unread.add(this)
    this.#stream.input.pause()
  }

  #resume(): void {
    this.inflating.wake()
    if (this.#isOver || this.#draining.aborted || !this.#hasRoom) return
    this.partial.reset()
    this.#budget.unread.delete(this)
    this.#stream.input.resume()
  }

  #take(message: Messages['SessionRequest'], charge: Charge): void {
    if (this.takesNothing) {
      charge.release()
      return
    }
    try {
      this.#frames.receive(message, charge)
    } catch (error) {
      charge.release()
      this.fail(error)
    }
  }

  #takeInTurn(message: Messages['SessionRequest'] | Promise<Messages['SessionRequest']>, charge: Charge): void {
    this.#decodingCount++
    this.#decoding = Promise.all([message, this.#decoding]).then(
      ([decoded]) => {
        this.#decodingCount--
        this.#take(decoded, charge)
        this.#resume()
      },
      (error) => {
        charge.release()
        this.stop(error)
      }
    )
  }

  #send(response: Messages['SessionResponse']): void {
    if (this.#isOver) return
    try {
      this.#stream.send(response)
    } catch (cause) {
      // The end of the session, and not of the server: this may be the reaction of a promise that nobody waits for.
      return this.fail(new BlobwireError({ code: 'internal', message: 'an answer could not be encoded', cause }))
    }
    if (!this.#stream.isRead) this.#pause()
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#isOver) return
    this.#close()
    void this.#stream.end(error).then(this.#resolveEnded)
  }

  #close(): void {
    if (!this.#isOver) this.#metrics.sessionEnded()
    this.#isOver = true
    this.#offRoom()
    this.#budget.unread.delete(this)
    this.inflating.close()
    this.#draining.removeEventListener('abort', this.#drain)
  }
}
