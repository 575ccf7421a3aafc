/** The watches of one session. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { CallContext, Principal } from './context.ts'
import { operationError, toBlobwireError } from './error-detail.ts'
import type { VcsService } from './vcs-service.ts'
import type { WatchMessage } from './watch/watch-messages.ts'
import { type OpenWatch, tooManyWatches } from './watch/watches.ts'

/** Of one session. */
const maxWatches = 1000

/** The session, as its watches see it. */
export interface SessionWatchesDependencies {
  readonly service: VcsService
  readonly requestId: string
  readonly authenticate: () => Principal
  readonly send: (response: Messages['SessionResponse']) => void
  readonly isRead: () => boolean
}

type Update = Messages['SessionUpdate'] & { readonly update: WatchMessage }

/** By the ids of the watches. */
const responses = new WeakMap<WatchMessage, Map<string, Messages['SessionResponse']>>()

/** The answer with this update alone: sessions whose watches have the same ids send the same one, which is encoded once. */
function shared(update: Update): Messages['SessionResponse'] {
  const found = responses.get(update.update) ?? new Map<string, Messages['SessionResponse']>()
  responses.set(update.update, found)
  const key = update.ids.join()
  const response = found.get(key) ?? { results: [], updates: [update] }
  found.set(key, response)
  return response
}

/** Watches with one message share it: it is sent once, with the ids of all of them. */
export class SessionWatches {
  readonly #dependencies: SessionWatchesDependencies
  readonly #open = new Map<number, OpenWatch>()
  readonly #ending = new AbortController()
  #waiting = new Map<WatchMessage, number[]>()

  constructor(dependencies: SessionWatchesDependencies) {
    this.#dependencies = dependencies
  }

  /** Begins a watch; a refusal is its end. @throws BlobwireError for a request after which the session cannot go on */
  begin({ id, request }: Messages['SessionWatch']): void {
    if (request === undefined) throw invalidArgument('watch.request', 'must be given')
    if (this.#open.has(id)) throw invalidArgument('watch.id', `must not repeat the id of an open watch: ${id}`)
    const { service, requestId, authenticate, isRead } = this.#dependencies
    try {
      if (this.#open.size >= maxWatches) throw tooManyWatches('the session', maxWatches)
      const context: CallContext = { principal: authenticate(), signal: this.#ending.signal, requestId }
      const sink = {
        get isRead() {
          return isRead()
        },
        send: (message: WatchMessage) => this.#sendSoon(id, message),
        end: (error: BlobwireError) => this.#ended(id, error)
      }
      this.#open.set(id, service.watch(request, sink, context))
    } catch (error) {
      this.#ended(id, toBlobwireError(error))
    }
  }

  cancel(ids: readonly number[]): void {
    if (this.#open.size === 0) return
    for (const id of ids) {
      this.#open.get(id)?.close()
      this.#open.delete(id)
    }
  }

  /** The client reads again. */
  resume(): void {
    for (const watch of this.#open.values()) watch.resume()
  }

  /** The session takes no more work: its watches go on at another one. */
  drain(): void {
    for (const id of [...this.#open.keys()]) {
      this.#open.get(id)?.close()
      this.#ended(id, new BlobwireError({ reason: 'watch_moved', message: 'the session of the watch has ended' }))
    }
  }

  /** The client has gone. */
  close(): void {
    for (const watch of this.#open.values()) watch.close()
    this.#open.clear()
    this.#ending.abort()
  }

  #sendSoon(id: number, message: WatchMessage): void {
    const ids = this.#waiting.get(message)
    if (ids) ids.push(id)
    else this.#waiting.set(message, [id])
    // Watches of one feed hear of an event one after the other, within a turn.
    if (this.#waiting.size === 1 && ids === undefined) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting
    this.#waiting = new Map()
    const updates = [...waiting]
      .map(([update, ids]) => ({ ids: ids.filter((id) => this.#open.has(id)), update }))
      .filter(({ ids }) => ids.length > 0)
    const [first] = updates
    if (first === undefined) return
    this.#dependencies.send(updates.length === 1 ? shared(first) : { results: [], updates })
  }

  #ended(id: number, error: BlobwireError): void {
    this.#flush()
    this.#open.delete(id)
    const { requestId, send } = this.#dependencies
    send({ results: [], updates: [{ ids: [id], error: operationError(error, requestId) }] })
  }
}
