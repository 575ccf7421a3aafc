/** Git's refusals to move refs, as errors. Source: the messages of git's refs/files-backend.c. */
import { BlobwireError } from '../../../src/core/error.ts'
import { refConflict } from '../ref-rules.ts'

/** What git wrote, of which a message holds a part: names of refs are up to 1,024 bytes long. */
function saidBy(error: BlobwireError): string {
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** The error for all calls of a transaction that is not to be tried again; undefined = a smaller one may succeed. */
export function refusalOf(error: unknown): unknown {
  return error instanceof BlobwireError && error.reason !== 'storage' && error.reason !== 'git_unavailable'
    ? undefined
    : error
}

/** A file stands where git needs a directory, or the reverse. */
const inTheWay = /exists; cannot create|cannot process|there is a non-empty directory|non-directory in the way/
/** Whenever the move is made: a file without an oid, two names of one ref, a name that git takes for none, a hook. */
const forGood = /reference broken|multiple updates for|invalid ref format|bad name|aborted by .*hook/

/** The error for a call whose moves git refuses whenever they are made; undefined = it may make them another time. */
export function conflictOf(error: unknown): BlobwireError | undefined {
  if (!(error instanceof BlobwireError)) return undefined
  const said = saidBy(error)
  if (forGood.test(said)) return refused(error)
  if (!inTheWay.test(said)) return undefined
  const names = [...said.matchAll(/'(refs\/[^']*)'/g)].map((match) => match[1] ?? '')
  const name = names[0] ?? 'a ref'
  return refConflict(name, names.find((other) => other !== name) ?? '')
}

/** The error for a new ref whose file would be that of another one. */
export function equalNames(name: string, other: string): BlobwireError {
  const message = `the server's file system holds ${name} equal to ${other}, which is there`
  return new BlobwireError({ reason: 'equal_names', message })
}

/** The error for a call that was tried often enough. */
export function lastRefusal(error: unknown): unknown {
  if (!(error instanceof BlobwireError)) return error
  const said = saidBy(error)
  if (error.code === 'internal' && /nonexistent object|non-commit object/.test(said)) {
    return error.with({ reason: 'missing_object' })
  }
  if (/Unable to create .*\.lock': File exists/s.test(said)) return locked(error)
  return /cannot lock ref/.test(said) ? refused(error) : error
}

function locked(cause: BlobwireError): BlobwireError {
  const message = 'another process on the server holds the lock of a ref'
  return new BlobwireError({ reason: 'ref_locked', message, cause })
}

/** The message of the cause is without paths of the server. */
function refused(cause: BlobwireError): BlobwireError {
  const words = cause.message.replace(/^.*?fatal: (?:\w+: )?/s, '')
  return new BlobwireError({ reason: 'ref_refused', message: `Git refuses the move: ${words}`, cause })
}
