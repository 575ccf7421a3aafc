import { invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { Principal } from './context.ts'
import type { Service } from './service.ts'

type Response = Messages['SessionResponse']

/** Operations that one session may have under way; beyond it nothing more is read from it. */
const maxRunning = 20_000
/**
 * Frames of one session that are carried out at the same time; as many as the client's window has. Each may have an
 * answer of `max_batch_bytes`, which waits in memory where the client does not read.
 */
const maxFramesAtOnce = 64

/** What a session stands on. */
export interface SessionParts {
  readonly service: Service
  readonly requestId: string
  /** Asked for each frame, because rights can expire. @throws BlobwireError */
  readonly authenticate: () => Principal
  /** Sends a message to the client. */
  readonly send: (response: Response) => void
  /** Whether the client reads its answers: while it does not, no frame is begun. */
  readonly isRead: () => boolean
  /** Fewer operations than the most are under way again. */
  readonly onRoom: () => void
}

/**
 * The server's side of a session, whatever door it came through: frames are carried out at the same time and answered as
 * they are done. Every operation gets one result, cancelled ones too.
 */
export class SessionRunner {
  readonly #parts: SessionParts
  /** Those that wait, too. */
  readonly #frames = new Set<RunningFrame>()
  #waiting: RunningFrame[] = []
  /** Those that may have a large answer. */
  readonly #begun = new Set<RunningFrame>()
  #running = 0
  #onIdle: (() => void) | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** No more should be read for now. */
  get full(): boolean {
    return this.#running >= maxRunning
  }

  /** Says that the session stands: whoever holds back one direction of a stream does not let it through. */
  greet(): void {
    this.#parts.send({ results: [] })
  }

  /** @throws BlobwireError `invalid_argument` for what the session cannot go on after */
  receive({ batch, cancel }: Messages['SessionRequest']): void {
    if (batch) this.#start(batch)
    else if (cancel) this.#cancel(cancel.ids)
    else throw invalidArgument('frame', 'must be batch or cancel')
  }

  /** Resolves when all that was received has been answered. */
  finished(): Promise<void> {
    if (this.#frames.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** The client reads again. */
  goOn(): void {
    while (this.#waiting.length > 0 && this.#begun.size < maxFramesAtOnce && this.#parts.isRead()) {
      this.#begin(this.#waiting.shift() as RunningFrame)
    }
  }

  /** The client has gone: nobody waits for answers. */
  abandon(): void {
    for (const frame of this.#waiting) this.#frames.delete(frame)
    this.#waiting = []
    for (const frame of this.#frames) frame.abandon()
  }

  #start(batch: Messages['SessionBatch']): void {
    const { firstId, operations } = batch
    // It would count for nothing among what may be under way, however many there are.
    if (operations.length === 0) throw invalidArgument('batch.operations', 'must not be empty')
    const endId = firstId + operations.length
    if (!Number.isSafeInteger(endId)) throw invalidArgument('batch.firstId', 'is too large')
    for (const { batch: other } of this.#frames) {
      if (firstId < other.firstId + other.operations.length && other.firstId < endId) {
        throw invalidArgument('batch.firstId', `ids from ${firstId} are those of operations under way`)
      }
    }
    const frame = new RunningFrame(batch)
    this.#frames.add(frame)
    this.#running += operations.length
    this.#waiting.push(frame)
    this.goOn()
  }

  #begin(frame: RunningFrame): void {
    if (!frame.signal.aborted) this.#begun.add(frame)
    this.#run(frame).then((response) => {
      const wasFull = this.full
      this.#begun.delete(frame)
      this.#frames.delete(frame)
      this.#running -= frame.batch.operations.length
      if (response.results.length > 0) this.#parts.send(response)
      if (wasFull && !this.full) this.#parts.onRoom()
      this.goOn()
      if (this.#frames.size === 0) this.#onIdle?.()
    })
  }

  async #run(frame: RunningFrame): Promise<Response> {
    const { service, authenticate, requestId } = this.#parts
    const { firstId, repository, operations } = frame.batch
    const rules = { signal: frame.signal, requestId, isCancelled: (index: number) => frame.isCancelled(index) }
    const results = await service.sessionBatch({ repository, operations, atomic: false }, authenticate, rules)
    return { results: results.map((result, index) => ({ id: firstId + index, result })) }
  }

  #cancel(ids: readonly number[]): void {
    // By operation, not by id: a client may name any number of ids.
    const wanted = new Set(ids)
    for (const frame of this.#frames) {
      frame.cancel(wanted)
      // Its answer will be small, whenever it comes.
      if (frame.signal.aborted) this.#begun.delete(frame)
    }
    this.goOn()
  }
}

/** A frame that is being carried out. */
class RunningFrame {
  readonly batch: Messages['SessionBatch']
  readonly #controller = new AbortController()
  #cancelled: Set<number> | undefined

  constructor(batch: Messages['SessionBatch']) {
    this.batch = batch
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  isCancelled(index: number): boolean {
    return this.#cancelled?.has(index) ?? false
  }

  cancel(ids: ReadonlySet<number>): void {
    const { firstId, operations } = this.batch
    for (let index = 0; index < operations.length; index++) {
      if (!ids.has(firstId + index)) continue
      this.#cancelled ??= new Set()
      this.#cancelled.add(index)
    }
    if (this.#cancelled?.size === operations.length) this.abandon()
  }

  abandon(): void {
    this.#controller.abort()
  }
}
