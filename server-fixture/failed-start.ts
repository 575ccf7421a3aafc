/** A start that failed, for whoever started the process. */
import type { BlobwireError } from '../src/core/error.ts'
import type { KnownReason } from '../src/core/reasons.ts'
import { MissingPackageError } from './optional-package.ts'
import { UsageError } from './usage-error.ts'
import { StartFailed } from './workers/start-failed.ts'

/** Another start would fail, too: somebody has to look at the data directory, at git or at the database. */
const lasting: readonly unknown[] = [
  'data_format',
  'journal_damaged',
  'git_version',
  'database_refused'
] satisfies KnownReason[]

/**
 * Says on standard error why the server did not start. Returns the exit code: 2 = usage, 3 = another start fails, too.
 * @param command the command that was called
 */
export function failedStart(error: unknown, command: string): number {
  // The worker has said why.
  if (error instanceof StartFailed) return error.exitCode
  const known = error instanceof UsageError
  const { message, reason } = error as Partial<BlobwireError>
  process.stderr.write(
    // Not all flags, behind which nobody finds the message.
    known
      ? `${message}\nusage: ${command} [flags]; --help lists them\n`
      : `cannot start: ${message}${reason ? ` (${reason})` : ''}\n`
  )
  const isLasting = lasting.includes(reason) || error instanceof MissingPackageError
  return known ? 2 : isLasting ? 3 : 1
}
