/** All watches of a service: their bounds, their feeds, and the sign of life that each gets when nothing happens. */
import { BlobwireError, invalidArgument } from '../../../src/core/error.ts'
import { refPrefixProblem } from '../../../src/git/ref-name.ts'
import type { Messages } from '../../../src/schema/messages.ts'
import type { Store } from '../../store/store.ts'
import type { CallContext } from '../context.ts'
import { authorize, checkName } from '../repositories.ts'
import { RefFeed } from './ref-feed.ts'
import type { WatchBounds } from './watch-bounds.ts'
import { readCursor } from './watch-cursor.ts'
import { Watcher, type WatchSink } from './watcher.ts'

/** An open watch, for the stream that carries it. */
export interface OpenWatch {
  /** The client reads again. */
  resume(): void
  /** The client has gone, or wants no more: nothing is sent any more. */
  close(): void
}

interface WatchesContext {
  readonly store: Store
  readonly bounds: WatchBounds
  readonly report: (error: unknown, requestId: string) => BlobwireError
}

interface Feed {
  readonly feed: RefFeed
  watches: number
}

export class Watches {
  readonly #context: WatchesContext
  readonly #feeds = new Map<string, Feed>()
  readonly #open = new Set<Watcher>()
  /** Ends the calls of the store and the timers; undefined = there are none. */
  #stop: (() => void) | undefined

  constructor(context: WatchesContext) {
    this.#context = context
  }

  /** Watches that are open. */
  get size(): number {
    return this.#open.size
  }

  /** Begins a watch. @throws BlobwireError */
  open(request: Messages['WatchRefsRequest'], sink: WatchSink, context: CallContext): OpenWatch {
    try {
      checkName(request.repository)
      authorize(context, 'read', request.repository)
      return this.#begin(request, sink, context)
    } catch (error) {
      throw this.#context.report(error, context.requestId)
    }
  }

  #begin(request: Messages['WatchRefsRequest'], sink: WatchSink, context: CallContext): OpenWatch {
    const { repository, snapshot } = request
    const { bounds } = this.#context
    const prefix = request.prefix.replace(/\/$/, '')
    const problem = refPrefixProblem(prefix)
    if (problem !== undefined) throw invalidArgument('prefix', problem)
    const after = readCursor(repository, request.cursor)
    if (this.#open.size >= bounds.maxWatches) throw tooManyWatches('the server', bounds.maxWatches)
    const found = this.#feedOf(repository)
    found.watches++
    const endsAtMs = context.principal.expiresAtMs ?? Number.POSITIVE_INFINITY
    const watcher = new Watcher(
      { repository, prefix, after, snapshot, endsAtMs, sink },
      {
        store: this.#context.store,
        feed: found.feed,
        report: (error) => this.#context.report(error, context.requestId),
        onEnd: () => {
          this.#open.delete(watcher)
          if (--found.watches === 0) this.#feeds.delete(repository)
          if (this.#open.size === 0) this.#stop?.()
        }
      }
    )
    this.#open.add(watcher)
    this.#stop ??= this.#listen()
    watcher.start()
    return watcher
  }

  #feedOf(repository: string): Feed {
    let found = this.#feeds.get(repository)
    if (found === undefined) {
      found = { feed: new RefFeed(repository, this.#context.store), watches: 0 }
      this.#feeds.set(repository, found)
    }
    return found
  }

  #listen(): () => void {
    const { store, bounds } = this.#context
    const off = store.onEvents((repository) => this.#feeds.get(repository)?.feed.wake())
    const beat = setInterval(() => this.#beat(), bounds.beatMs / 2).unref()
    const { eventPollMs } = store
    const lookAtAll = () => {
      for (const { feed } of this.#feeds.values()) feed.wake()
    }
    const poll = eventPollMs === undefined ? undefined : setInterval(lookAtAll, eventPollMs).unref()
    return () => {
      off()
      clearInterval(beat)
      clearInterval(poll)
      this.#stop = undefined
    }
  }

  #beat(): void {
    const [nowMs, before] = [Date.now(), performance.now() - this.#context.bounds.beatMs / 2]
    for (const watcher of this.#open) if (watcher.sentAtMs <= before) watcher.beat(nowMs)
  }
}

/** The error of one watch too many. */
export function tooManyWatches(where: string, most: number): BlobwireError {
  return new BlobwireError({ reason: 'too_many_watches', message: `${where} has ${most} watches, which is the most` })
}
