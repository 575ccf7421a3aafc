/** Errors for those who typed the command: exit codes, and hints. */
import { UsageError } from '../server-fixture/usage-error.ts'
import type { BlobwireError } from '../src/index.ts'

/** A command that failed for a reason that its message tells. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, { cause, exitCode = 1 }: { cause?: unknown; exitCode?: number } = {}) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

export { UsageError }

/** The exit codes; docs/cli.md has them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Done, but something was left out, as the output tells. */
  partial: 3,
  notFound: 4,
  refused: 5,
  conflict: 6,
  unavailable: 7,
  interrupted: 130,
  terminated: 143
} as const

const byCode: Readonly<Partial<Record<BlobwireError['code'], number>>> = {
  invalid_argument: exitCodes.usage,
  not_found: exitCodes.notFound,
  unauthenticated: exitCodes.refused,
  permission_denied: exitCodes.refused,
  aborted: exitCodes.conflict,
  already_exists: exitCodes.conflict,
  unavailable: exitCodes.unavailable,
  deadline_exceeded: exitCodes.unavailable,
  resource_exhausted: exitCodes.unavailable
}

/** The class itself is loaded with the client alone, which most usage errors do without. */
export function isBlobwireError(error: unknown): error is BlobwireError {
  return error instanceof Error && error.name === 'BlobwireError'
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  if (error instanceof CommandError) return error.exitCode
  if (!isBlobwireError(error)) return exitCodes.failed
  // A file or stream of this side failed: nothing conflicts.
  if (error.reason === 'source_failed' || error.reason === 'sink_failed') return exitCodes.failed
  return byCode[error.code] ?? exitCodes.failed
}

export const tokenHint = 'set BLOBWIRE_TOKEN, or BLOBWIRE_TOKEN_FILE to a file that has the token'

/** One line about that which can be done; undefined where the message says it all. */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof Error && error.message.includes('ECONNREFUSED'))
    return 'blobwire serve starts a server; --endpoint, BLOBWIRE_ENDPOINT or the configuration names another'
  if (!isBlobwireError(error)) return undefined
  const { code, reason } = error
  if (reason === 'no_token') return tokenHint
  if (code === 'unauthenticated') return 'the token is that of BLOBWIRE_TOKEN, BLOBWIRE_TOKEN_FILE or the configuration'
  if (reason === 'repository')
    return 'blobwire ls lists the repositories that the token may read; put --create, import and mirror create one'
  if (reason === 'revision') return 'blobwire refs REPOSITORY lists branches and tags'
  if (reason === 'ref_mismatch' || reason === 'path_mismatch') return 'somebody else was first: look again, and repeat'
  return undefined
}
