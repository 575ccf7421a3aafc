import type { CallOptions } from '../call/call-options.ts'
import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'

/** How long one caller waits, and its signal. */
type WaitOptions = Pick<CallOptions, 'signal'> & { readonly timeoutMs: number }

/**
 * Waits for an answer that others wait for, too: a deadline or an abort is that of one caller alone.
 * @throws BlobwireError `deadline_exceeded`, `cancelled`, or what the answer failed with
 */
export function sharedAnswer<Value>(answer: Promise<Value>, { timeoutMs, signal }: WaitOptions, clock: Clock) {
  return new Promise<Value>((resolve, reject) => {
    const fail = (code: 'cancelled' | 'deadline_exceeded', message: string) => {
      end()
      reject(new BlobwireError({ code, message, sent: 'maybe', attempts: 1, cause: signal?.reason }))
    }
    const onAbort = () => fail('cancelled', 'the call was aborted')
    const cancel = clock.schedule(timeoutMs, () => fail('deadline_exceeded', `no answer within ${timeoutMs} ms`))
    const end = () => {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    answer.finally(end).then(resolve, reject)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
  })
}
