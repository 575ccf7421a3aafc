/** Tells the failures of a database apart by what helps against them. */
import { BlobwireError } from '../../../../src/core/error.ts'

/** A connection ended, or fell silent, before the answer came. */
export class LostConnection extends Error {
  constructor(endpoint: string, cause: unknown) {
    super(`the connection to the database ${endpoint} was lost: ${(cause as Error).message}`, { cause })
  }
}

/** An error of the database itself, such as `ERROR 40P01`. */
export interface DatabaseError extends Error {
  readonly severity: string
  /** SQLSTATE. */
  readonly code: string
  /** The function of the database that raised it. */
  readonly routine?: string | undefined
}

/**
 * - `collision`: two transactions were in each other's way; at once again.
 * - `unreachable`: this server of the database, or one behind it, went away; once more, at another.
 * - `demoted`: it takes no writes any more; another one does.
 * - `stale`: the connection does not know the prepared statement as it is now.
 * - `full`: no room; nothing helps but an operator.
 * - `slow`: it took longer than a statement may take.
 * - `refused`: the statement cannot be carried out, now or later.
 */
export type FailureKind = 'collision' | 'unreachable' | 'demoted' | 'stale' | 'full' | 'slow' | 'refused'

const byCode: Readonly<Record<string, FailureKind>> = {
  '40001': 'collision',
  '40P01': 'collision',
  '25006': 'demoted',
  // The database has ended the connection of a transaction that did nothing for too long, or took too long.
  '25P03': 'unreachable',
  '25P04': 'unreachable',
  '26000': 'stale',
  '53300': 'unreachable',
  '55P03': 'slow',
  '57014': 'slow',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  '57P04': 'unreachable',
  '57P05': 'unreachable',
  // Of a server that shuts down, or of one behind it. A defect stays one the second time.
  XX000: 'unreachable'
}
const byClass: Readonly<Record<string, FailureKind>> = { '08': 'unreachable', '53': 'full', '58': 'unreachable' }

/** Five capitals do not tell: `EPIPE` is the error of a socket. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && typeof (error as DatabaseError).code === 'string'
}

export function failureKind(error: unknown): FailureKind {
  if (error instanceof LostConnection) return 'unreachable'
  if (!isDatabaseError(error)) return 'refused'
  // The plan of a prepared statement whose table a migration has changed.
  if (error.code === '0A000' && error.routine === 'RevalidateCachedQuery') return 'stale'
  return byCode[error.code] ?? byClass[error.code.slice(0, 2)] ?? 'refused'
}

/** The error of the call, whose `cause` is the database's. An error of anybody else stays as it is. */
export function storeError(cause: unknown): unknown {
  if (cause instanceof LostConnection) {
    return new BlobwireError({ reason: 'database_unavailable', message: cause.message, cause })
  }
  if (!isDatabaseError(cause)) return cause
  const said = `${cause.code}: ${cause.message}`
  const kind = failureKind(cause)
  if (kind === 'full') {
    return new BlobwireError({ code: 'resource_exhausted', message: `the database has no room: ${said}`, cause })
  }
  if (kind === 'refused' || cause.code === 'XX000') {
    return new BlobwireError({ code: 'internal', message: `the database cannot carry out a statement: ${said}`, cause })
  }
  return new BlobwireError({ reason: 'database_unavailable', message: `the database failed: ${said}`, cause })
}
