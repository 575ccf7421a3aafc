import { BlobwireError } from '../core/error.ts'
import type { PendingOperation } from './pending-operation.ts'

/** Times that one operation is sent on sessions that break. */
const maxSends = 3

/** Whether an operation goes on another session: its own was ended in good order, or broke off. */
export function isWorthResending(
  { sends }: PendingOperation,
  error: BlobwireError | undefined,
  established: boolean
): boolean {
  if (sends >= maxSends) return false
  return error === undefined || (established && error.code === 'unavailable')
}

/** What operations fail with whose session has ended. */
export function failureOf(error: BlobwireError | undefined): BlobwireError {
  const found = error ?? new BlobwireError({ code: 'unavailable', message: 'the session ended', sent: 'maybe' })
  return found.with({ attempts: Math.max(1, found.attempts) })
}
