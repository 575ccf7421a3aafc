/** One watch: reads events from the store until it has reached the present, and hears of later ones from the feed. */
import { BlobwireError } from '../../../src/core/error.ts'
import type { EventCursor, RefEvent } from '../../store/events.ts'
import { compareNames } from '../../store/name-page.ts'
import type { Store } from '../../store/store.ts'
import { toBlobwireError } from '../error-detail.ts'
import type { RefFeed } from './ref-feed.ts'
import { writeCursor } from './watch-cursor.ts'
import { filterOf, messageOf, pageOf, type RefFilter, toldEvent, type WatchMessage } from './watch-messages.ts'

/** Events that are read for one watch at once. */
const eventsAtOnce = 200
/** Refs of a page. */
const refsAtOnce = 1000

/** The stream of a watch, as its protocol offers it. */
export interface WatchSink {
  /** Whether the client reads what was sent; while it does not, nothing is read for it, and nothing is kept. */
  readonly isRead: boolean
  send(message: WatchMessage): void
  /** Called once, last. */
  end(error: BlobwireError): void
}

/** A watch that was asked for. */
export interface Watching {
  readonly repository: string
  /** Without a slash at its end. */
  readonly prefix: string
  readonly after: EventCursor | undefined
  readonly snapshot: boolean
  /** When the caller's rights end, as `Date.now()` tells time; infinite = never. */
  readonly endsAtMs: number
  readonly sink: WatchSink
}

interface WatcherContext {
  readonly store: Store
  readonly feed: RefFeed
  /** Called once, when the watch is over. */
  readonly onEnd: () => void
  /** An unexpected error, as the client sees it. */
  readonly report: (error: unknown) => BlobwireError
}

export class Watcher {
  readonly prefix: string
  readonly sink: WatchSink
  readonly #watching: Watching
  readonly #context: WatcherContext
  readonly #filter: RefFilter
  #place: EventCursor | undefined
  #isReading = false
  #isOver = false
  #onRead: (() => void) | undefined
  /** When something was last sent. */
  sentAtMs = 0

