/** `commitFiles`: takes over the caller's input, stores contents that need more than a message, and commits. */
import type { CallOptions } from '../call/call-options.ts'
import { zeroOid } from '../git/oid.ts'
import { branchRef } from '../git/ref-name.ts'
import type { Messages } from '../schema/messages.ts'
import { ProgressMeter } from '../transfer/progress.ts'
import { withContents } from './change-contents.ts'
import { fileChanges, fillGuards, hasOpenGuards } from './changes.ts'
import type { CommitFilesOptions } from './commit-options.ts'
import { Committing } from './committing.ts'
import { haveContentsApart } from './contents-apart.ts'
import type { CommitFilesInput } from './inputs.ts'
import { isTooLargeInline, takesUploads } from './large-content.ts'
import { commitFields } from './other-requests.ts'
import type { RepositoryContext } from './repository-context.ts'
import type { Signable } from './sign.ts'
import { commitSigned } from './signed-commit.ts'
import { checkListener } from './uploads.ts'

type Input = CommitFilesInput & Signable
type Response = Messages['CommitFilesResponse']

/** Commits the changes on top of the branch. @throws BlobwireError; see `Repository.commitFiles` */
export async function commitFiles(
  context: RepositoryContext,
  input: Input,
  options: CommitFilesOptions
): Promise<Response> {
  const { invoker } = context
  checkListener(options)
  const within = invoker.unhurried(options)
  const meter = new ProgressMeter(invoker.clock, options.onProgress, 'upload')
  const storedFirst = async () => {
    // All that is wrong with the input is said before contents are sent.
    branchRef(input.branch)
    fileChanges(input)
    const changes = await withContents(context, input.changes, { options: { ...options, ...within() }, meter })
    return commit(context, { ...input, changes }, { options: within(), meter })
  }
  if (haveContentsApart(input.changes, invoker.caches.limits.maxInlineBytes)) return storedFirst()
  try {
    return await commit(context, input, { options: within(), meter })
  } catch (error) {
    // The server has a lower limit than is usual.
    if (!isTooLargeInline(error) || !(await takesUploads(context, within()))) throw error
    return storedFirst()
  }
}

/** Commits changes whose contents are bytes. */
async function commit(
  context: RepositoryContext,
  input: Input,
  { options, meter }: { readonly options: CallOptions; readonly meter: ProgressMeter }
): Promise<Response> {
  const remaining = context.invoker.shared(options)
  // All that the caller may change later is read before the first wait.
  const { expectedHead } = input
  const fields = { ...commitFields(input), branch: branchRef(input.branch) }
  const given = fileChanges(input)
  meter.enter('commit')
  if (expectedHead === null || hasOpenGuards(given)) await context.fetchFormat(remaining())
  const zero = zeroOid(context.defaults.objectFormat)
  const asked = {
    fields: { ...fields, expectedHead: expectedHead === null ? zero : (expectedHead ?? '') },
    changes: fillGuards(given, zero),
    remaining
  }
  const made =
    input.sign === undefined ? new Committing(context, asked).run() : commitSigned(context, asked, input.sign)
  const response = await made
  meter.end()
  return response
}
