import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'
import type { Method } from '../schema/shape.ts'
import type { Next } from './layer.ts'

/** A call before it has a deadline. */
export interface Draft {
  readonly method: Method
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  /** For the whole call, in milliseconds. */
  readonly timeoutMs: number
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined
}

/** Where a call that ends early had got to. */
const underWay = { sent: 'maybe', attempts: 1 } as const

function cancelled(signal: AbortSignal, facts: object): BlobwireError {
  return new BlobwireError({ code: 'cancelled', message: 'the call was aborted', cause: signal.reason, ...facts })
}

function clientClosed(facts: object): BlobwireError {
  const message = 'the client is closed'
  return new BlobwireError({ code: 'cancelled', reason: 'client_closed', message, ...facts })
}

/**
 * Gives each call one end: its answer, its deadline, its caller's signal or the closing of the client, whichever comes
 * first. It settles at that moment, whatever the layers below still do; they see the signal.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #open = new Set<(error: BlobwireError) => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs one call. @throws BlobwireError `deadline_exceeded`, `cancelled`, or what the layers below throw */
  run(draft: Draft, next: Next): Promise<object> {
    const { method, request, headers, timeoutMs, signal } = draft
    if (this.#closed) return Promise.reject(clientClosed({}))
    if (signal?.aborted) return Promise.reject(cancelled(signal, {}))
    const clock = this.#clock
    const endsAt = clock.now() + timeoutMs
    const controller = new AbortController()
    return new Promise((resolve, reject) => {
      const end = () => {
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
        this.#open.delete(fail)
      }
      const fail = (error: BlobwireError) => {
        end()
        reject(error)
        controller.abort(error)
      }
      const onAbort = () => fail(cancelled(signal as AbortSignal, underWay))
      const cancelTimer = clock.schedule(timeoutMs, () => {
        const message = `no answer within ${timeoutMs} ms`
        fail(new BlobwireError({ code: 'deadline_exceeded', message, ...underWay }))
      })
      signal?.addEventListener('abort', onAbort)
      this.#open.add(fail)
      const remainingMs = () => endsAt - clock.now()
      next({ method, request, headers, signal: controller.signal, remainingMs }).then(
        (response) => {
          end()
          resolve(response)
        },
        (error) => {
          end()
          reject(error)
        }
      )
    })
  }

  /** Ends all calls under way and refuses later ones, with `cancelled`, reason `client_closed`. */
  close(): void {
    this.#closed = true
    for (const fail of [...this.#open]) fail(clientClosed(underWay))
  }
}
