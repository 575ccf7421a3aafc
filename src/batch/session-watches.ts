/** The watches on a session: begins them once it is open, and gives each what is new. */
import { BlobwireError } from '../core/error.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { errorOfOperation, malformedResponse } from '../transport/errors.ts'

type Request = Init<Messages['WatchRefsRequest']>

/**
 * Above the ids of operations: `cancel` has one list for both. Sessions of many clients have the same ids for their
 * watches, so that the server encodes an update of all of them once.
 */
const firstId = 2 ** 52

/** Hears of one watch. */
export interface WatchListener {
  onMessage(message: Messages['WatchRefsResponse']): void
  /** Called once, last; undefined = the session has ended, and the watch goes on at another one. */
  onEnd(error: BlobwireError | undefined): void
}

/** The session, as its watches see it. */
export interface WatchedSession {
  /** Whether a watch can be begun now. */
  readonly hasRoom: boolean
  watch(id: number, request: Request): void
  cancel(ids: readonly number[]): void
}

interface Waiting {
  readonly request: Request
  readonly listener: WatchListener
}

export class SessionWatches {
  #nextId = firstId
  readonly #open = new Map<number, WatchListener>()
  #waiting: Waiting[] = []

  /** Watches, those included that wait for the session. */
  get size(): number {
    return this.#open.size + this.#waiting.length
  }

  add(request: Request, listener: WatchListener): void {
    this.#waiting.push({ request, listener })
  }

  /** Begins the watches that wait. */
  begin(session: WatchedSession | undefined): void {
    if (this.#waiting.length === 0 || !session?.hasRoom) return
    for (const { request, listener } of this.#waiting.splice(0)) {
      const id = this.#nextId++
      this.#open.set(id, listener)
      session.watch(id, request)
    }
  }

  /** The caller wants no more of a watch; its listener hears nothing more. */
  remove(listener: WatchListener, session: WatchedSession | undefined): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.listener !== listener)
    for (const [id, other] of this.#open) {
      if (other !== listener) continue
      this.#open.delete(id)
      session?.cancel([id])
    }
  }

  /** Gives updates to their watches. Returns the error of one that has ended because of its token. */
  receive(updates: Messages['SessionResponse']['updates']): BlobwireError | undefined {
    let refusal: BlobwireError | undefined
    for (const { ids, update, error } of updates) {
      const end = error && errorOfOperation(error)
      if (end?.code === 'unauthenticated') refusal = end
      for (const id of ids) {
        const listener = this.#open.get(id)
        if (end) this.#open.delete(id)
        // Those that were cancelled may hear something that was under way.
        if (end) listener?.onEnd(end.is('watch_moved') ? undefined : end)
        else if (update) listener?.onMessage(update)
        else throw malformedResponse('an update of a watch without content')
      }
    }
    return refusal
  }

  /** The session is over. */
  end(error: BlobwireError | undefined): void {
    const listeners = [...this.#open.values(), ...this.#waiting.map(({ listener }) => listener)]
    this.#open.clear()
    this.#waiting = []
    for (const listener of listeners) listener.onEnd(error)
  }
}

/** The error of a watch of a client without sessions. */
export function watchNeedsSession(): BlobwireError {
  const message =
    'a watch needs a session; the client has none, because of its option `batch: false` or of too many tokens'
  return new BlobwireError({ code: 'unimplemented', message, sent: 'never' })
}
