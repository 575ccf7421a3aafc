/** `commitFiles`: takes over what the caller gave, and has it committed. */

import type { CallOptions } from '../call/call-options.ts'
import { zeroOid } from '../git/oid.ts'
import { branchRef } from '../git/ref-name.ts'
import type { Messages } from '../schema/messages.ts'
import { fileChanges, fillGuards, hasOpenGuards } from './changes.ts'
import { Committing } from './committing.ts'
import type { CommitFilesInput } from './inputs.ts'
import type { RepositoryContext } from './repository-context.ts'
import type { Signable } from './sign.ts'
import { commitSigned } from './signed-commit.ts'
import { commitFields } from './to-request.ts'

/** Commits the changes on top of the branch. @throws BlobwireError; see `Repository.commitFiles` */
export async function commitFiles(
  context: RepositoryContext,
  input: CommitFilesInput & Signable,
  options: CallOptions
): Promise<Messages['CommitFilesResponse']> {
  const remaining = context.invoker.shared(options)
  // All that the caller may change later is read before the first wait.
  const { expectedHead } = input
  const fields = { ...commitFields(input), branch: branchRef(input.branch) }
  const given = fileChanges(input)
  if (expectedHead === null || hasOpenGuards(given)) await context.fetchFormat(remaining())
  const zero = zeroOid(context.defaults.objectFormat)
  const commit = {
    fields: { ...fields, expectedHead: expectedHead === null ? zero : (expectedHead ?? '') },
    changes: fillGuards(given, zero),
    remaining
  }
  return input.sign === undefined ? new Committing(context, commit).run() : commitSigned(context, commit, input.sign)
}
