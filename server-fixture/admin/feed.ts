/** The feed of the dashboard: one timer for all who watch, and none while nobody does. */
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Health } from '../health/health.ts'
import type { FigureSource } from '../metrics/figure-source.ts'
import { FeedWindow } from './feed-window.ts'

const everyMs = 1000
const maxWatchers = 16

type Watcher = (snapshot: string) => void

/** How a feed is made. */
export interface FeedOptions {
  readonly figures: FigureSource
  readonly health: Pick<Health, 'look' | 'isDraining'>
  readonly serverVersion: string
  readonly clock?: Clock
}

export class Feed {
  readonly #options: FeedOptions
  readonly #clock: Clock
  readonly #watchers = new Set<Watcher>()
  readonly #startedAtMs: number
  #window: FeedWindow | undefined
  #latest: string | undefined
  #cancel: (() => void) | undefined

  constructor(options: FeedOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#startedAtMs = this.#clock.now()
  }

  get isFull(): boolean {
    return this.#watchers.size >= maxWatchers
  }

  /** Calls the watcher with the JSON of a `FeedSnapshot` at once and each second. Returns the function that ends it. */
  subscribe(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    if (this.#watchers.size === 1) {
      this.#options.figures.watch(true)
      this.#window = new FeedWindow()
      void this.#tell()
      // A snapshot in between would have rates of a moment, for all who watch.
    } else if (this.#latest !== undefined) watcher(this.#latest)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      this.#cancel?.()
      this.#options.figures.watch(false)
      this.#window = undefined
      this.#latest = undefined
    }
  }

  async #tell(): Promise<void> {
    const window = this.#window
    if (window === undefined) return
    // The next one is due a second from now, however long this one takes.
    this.#cancel = this.#clock.schedule(everyMs, () => void this.#tell())
    const { figures, health, serverVersion } = this.#options
    const [snapshot, notable, readiness] = await Promise.all([figures.snapshot(), figures.notable(), health.look()])
    const nowMs = this.#clock.now()
    window.add({ atMs: nowMs, figures: snapshot, repositories: notable.repositories })
    const text = JSON.stringify({
      time: new Date(this.#clock.wallTimeMs()).toISOString(),
      serverVersion,
      uptimeSeconds: Math.round((nowMs - this.#startedAtMs) / 1000),
      ...window.describe(readiness, health.isDraining),
      slowCalls: notable.slowCalls.toReversed()
    })
    if (window === this.#window) this.#latest = text
    for (const watcher of this.#watchers) watcher(text)
  }
}
