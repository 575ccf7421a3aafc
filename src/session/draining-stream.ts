/**
 * One session over several streams, one after the other. When the connection of a stream takes no new requests (GOAWAY,
 * age), the next stream is opened on another connection and frames go there; the old stream half-closes, drains (it still
 * answers what it has), and ends.
 */
import type { BlobwireError } from '../core/error.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { SessionFrame } from '../transport/session-frame.ts'
import type { SessionStream } from '../transport/session-stream.ts'
import type { OpenStream } from './session.ts'

type Opening = Parameters<OpenStream>[0]

/** Opens sessions that outlive the connection of their stream. */
export function acrossConnections(open: OpenStream, onNewStream: () => void): OpenStream {
  return async (opening) => {
    const stream = new DrainingStream(open, opening, onNewStream)
    await stream.start()
    return stream
  }
}

/** One stream of the session. */
interface Generation {
  stream: SessionStream | undefined
  /** Operations sent on the stream that have no result. */
  outstanding: number
  /** The stream ended before it was in use. */
  ended: { readonly error: BlobwireError | undefined } | undefined
}

class DrainingStream implements SessionStream {
  readonly #open: OpenStream
  readonly #opening: Opening
  readonly #onNewStream: () => void
  #current: Generation | undefined
  /** Generations that only answer. */
  readonly #draining = new Set<Generation>()
  #isReopening = false
  #over = false
  /** The client sends nothing more. */
  #halfClosed = false

  constructor(open: OpenStream, opening: Opening, onNewStream: () => void) {
    this.#open = open
    this.#opening = opening
    this.#onNewStream = onNewStream
  }

  async start(): Promise<void> {
    this.#switchTo(await this.#openGeneration())
  }

  send(frame: SessionFrame): boolean {
    const generation = this.#current
    if (generation?.stream === undefined) return false
    generation.outstanding += frame.operations.length
    return generation.stream.send(frame)
  }

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    this.#current?.stream?.watch(id, request)
  }

  cancel(ids: readonly number[]): void {
    // The server passes over ids that it does not know on a stream.
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

  async #openGeneration(): Promise<Generation> {
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

  /** Frames go on the old stream until the new one is open. */
  #reopen(): void {
    if (this.#isReopening || this.#over || this.#halfClosed) return
    this.#isReopening = true
    this.#onNewStream()
    this.#openGeneration().then(
      (generation) => {
        this.#isReopening = false
        if (this.#over) return generation.stream?.destroy()
        const old = this.#current
        this.#switchTo(generation)
        if (old === undefined || this.#over) return
        this.#draining.add(old)
        old.stream?.end()
        if (this.#halfClosed) generation.stream?.end()
        else this.#opening.onDrain()
      },
      // The old stream is as good as it was; when it ends, so does this session.
      () => {
        this.#isReopening = false
      }
    )
  }

  #switchTo(generation: Generation): void {
    this.#current = generation
    const { ended } = generation
    // The stream failed while it was opened. Its opener gets the stream first, then the error.
    if (ended) queueMicrotask(() => this.#ended(generation, ended.error))
  }

  /** A drained stream may end when it has nothing outstanding; any other end is that of the session. */
  #ended(generation: Generation, error: BlobwireError | undefined): void {
    if (this.#over) return
    const isDrained = this.#draining.delete(generation) && error === undefined && generation.outstanding <= 0
    if (isDrained) return
    this.destroy()
    this.#opening.onEnd(error)
  }
}
