/** A watch on its way: follows the refs of a repository over any number of sessions and servers. */
import { forCaller } from '../call/caller.ts'
import { abortError, asBlobwireError, BlobwireError } from '../core/error.ts'
import * as processHold from '../platform/process-hold.ts'
import type { WatchRefsResponse } from '../schema/messages.ts'
import type { TransferAttempt } from '../transfer/transfer.ts'
import type { RepositoryCalls } from './calls.ts'
import { WatchQueue } from './watch-queue.ts'
import type { WatchOptions, WatchUpdate } from './watch-types.ts'
import { WatchedRefs } from './watched-refs.ts'

/** The server sends a sign of life each 15 s. */
const silenceMs = 45_000
/** Pauses between two attempts, once the attempts of one run have failed. */
const firstPauseMs = 500
const longestPauseMs = 30_000
/** A stream that ended sooner counts as a failure. */
const shortMs = 1000

/** The options of a watch, checked. */
export interface Following extends WatchOptions {
  readonly since: Exclude<WatchOptions['since'], string>
}

/** The updates of a watch, until its reader leaves or an error that stays. @throws BlobwireError */
export function follow(calls: RepositoryCalls, options: Following): AsyncGenerator<WatchUpdate, void> {
  return new Watch(calls, options).updates()
}

class Watch {
  readonly #calls: RepositoryCalls
  readonly #options: WatchOptions
  readonly #queue = new WatchQueue()
  readonly #refs: WatchedRefs
  readonly #ending = new AbortController()
  #cursor: string
  /** Pages of refs are under way: the watch cannot go on from its cursor. */
  #isBetweenPages = false
  #error: BlobwireError | undefined
  #isOver = false
  /** The server has answered. */
  #hasBegun = false
  /** It has since the last refusal of a token. */
  #isAnswered = false

  constructor(calls: RepositoryCalls, options: Following) {
    this.#calls = calls
    this.#options = options
    this.#cursor = options.since?.cursor ?? ''
    this.#refs = new WatchedRefs(options.since?.refs)
  }

  async *updates(): AsyncGenerator<WatchUpdate, void> {
    const { signal } = this.#options
    const abort = () => this.#ending.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    void this.#run()
    try {
      for (;;) {
        for (const update of this.#queue.take()) {
          if (signal?.aborted) throw this.#named(abortError(signal.reason))
          yield update
        }
        if (this.#queue.hasUpdates) continue
        if (this.#error !== undefined) throw this.#error
        await this.#queue.untilUpdate()
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#isOver = true
      this.#ending.abort()
      this.#queue.wake()
    }
  }

  /** Follows the repository until the application leaves, or an error that stays. Never rejects. */
  async #run(): Promise<void> {
    const { clock } = this.#calls.invoker
    let silences = 0
    for (let failures = 0; !this.#isOver; ) {
      const beganAtMs = clock.now()
      try {
        await this.#checkServer()
        await this.#follow()
        if (clock.now() - beganAtMs >= shortMs) failures = 0
        else failures++
      } catch (exception) {
        const error = asBlobwireError(exception)
        if (this.#isOver) return
        if (error.code === 'unauthenticated' && this.#hasFreshToken()) continue
        // A server or a machine that is busy may greet late.
        const isLate = error.is('session_silent') && (this.#hasBegun || ++silences < 3)
        // One that has begun waits for room.
        const isRefused = error.is('too_many_watches') && !this.#hasBegun
        if (isRefused || (!error.retryable && !isLate)) return this.#fail(error)
        failures = clock.now() - beganAtMs >= shortMs + longestPauseMs ? 1 : failures + 1
      }
      if (this.#queue.isFull) await this.#queue.untilEmpty()
      if (failures > 0 && !this.#isOver) await this.#pause(Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)))
    }
  }

  /** The token has expired, and the application's function may give another one: once, until the server answers again. */
  #hasFreshToken(): boolean {
    const isFresh = this.#isAnswered && this.#options.token === undefined
    this.#isAnswered = false
    return isFresh && typeof this.#calls.invoker.options.token === 'function'
  }

  #fail(error: BlobwireError): void {
    this.#error = this.#named(error)
    this.#queue.wake()
  }

  #named(error: BlobwireError): BlobwireError {
    return forCaller(error, this.#calls.called('watch'), { below: this.#named })
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#ending
    if (signal.aborted) return
    processHold.beginWork()
    await new Promise<void>((resolve) => {
      const cancel = this.#calls.invoker.clock.schedule(ms, resolve)
      const end = () => {
        cancel()
        resolve()
      }
      signal.addEventListener('abort', end, { once: true })
    })
    processHold.endWork()
  }

  #take(message: WatchRefsResponse): void {
    const { cursor, page, gap } = message
    this.#hasBegun = true
    this.#isAnswered = true
    if (page) this.#isBetweenPages = !page.last
    else if (gap) this.#isBetweenPages = true
    if (cursor !== '') this.#cursor = cursor
    this.#queue.push(this.#refs.take(message))
  }

  /** @throws BlobwireError `unimplemented` where the server is older than watches */
  async #checkServer(): Promise<void> {
    const { signal, token } = this.#options
    const { watch: isServed } = await this.#calls.invoker.capabilities({ signal, token })
    if (isServed) return
    throw new BlobwireError({ code: 'unimplemented', message: 'the server is older than watches', sent: 'never' })
  }

  /** One stream: resolves where it ended in good order, or the application is too slow for it. @throws BlobwireError */
  #follow(): Promise<void> {
    const { invoker } = this.#calls
    const { headers = {}, token } = this.#options
    const all = { ...invoker.options.headers, ...headers }
    const stream = {
      direction: 'down',
      headers: all,
      token,
      signal: this.#ending.signal,
      stallTimeoutMs: silenceMs
    } as const
    return invoker.pipeline.watches.run(stream, (attempt) => this.#attempt(attempt))
  }

  #attempt(attempt: TransferAttempt): Promise<void> {
    const { repository } = this.#calls
    const { prefix = '' } = this.#options
    const request = { repository, prefix, cursor: this.#cursor, snapshot: true }
    return new Promise((resolve, reject) => {
      const end = attempt.watch(request, {
        onMessage: (message) => {
          attempt.moved(0)
          attempt.progressed()
          this.#take(message)
          if (!this.#queue.isFull || this.#isBetweenPages) return
          end()
          resolve()
        },
        onEnd: (error) => (error ? reject(error) : resolve())
      })
      attempt.signal.addEventListener('abort', () => {
        end()
        reject(attempt.signal.reason)
      })
    })
  }
}
