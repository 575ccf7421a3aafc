/** Makes the commit of a CommitFiles request on top of a head, without moving the branch. */
import { invalidArgument } from '../../src/core/error.ts'
import { encodeCommit } from '../../src/git/commit.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { branchRef } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { RefMove } from '../store/store.ts'
import { toEdits } from './commit-changes.ts'
import { checkOid, refMismatch } from './errors.ts'
import { checkKinds } from './references.ts'
import { editTree } from './tree-edit.ts'
import type { Workspace } from './workspace.ts'

type Request = Messages['CommitFilesRequest']
type Response = Messages['CommitFilesResponse']

const signatureAt = ({ name, email, timeSeconds, zone }: Messages['NewSignature'], now: number) => ({
  name,
  email,
  timeSeconds: timeSeconds ?? now,
  zone: zone || '+0000'
})

/**
 * Stages the commit on top of a head (undefined = the commit begins the branch).
 * @throws BlobwireError `aborted`, reason `ref_mismatch` or `path_mismatch`; `failed_precondition`; `invalid_argument`
 */
export async function commitOn(workspace: Workspace, request: Request, head: string | undefined): Promise<Response> {
  const { author, expectedHead, baseTree } = request
  if (author === undefined) throw invalidArgument('author', 'must be given')
  const ref = branchRef(request.branch)
  const foundOid = head ?? zeroOid(workspace.format)
  if (expectedHead !== '' && checkOid('expectedHead', expectedHead, workspace.format) !== foundOid)
    throw refMismatch([{ name: ref, expectedOid: expectedHead, foundOid }])
  const headTree = head === undefined ? '' : (await workspace.commit(head)).tree
  if (baseTree !== '') {
    checkOid('baseTree', baseTree, workspace.format)
    await checkKinds(workspace, [{ oid: baseTree, kind: 'tree' }])
  }
  const edits = await toEdits(workspace, request.changes, headTree)
  const tree = await editTree(workspace, baseTree || headTree, edits)
  const parents = head === undefined ? [] : [head]
  const now = Math.floor(Date.now() / 1000)
  const content = encodeCommit({
    tree,
    parents,
    author: signatureAt(author, now),
    committer: signatureAt(request.committer ?? author, now),
    message: request.message
  })
  return {
    oid: workspace.stage('commit', content),
    tree,
    parents,
    ref,
    result: head === undefined ? 'created' : 'moved',
    timeSeconds: now
  }
}

/** The move of the branch from the parent of a commit to the commit. */
export function moveTo({ ref, parents, oid }: Response, format: ObjectFormat): RefMove {
  return { name: ref, expectedOid: parents[0] ?? zeroOid(format), newOid: oid }
}
