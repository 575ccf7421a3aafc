/** One session from its opening to its end, as the batcher uses it. */
import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { SessionFrame } from '../transport/session-frame.ts'
import type { SessionOpening, SessionStream } from '../transport/session-stream.ts'

/**
 * The server greets a session at once, which takes one round trip. Nothing for so long means that something on the way
 * holds back one direction until the other has ended.
 */
const greetingMs = 1500
/** An unused session ends after this long, so that neither side keeps it for nothing. */
const idleMs = 90_000

/** Time for the server to end the stream of a session that the client has ended. */
const endMs = 1000

/** Opens the stream; a token may have to be fetched first. */
export type OpenStream = (opening: Omit<SessionOpening, 'headers'>) => Promise<SessionStream>

/** Hears of a session. */
export interface SessionListener {
  onResponse(response: Messages['SessionResponse']): void
  /** Whether an operation waits for an answer. */
  isBusy(): boolean
  /** There is room for a frame again. */
  onRoom(): void
  /** The session is over; `established` = the server had greeted it. No error = it ended in good order. */
  onBroken(error: BlobwireError | undefined, established: boolean): void
}

export class Session {
  readonly #clock: Clock
  readonly #listener: SessionListener
  #stream: SessionStream | undefined
  #hasRoom = false
  /** When its latest stream had a connection. */
  startedAtMs = Number.NEGATIVE_INFINITY
  #established = false
  #over = false
  #usedAtMs: number
  #cancelGreeting: (() => void) | undefined
  #cancelIdle: (() => void) | undefined
  #onEnded: (() => void) | undefined

  constructor(open: OpenStream, clock: Clock, listener: SessionListener) {
    this.#clock = clock
    this.#listener = listener
    this.#usedAtMs = clock.now()
    const opening = {
      onStart: () => {
        this.startedAtMs = clock.now()
        if (!this.#established) this.#cancelGreeting = clock.schedule(greetingMs, () => this.#silent())
      },
      onResponse: (response: Messages['SessionResponse']) => this.#receive(response),
      onDrain: () => this.#makeRoom(),
      // The stream under this session opens another one by itself.
      onGoaway: () => undefined,
      onEnd: (error: BlobwireError | undefined) => {
        this.#onEnded?.()
        this.#end(error)
      }
    }
    open(opening).then(
      (stream) => {
        this.#stream = stream
        if (this.#over) stream.destroy()
        else this.#makeRoom()
      },
      (error) => this.#end(error)
    )
    this.#watchIdle(idleMs)
  }

  /** Whether a frame can be sent now. */
  get hasRoom(): boolean {
    return this.#hasRoom
  }

  send(frame: SessionFrame): void {
    this.#usedAtMs = this.#clock.now()
    this.#hasRoom = this.#stream?.send(frame) ?? false
  }

  cancel(ids: readonly number[]): void {
    this.#stream?.cancel(ids)
  }

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    this.#usedAtMs = this.#clock.now()
    this.#stream?.watch(id, request)
  }

  /** Ends a session on which no operation waits; resolves when its stream is over. */
  async end(): Promise<void> {
    const stream = this.#stream
    if (stream === undefined || this.#over) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEnded = resolve
    const cancel = this.#clock.schedule(endMs, resolve)
    stream.end()
    this.#end(undefined)
    await promise
    cancel()
    stream.destroy()
  }

  /** Ends the session at once; the listener hears nothing more. */
  destroy(): void {
    this.#finish()
    this.#stream?.destroy()
  }

  #makeRoom(): void {
    if (this.#over || this.#hasRoom || this.#stream === undefined) return
    this.#hasRoom = true
    this.#listener.onRoom()
  }

  #receive(response: Messages['SessionResponse']): void {
    if (this.#over) return
    this.#established = true
    this.#cancelGreeting?.()
    this.#cancelGreeting = undefined
    this.#listener.onResponse(response)
  }

  #silent(): void {
    const message = `no greeting on the session within ${greetingMs} ms: something on the way buffers streams`
    this.#end(new BlobwireError({ reason: 'session_silent', message, sent: 'maybe' }))
    this.#stream?.destroy()
  }

  #watchIdle(delayMs: number): void {
    this.#cancelIdle = this.#clock.schedule(delayMs, () => {
      const leftMs = this.#usedAtMs + idleMs - this.#clock.now()
      if (leftMs > 0 || this.#listener.isBusy()) return this.#watchIdle(Math.max(leftMs, idleMs / 10))
      this.#stream?.end()
      this.#end(undefined)
    })
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#over) return
    this.#finish()
    this.#listener.onBroken(error, this.#established)
  }

  #finish(): void {
    this.#over = true
    this.#hasRoom = false
    this.#cancelGreeting?.()
    this.#cancelIdle?.()
  }
}
