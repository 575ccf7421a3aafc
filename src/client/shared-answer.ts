/** Waits for an answer that several calls share. */
import type { CallOptions } from '../call/call-options.ts'
import { listen, stopListening } from '../core/abort-listeners.ts'
import type { Clock } from '../core/clock.ts'
import { abortError, BlobwireError } from '../core/error.ts'

/** The time limit and the signal of one waiting call. */
type WaitOptions = Pick<CallOptions, 'signal'> & { readonly timeoutMs: number }

/**
 * Waits for the answer under the time limit and the signal of one call; the answer itself goes on.
 * @throws BlobwireError `deadline_exceeded`, `cancelled`, or the error of the answer
 */
export function sharedAnswer<Value>(answer: Promise<Value>, { timeoutMs, signal }: WaitOptions, clock: Clock) {
  return new Promise<Value>((resolve, reject) => {
    const fail = (error: BlobwireError) => {
      end()
      reject(error.with({ sent: 'maybe', attempts: 1 }))
    }
    const listener = { handleEvent: () => fail(abortError(signal?.reason)) }
    const message = `no answer within ${timeoutMs} ms`
    const cancel = clock.schedule(timeoutMs, () => fail(new BlobwireError({ code: 'deadline_exceeded', message })))
    const end = () => {
      cancel()
      if (signal !== undefined) stopListening(signal, listener)
    }
    answer.finally(end).then(resolve, reject)
    if (signal?.aborted) listener.handleEvent()
    else if (signal !== undefined) listen(signal, listener)
  })
}
