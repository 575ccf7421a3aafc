import type { BlobwireError } from '../core/error.ts'
import type { SessionBatch, SessionStream } from '../transport/session-stream.ts'
import type { OpenStream } from './session.ts'

type Opening = Parameters<OpenStream>[0]

/**
 * Makes one session of several streams, one after the other: when a connection takes nothing new, the next stream is
 * opened elsewhere, and from then on frames go there; the old one ends its side and still answers what it has.
 */
export function acrossConnections(open: OpenStream, onNewStream: () => void): OpenStream {
  return async (opening) => {
    const stream = new DrainingStream(open, opening, onNewStream)
    await stream.start()
    return stream
  }
}

/** One stream of the session, and whether it still owes results. */
interface Generation {
  stream: SessionStream | undefined
  /** Operations sent on it that have no result. */
  outstanding: number
  /** It ended before it was handed over. */
  ended: { readonly error: BlobwireError | undefined } | undefined
}

class DrainingStream implements SessionStream {
  readonly #open: OpenStream
  readonly #opening: Opening
  readonly #onNewStream: () => void
  #current: Generation | undefined
  /** Those that only answer. */
  readonly #draining = new Set<Generation>()
  #reopening = false
  #over = false
  /** Our side is to end, or has. */
  #halfClosed = false

  constructor(open: OpenStream, opening: Opening, onNewStream: () => void) {
    this.#open = open
    this.#opening = opening
    this.#onNewStream = onNewStream
  }

  async start(): Promise<void> {
    this.#switchTo(await this.#openOne())
  }

  send(batch: SessionBatch): boolean {
    const generation = this.#current
    if (generation?.stream === undefined) return false
    generation.outstanding += batch.operations.length
    return generation.stream.send(batch)
  }

  cancel(ids: readonly number[]): void {
    // Ids of a stream that has nothing more to send are not known on this one, and do no harm.
    this.#current?.stream?.cancel(ids)
    for (const { stream } of this.#draining) stream?.cancel(ids)
  }

  end(): void {
    this.#halfClosed = true
    this.#current?.stream?.end()
  }

  destroy(): void {
    this.#over = true
    this.#current?.stream?.destroy()
    for (const { stream } of this.#draining) stream?.destroy()
  }

  async #openOne(): Promise<Generation> {
    const generation: Generation = { stream: undefined, outstanding: 0, ended: undefined }
    generation.stream = await this.#open({
      onStart: () => this.#opening.onStart(),
      onResponse: (response) => {
        generation.outstanding -= response.results.length
        if (!this.#over) this.#opening.onResponse(response)
      },
      onDrain: () => {
        if (generation === this.#current) this.#opening.onDrain()
      },
      onGoaway: () => {
        if (generation === this.#current) this.#reopen()
      },
      onEnd: (error) => {
        generation.ended = { error }
        if (generation === this.#current || this.#draining.has(generation)) this.#ended(generation, error)
      }
    })
    return generation
  }

  /** Frames go on the old stream until the new one is there. */
  #reopen(): void {
    if (this.#reopening || this.#over || this.#halfClosed) return
    this.#reopening = true
    this.#onNewStream()
    this.#openOne().then(
      (generation) => {
        this.#reopening = false
        if (this.#over) return generation.stream?.destroy()
        const old = this.#current
        this.#switchTo(generation)
        if (old === undefined || this.#over) return
        this.#draining.add(old)
        old.stream?.end()
        if (this.#halfClosed) generation.stream?.end()
        else this.#opening.onDrain()
      },
      // The old stream is as good as it was; if it ends, so does this session.
      () => {
        this.#reopening = false
      }
    )
  }

  #switchTo(generation: Generation): void {
    this.#current = generation
    const { ended } = generation
    // It failed while it was opened. Who opens it gets it first.
    if (ended) queueMicrotask(() => this.#ended(generation, ended.error))
  }

  /** One that was left may end when it owes nothing; what else ends, ends all. */
  #ended(generation: Generation, error: BlobwireError | undefined): void {
    if (this.#over || (this.#draining.delete(generation) && error === undefined && generation.outstanding <= 0)) return
    this.destroy()
    this.#opening.onEnd(error)
  }
}
