/** A watch as a request of its own, in the place of a session. */
import { BlobwireError } from '../../core/error.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import type { SessionOpening, SessionStream } from '../session-stream.ts'
import type { FetchContext } from './fetch-context.ts'

/** The stream of one watch, which `watch` begins. */
export class WatchStream implements SessionStream {
  readonly #context: FetchContext
  readonly #opening: SessionOpening
  readonly #toError: (exception: unknown) => BlobwireError
  readonly #ending = new AbortController()

  constructor(context: FetchContext, opening: SessionOpening, toError: (exception: unknown) => BlobwireError) {
    this.#context = context
    this.#opening = opening
    this.#toError = toError
  }

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    void this.#follow(id, request)
  }

  /** @throws BlobwireError always */
  send(): boolean {
    throw new BlobwireError({ reason: 'not_in_runtime', message: 'there are no sessions over fetch', sent: 'never' })
  }

  cancel(): void {
    this.destroy()
  }

  end(): void {
    this.destroy()
  }

  destroy(): void {
    this.#ending.abort()
  }

  async #follow(id: number, message: Init<Messages['WatchRefsRequest']>): Promise<void> {
    const { headers } = this.#opening
    const { signal } = this.#ending
    let error: BlobwireError | undefined
    try {
      const { serverStream } = await import('./server-stream.ts')
      const updates = serverStream(this.#context, { method: methods.watchRefs, message, headers, signal })
      for await (const update of updates) {
        if (!signal.aborted)
          this.#opening.onResponse({ results: [], updates: [{ ids: [id], update, error: undefined }] })
      }
    } catch (exception) {
      error = this.#toError(exception)
    }
    if (!signal.aborted) this.#opening.onEnd(error)
  }
}
