import type { BlobwireError } from '../../core/error.ts'
import type { SessionBatch, SessionStream } from '../../transport/session.ts'
import type { OpenStream } from './session-link.ts'

type Opening = Parameters<OpenStream>[0]

/**
 * Makes one session of several streams, one after the other: when a connection takes nothing new, the next stream is
 * opened elsewhere, and from then on frames go there; the old one ends its side and still answers what it has.
 */
export function movable(open: OpenStream, onNewStream: () => void): OpenStream {
  return async (opening) => {
    const stream = new MovingStream(open, opening, onNewStream)
    await stream.start()
    return stream
  }
}

/** One stream of the session, and whether it still owes results. */
interface Leg {
  stream: SessionStream | undefined
  /** Operations sent on it that have no result. */
  owed: number
  /** It ended before it was handed over. */
  ended: { readonly error: BlobwireError | undefined } | undefined
}

class MovingStream implements SessionStream {
  readonly #open: OpenStream
  readonly #opening: Opening
  readonly #onNewStream: () => void
  #current: Leg | undefined
  /** Those that only answer. */
  readonly #leaving = new Set<Leg>()
  #moving = false
  #over = false
  /** Our side is to end, or has. */
  #half = false

  constructor(open: OpenStream, opening: Opening, onNewStream: () => void) {
    this.#open = open
    this.#opening = opening
    this.#onNewStream = onNewStream
  }

  async start(): Promise<void> {
    this.#enter(await this.#openOne())
  }

  send(batch: SessionBatch): boolean {
    const leg = this.#current
    if (leg?.stream === undefined) return false
    leg.owed += batch.operations.length
    return leg.stream.send(batch)
  }

  cancel(ids: readonly number[]): void {
    // Ids of a stream that has nothing more to send are not known on this one, and do no harm.
    this.#current?.stream?.cancel(ids)
    for (const { stream } of this.#leaving) stream?.cancel(ids)
  }

  end(): void {
    this.#half = true
    this.#current?.stream?.end()
  }

  destroy(): void {
    this.#over = true
    this.#current?.stream?.destroy()
    for (const { stream } of this.#leaving) stream?.destroy()
  }

  async #openOne(): Promise<Leg> {
    const leg: Leg = { stream: undefined, owed: 0, ended: undefined }
    leg.stream = await this.#open({
      onStart: () => this.#opening.onStart(),
      onResponse: (response) => {
        leg.owed -= response.results.length
        if (!this.#over) this.#opening.onResponse(response)
      },
      onDrain: () => {
        if (leg === this.#current) this.#opening.onDrain()
      },
      onMove: () => {
        if (leg === this.#current) this.#move()
      },
      onEnd: (error) => {
        leg.ended = { error }
        if (leg === this.#current || this.#leaving.has(leg)) this.#ended(leg, error)
      }
    })
    return leg
  }

  /** Frames go on the old stream until the new one is there. */
  #move(): void {
    if (this.#moving || this.#over || this.#half) return
    this.#moving = true
    this.#onNewStream()
    this.#openOne().then(
      (leg) => {
        this.#moving = false
        if (this.#over) return leg.stream?.destroy()
        const old = this.#current
        this.#enter(leg)
        if (old === undefined || this.#over) return
        this.#leaving.add(old)
        old.stream?.end()
        if (this.#half) leg.stream?.end()
        else this.#opening.onDrain()
      },
      // The old stream is as good as it was; if it ends, so does this session.
      () => {
        this.#moving = false
      }
    )
  }

  #enter(leg: Leg): void {
    this.#current = leg
    const { ended } = leg
    // It failed while it was opened. Who opens it gets it first.
    if (ended) queueMicrotask(() => this.#ended(leg, ended.error))
  }

  /** One that was left may end when it owes nothing; what else ends, ends all. */
  #ended(leg: Leg, error: BlobwireError | undefined): void {
    if (this.#over || (this.#leaving.delete(leg) && error === undefined && leg.owed <= 0)) return
    this.destroy()
    this.#opening.onEnd(error)
  }
}
