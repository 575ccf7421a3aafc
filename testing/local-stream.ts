/** A call of a client in the same process, as faults see it: a stream without a connection. */

import type { Fault } from '../server-fixture/faults/rules.ts'
import type { LocalStream } from '../server-fixture/faults/stream-registry.ts'
import { BlobwireError } from '../src/core/error.ts'
import { malformedResponse } from '../src/transport/errors.ts'

/** The stream of one call. */
export class CallStream implements LocalStream {
  /** Aborts when nobody waits for the answer any more. */
  readonly gone: AbortController = new AbortController()
  readonly #reset = Promise.withResolvers<never>()
  readonly #listeners = new Set<() => void>()
  #answerFault: Fault | undefined
  isClosed = false

  constructor() {
    // A session listens to `onClosed` instead.
    this.#reset.promise.catch(() => undefined)
  }

  /** The result of the work, unless a fault resets the stream. @throws BlobwireError */
  unlessReset<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.#reset.promise])
  }

  onClosed(listener: () => void): void {
    if (this.isClosed) listener()
    else this.#listeners.add(listener)
  }

  reset(): void {
    if (this.isClosed) return
    this.#reset.reject(resetError())
    this.close()
  }

  corrupt(fault: Fault): void {
    this.#answerFault = fault
  }

  /** The bytes of an answer, as its fault leaves them. */
  corrupted(bytes: Uint8Array): Uint8Array {
    const kind = this.#answerFault?.kind
    if (kind === 'bad_gzip') throw malformedResponse('the answer is not compressed, although it says so')
    // The network tells that the answer breaks off.
    if (kind === 'truncate') throw resetError()
    if (kind !== 'corrupt' || bytes.length === 0) return bytes
    const flipped = bytes.slice()
    flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 0x80
    return flipped
  }

  /** The call is over. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.gone.abort()
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }
}

/** The error of a stream that a fault has reset. */
export function resetError(): BlobwireError {
  return new BlobwireError({ code: 'unavailable', message: 'the stream was reset', sent: 'maybe', attempts: 1 })
}
