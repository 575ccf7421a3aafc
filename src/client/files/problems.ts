/** Paths of a tree that cannot be written, in one error. */
import { BlobwireError } from '../../core/error.ts'
import { answeredPath, showPath } from '../../git/raw-path.ts'

/** A path that cannot be written, as a binary string, and why. */
export interface Problem {
  readonly path: string
  readonly problem: string
}

const maxShown = 10

/** The error lists all of them; its message begins with the subject, and shows some. */
export function unwritablePaths(subject: string, problems: readonly Problem[]): BlobwireError {
  const lines = problems.slice(0, maxShown).map(({ path, problem }) => `${showPath(path)} ${problem}`)
  const more = problems.length > maxShown ? `, and ${problems.length - maxShown} more` : ''
  const message = `${subject}: ${lines.join('; ')}${more}`
  const violations = problems.map(({ path, problem }) => ({ field: answeredPath(path).path, description: problem }))
  return new BlobwireError({ reason: 'unwritable_paths', message, details: { violations }, sent: 'processed' })
}
