/**
 * In the place of `batch/session-frames.ts` in runtimes without streams in both directions: calls travel as requests, and
 * each watch on a stream of its own.
 */
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import type { SessionStream } from '../../transport/session-stream.ts'
import type { SessionFrames as Replaced } from '../session-frames.ts'
import type { SessionFramesContext } from '../session-frames-context.ts'
import type { WatchListener } from '../session-watches.ts'

const nothing = () => undefined

/** One watch. */
class Watch {
  readonly listener: WatchListener
  #stream: SessionStream | undefined
  #isOver = false

  constructor(listener: WatchListener) {
    this.listener = listener
  }

  begin(stream: SessionStream, request: Init<Messages['WatchRefsRequest']>): void {
    this.#stream = stream
    if (this.#isOver) stream.destroy()
    else stream.watch(1, request)
  }

  end(): void {
    this.#isOver = true
    this.#stream?.destroy()
  }
}

/** The interface of the replaced class. */
type Interface = { readonly [Name in keyof Replaced]: Replaced[Name] }

export class SessionFrames implements Interface {
  readonly #context: SessionFramesContext
  readonly #watches = new Set<Watch>()
  readonly plainOnly = false
  readonly operations = 0
  readonly unbatchable = 0
  readonly hasRoom = false
  readonly heldRepositories = nothing
  readonly connect = nothing
  readonly send = nothing
  readonly cancel = nothing
  readonly flushCancelled = nothing

  constructor(context: SessionFramesContext) {
    this.#context = context
    context.fallback.activateForGood('fetch')
  }

  get watches(): number {
    return this.#watches.size
  }

  watch(request: Init<Messages['WatchRefsRequest']>, listener: WatchListener): () => void {
    const watch = new Watch(listener)
    this.#watches.add(watch)
    const forget = () => this.#watches.delete(watch)
    const opening = {
      onStart: nothing,
      onGoaway: nothing,
      onDrain: nothing,
      onResponse: ({ updates }: Messages['SessionResponse']) => {
        for (const { update } of updates) if (update) listener.onMessage(update)
      },
      onEnd: (error: Parameters<WatchListener['onEnd']>[0]) => {
        if (forget()) listener.onEnd(error?.is('watch_moved') ? undefined : error)
      }
    }
    this.#context.open(opening).then((stream) => watch.begin(stream, request), opening.onEnd)
    return () => {
      forget()
      watch.end()
    }
  }

  moveWatches(): void {
    for (const watch of this.#watches) {
      watch.end()
      watch.listener.onEnd(undefined)
    }
    this.#watches.clear()
  }

  async end(): Promise<void> {
    // Without a watch, nothing is open.
  }

  close(): void {
    this.moveWatches()
  }
}
