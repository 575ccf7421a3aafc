/** Turns failures of git processes and files into errors. */
import { BlobwireError } from '../../../src/core/error.ts'

/** How a git process ended. */
export interface GitExit {
  /** Exit status; null where it was killed or never ran. */
  readonly status: number | null
  readonly signal: string | null
  /** Its standard error, cut at 4,096 characters or a little more. */
  readonly stderr: string
  /** Why it could not be started. */
  readonly error?: Error
}

/** Messages of libc when the disk, memory or process table is at fault rather than git's input. */
const environmental =
  /No space left on device|Disk quota exceeded|Input\/output error|Read-only file system|Cannot allocate memory|Out of memory|Too many open files|Resource temporarily unavailable|Permission denied/i

/** Messages about the form of a repository. */
const unsupported = /unknown repository extensions? found:\s+\S+|Expected git repo version <= \d+, found \d+/

/**
 * The error for a git process that failed.
 *
 * - `unavailable`, reason `git_unavailable`: it could not be started;
 * - `unavailable`, reason `storage`: the disk or memory failed it;
 * - `unavailable`, reason `git_died`: it was killed;
 * - `failed_precondition`, reason `unsupported_repository`: it cannot open the repository;
 * - `internal`, reason `git_failed`: it refused.
 *
 * @param gitDir left out of the message, which may reach a client
 */
export function gitFailure(action: string, exit: GitExit, gitDir?: string): BlobwireError {
  const cause = exit.error ?? new Error(exit.stderr)
  if (exit.error) {
    const message = `${action} could not be started`
    return new BlobwireError({ reason: 'git_unavailable', message, cause })
  }
  if (environmental.test(exit.stderr)) {
    const word = environmental.exec(exit.stderr)?.[0]
    return new BlobwireError({ reason: 'storage', message: `${action} failed: ${word}`, cause })
  }
  if (exit.signal !== null) {
    const message = `${action} was ended by ${exit.signal}`
    return new BlobwireError({ reason: 'git_died', message, cause })
  }
  if (unsupported.test(exit.stderr)) {
    const message = `Git does not open the repository: ${unsupported.exec(exit.stderr)?.[0]}`
    return new BlobwireError({ reason: 'unsupported_repository', message, cause })
  }
  const said = (gitDir ? exit.stderr.replaceAll(gitDir, '') : exit.stderr).trim().slice(0, 300)
  const message = `${action} failed with status ${exit.status}: ${said}`
  return new BlobwireError({ reason: 'git_failed', message, cause })
}

/**
 * The error for a failed file operation of the store, such as an fsync or a rename: nothing was acknowledged. An error
 * that is one of the store already stays as it is.
 */
export function storageFailure(action: string, cause: unknown): BlobwireError {
  if (cause instanceof BlobwireError) return cause
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'an unknown error'
  return new BlobwireError({ reason: 'storage', message: `${action} failed: ${errno}`, cause })
}

/** Git's messages about an object whose bytes on disk are damaged. */
const damaged = /corrupt|inflate|cannot be read|could not be unpacked|unable to unpack|failed to read|garbage|mismatch/i

/** Whether git says that an object is damaged. */
export function saysDamaged(exit: GitExit): boolean {
  return damaged.test(exit.stderr)
}

/** The error for an object that cannot be read as it was written: `data_loss`, reason `integrity`. */
export function damagedObject(oid: string, cause?: unknown): BlobwireError {
  const message = `object ${oid} is damaged on disk`
  return new BlobwireError({ reason: 'integrity', message, cause })
}