  constructor(watching: Watching, context: WatcherContext) {
    this.prefix = watching.prefix
    this.sink = watching.sink
    this.#watching = watching
    this.#context = context
    this.#filter = filterOf(watching.prefix)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The place up to which everything was told. */
  get place(): EventCursor | undefined {
    return this.#place
  }

  /** Begins; never throws. */
  start(): void {
    void this.#guarded(() => this.#begin())
  }

  /** The client reads again: goes on where it stopped. */
  resume(): void {
    this.#onRead?.()
    if (!this.#isReading && !this.#context.feed.has(this)) void this.#guarded(() => this.#follow())
  }

  /** Something new, from the feed, which has read all events up to `place`. */
  hear(message: WatchMessage | undefined, place: EventCursor): void {
    this.#place = place
    if (message) this.#send(message)
    if (!this.#isOver && !this.sink.isRead) this.#context.feed.leave(this)
  }

  /** An exact telling of these events, for a watch that has heard of some of them. */
  hearAfter(events: readonly RefEvent[], place: EventCursor): void {
    const { sequence } = this.#place ?? place
    const rest = events.filter((event) => event.sequence > sequence)
    // It may be ahead of the feed.
    if (rest.length > 0) this.hear(this.#message(rest, place), place)
  }

  /** Something that the feed cannot go on behind: looks for itself. */
  lookAgain(): void {
    this.#context.feed.leave(this)
    this.resume()
  }

  /** Tells that nothing is new, so that the stream stays open and the cursor young. */
  beat(nowMs: number): void {
    if (this.#isOver) return
    if (nowMs >= this.#watching.endsAtMs) return this.end(expired())
    if (this.#place !== undefined && this.sink.isRead) this.#send(messageOf({ cursor: this.#cursor(this.#place) }))
  }

  /** Ends the watch with an error. */
  end(error: BlobwireError): void {
    if (this.#isOver) return
    this.close()
    this.sink.end(error)
  }

  /** The client has gone, or wants no more. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onRead?.()
    this.#context.feed.leave(this)
    this.#context.onEnd()
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    this.#isReading = true
    try {
      await work()
    } catch (error) {
      this.end(error instanceof BlobwireError ? toBlobwireError(error) : this.#context.report(error))
    } finally {
      this.#isReading = false
    }
  }

  async #begin(): Promise<void> {
    const { repository, after, snapshot } = this.#watching
    const { store } = this.#context
    if (after !== undefined) {
      this.#place = after
      this.#send(messageOf({ cursor: this.#cursor(after) }))
    } else if (snapshot) {
      await this.#walk()
    } else {
      const { cursor } = await store.readEvents(repository, { limit: 0 })
      this.#place = cursor
      this.#send(messageOf({ cursor: this.#cursor(cursor) }))
    }
    await this.#follow()
  }

  /** Tells what follows, until nothing does and the feed goes on, or the client reads no more. */
  async #follow(): Promise<void> {
    const { store, feed } = this.#context
    const { repository } = this.#watching
    while (!this.#isOver && this.sink.isRead) {
      const place = this.#place
      if (place === undefined) return
      const page = await store.readEvents(repository, { after: place, limit: eventsAtOnce })
      if (this.#isOver) return
      if (page.state === 'gap' || (page.state === 'ended' && page.events.length === 0)) {
        await this.#startOver()
        continue
      }
      this.#place = page.cursor
      const message = this.#message(page.events, page.cursor)
      if (message) this.#send(message)
      if (page.state !== 'current' || !this.sink.isRead) continue
      if (feed.join(this)) return
      await feed.look()
    }
  }

  /** Moves are known no longer, or the repository was deleted: another one may have its name. */
  async #startOver(): Promise<void> {
    const { repository, snapshot } = this.#watching
    const { cursor } = await this.#context.store.readEvents(repository, { limit: 0 })
    this.#place = cursor
    this.#send(messageOf({ gap: true, cursor: snapshot ? '' : this.#cursor(cursor) }))
    if (snapshot) await this.#walk()
  }

  /**
   * Tells all refs, page by page, and between two pages the moves of the refs that were told: each ref is told as it is at
   * one place, and moves from there on.
   */
  async #walk(): Promise<void> {
    const { store } = this.#context
    const { repository, prefix } = this.#watching
    let walked = ''
    let place: EventCursor | undefined
    for (let isLast = false; !isLast; ) {
      await this.#untilRead()
      if (this.#isOver) return
      const { refs, cursor } = await store.refsAt(repository, { prefix, after: walked, limit: refsAtOnce })
      if (place !== undefined && !(await this.#tellWalked(place, cursor, walked))) return this.#startOver()
      place = cursor
      walked = refs.at(-1)?.name ?? walked
      isLast = refs.length < refsAtOnce
      const page = pageOf(
        refs.filter(({ name }) => this.#filter(name)),
        isLast
      )
      if (isLast) this.#place = cursor
      this.#send(messageOf({ page, cursor: isLast ? this.#cursor(cursor) : '' }))
    }
  }

  /** The moves between two places of refs up to a name. False = they are known no longer. */
  async #tellWalked(from: EventCursor, to: EventCursor, walked: string): Promise<boolean> {
    const filter = (name: string) => this.#filter(name) && compareNames(name, walked) <= 0
    for (let after = from; after.sequence < to.sequence || after.incarnation !== to.incarnation; ) {
      const page = await this.#context.store.readEvents(this.#watching.repository, { after, limit: eventsAtOnce })
      if (page.events.length === 0) return false
      const events = page.events
        .filter(({ sequence }) => sequence <= to.sequence)
        .map((event) => toldEvent(event, filter, ''))
        .filter((event) => event !== undefined)
      if (events.length > 0) this.#send(messageOf({ events }))
      after = page.cursor
    }
    return true
  }

  #untilRead(): Promise<void> | undefined {
    if (this.sink.isRead || this.#isOver) return undefined
    return new Promise((resolve) => {
      this.#onRead = resolve
    })
  }

  #message(events: readonly RefEvent[], place: EventCursor): WatchMessage | undefined {
    const { repository } = this.#watching
    const told = events
      .map((event) => toldEvent(event, this.#filter, this.#cursor({ ...place, sequence: event.sequence })))
      .filter((event) => event !== undefined)
    return told.length === 0 ? undefined : messageOf({ events: told, cursor: writeCursor(repository, place) })
  }

  #cursor(place: EventCursor): string {
    return writeCursor(this.#watching.repository, place)
  }

  #send(message: WatchMessage): void {
    if (this.#isOver) return
    if (Date.now() >= this.#watching.endsAtMs) return this.end(expired())
    this.sentAtMs = performance.now()
    this.sink.send(message)
  }
}

const expired = () =>
  new BlobwireError({ reason: 'expired_token', message: 'the bearer token of the watch has expired' })
