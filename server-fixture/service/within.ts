/** The time limit of a call, the same for both listeners. */
import { BlobwireError } from '../../src/core/error.ts'

/**
 * Waits until the client's deadline, or the server's own limit. An effect that has begun goes on to its end; no other is
 * begun. @throws BlobwireError `deadline_exceeded`
 */
export async function within<T>(timeoutMs: number, call: Promise<T>, gone: AbortController): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new BlobwireError({ code: 'deadline_exceeded', message: 'the deadline of the call has passed' }))
      gone.abort()
    }, timeoutMs)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}
