/** What a client can know of a commit that the server made from changes of files. */
import type { CommitFields } from '../../git/commit.ts'
import { hashObject, isZeroOid, type ObjectFormat } from '../../git/oid.ts'
import type { Identity } from '../../git/signature.ts'
import { buildTrees, type PathEntry } from '../../git/tree-builder.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { contentOf, type FileChange } from '../changes.ts'

/** The fields of the commit: those asked for, on the tree and the parent that the answer names. */
export function committedFields(
  { message = '', author, committer = author }: Init<Messages['CommitFilesRequest']>,
  { tree, parents, timeSeconds: now }: Messages['CommitFilesResponse']
): CommitFields {
  const dated = (signature: Init<Messages['NewSignature']> | undefined): Identity => {
    const { name = '', email = '', timeSeconds = now, zone } = signature ?? {}
    return { name, email, timeSeconds, zone: zone || '+0000' }
  }
  return { tree, parents, author: dated(author), committer: dated(committer), message }
}

/** Whether the parents are what the expected head allows: that head, or none or one where no head was expected. */
export function hasExpectedParents(expectedHead: string, parents: readonly string[]): boolean {
  if (expectedHead === '') return parents.length <= 1
  return parents.join() === (isZeroOid(expectedHead) ? '' : expectedHead)
}

/** The tree of a commit that begins a branch: the changes are all of it. Undefined = only the server can know. */
export function wholeTreeOf(changes: readonly FileChange[], format: ObjectFormat): string | undefined {
  const entries: PathEntry[] = []
  for (const change of changes) {
    if (change.guard !== undefined) continue
    const content = contentOf(change)
    const oid = content ? hashObject('blob', content, format) : (change.oid ?? change.guarded?.oid)
    if (oid === undefined) return undefined
    entries.push({
      path: change.path,
      rawPath: change.rawPath as Uint8Array | undefined,
      mode: change.mode || '100644',
      oid
    })
  }
  return buildTrees(entries, format).oid
}
