import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import type { SessionBatch, SessionOpening, SessionStream } from '../transport/session-stream.ts'

/**
 * A server, or what is in between, that has not said anything on a stream for this long after it was opened holds back
 * one direction until the other has ended. The server's first message needs one round trip.
 */
const silenceMs = 1500
/** A session without work is ended, so that neither side keeps what nobody uses. */
const idleMs = 90_000

/** Opens the stream: with a token that has to be fetched first, later. */
export type OpenStream = (opening: Omit<SessionOpening, 'headers'>) => Promise<SessionStream>

/** What a link tells. */
export interface SessionEvents {
  onResponse(response: Messages['SessionResponse']): void
  /** Whether anything waits for an answer. */
  isBusy(): boolean
  /** There is room for a frame again. */
  onRoom(): void
  /** It is over; `established` = the server had spoken on it. No error = it ended in good order. */
  onBroken(error: BlobwireError | undefined, established: boolean): void
}

/** One session from its opening to its end. */
export class Session {
  readonly #clock: Clock
  readonly #events: SessionEvents
  #stream: SessionStream | undefined
  #hasRoom = false
  #established = false
  #over = false
  #usedAtMs: number
  #cancelSilence: (() => void) | undefined
  #cancelIdle: (() => void) | undefined

  constructor(open: OpenStream, clock: Clock, events: SessionEvents) {
    this.#clock = clock
    this.#events = events
    this.#usedAtMs = clock.now()
    const opening = {
      onStart: () => {
        if (!this.#established) this.#cancelSilence = clock.schedule(silenceMs, () => this.#silent())
      },
      onResponse: (response: Messages['SessionResponse']) => this.#receive(response),
      onDrain: () => this.#makeRoom(),
      // Who opens streams has opened another one already.
      onGoaway: () => undefined,
      onEnd: (error: BlobwireError | undefined) => this.#end(error)
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

  /** Whether the server has spoken on it. */
  get established(): boolean {
    return this.#established
  }

  send(batch: SessionBatch): void {
    this.#usedAtMs = this.#clock.now()
    this.#hasRoom = this.#stream?.send(batch) ?? false
  }

  cancel(ids: readonly number[]): void {
    this.#stream?.cancel(ids)
  }

  /** Lets go at once; nothing is told any more. */
  destroy(): void {
    this.#finish()
    this.#stream?.destroy()
  }

  #makeRoom(): void {
    if (this.#over || this.#hasRoom || this.#stream === undefined) return
    this.#hasRoom = true
    this.#events.onRoom()
  }

  #receive(response: Messages['SessionResponse']): void {
    if (this.#over) return
    this.#established = true
    this.#cancelSilence?.()
    this.#cancelSilence = undefined
    this.#events.onResponse(response)
  }

  #silent(): void {
    const message = `nothing came on the session within ${silenceMs} ms: something on the way buffers streams`
    this.#end(new BlobwireError({ code: 'unimplemented', reason: 'session_silent', message, sent: 'maybe' }))
    this.#stream?.destroy()
  }

  #watchIdle(delayMs: number): void {
    this.#cancelIdle = this.#clock.schedule(delayMs, () => {
      const restMs = this.#usedAtMs + idleMs - this.#clock.now()
      if (restMs > 0 || this.#events.isBusy()) return this.#watchIdle(Math.max(restMs, idleMs / 10))
      this.#stream?.end()
      this.#end(undefined)
    })
  }

  #end(error: BlobwireError | undefined): void {
    if (this.#over) return
    this.#finish()
    this.#events.onBroken(error, this.#established)
  }

  #finish(): void {
    this.#over = true
    this.#hasRoom = false
    this.#cancelSilence?.()
    this.#cancelIdle?.()
  }
}
