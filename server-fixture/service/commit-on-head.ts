/** Makes the commit of a CommitFiles request on top of a head, without moving the branch. */
import { invalidArgument } from '../../src/core/error.ts'
import { encodeCommit, parseCommit } from '../../src/git/commit.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { branchRef } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { RefMove } from '../store/store.ts'
import { toEdits } from './commit-changes.ts'
import { checkOid, refMismatch } from './errors.ts'
import { storeObject } from './objects.ts'
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

/** The tree that a commit gets, on the head that it is made on. */
type Prepared = Pick<Response, 'tree' | 'parents' | 'ref' | 'timeSeconds'>

/**
 * Stages the commit on top of a head (undefined = the commit begins the branch).
 * @throws BlobwireError `aborted`, reason `ref_mismatch` or `path_mismatch`; `failed_precondition`; `invalid_argument`
 */
export async function commitOn(workspace: Workspace, request: Request, head: string | undefined): Promise<Response> {
  const { author, commitObject } = request
  const result = head === undefined ? 'created' : 'moved'
  if (commitObject.length > 0) return { ...(await takeCommit(workspace, request, head)), result }
  if (author === undefined) throw invalidArgument('author', 'must be given')
  const { tree, parents, ref, timeSeconds } = await prepareOn(workspace, request, head)
  const content = encodeCommit({
    tree,
    parents,
    author: signatureAt(author, timeSeconds),
    committer: signatureAt(request.committer ?? author, timeSeconds),
    message: request.message
  })
  return { oid: workspace.stage('commit', content), tree, parents, ref, result, timeSeconds }
}

/** Stages the tree alone. @throws BlobwireError as `commitOn` */
export async function prepareOn(workspace: Workspace, request: Request, head: string | undefined): Promise<Prepared> {
  const on = checkHead(workspace, request, head)
  const headTree = head === undefined ? '' : await workspace.treeOfHead(head)
  const { baseTree } = request
  if (baseTree !== '') {
    checkOid('baseTree', baseTree, workspace.format)
    await checkKinds(workspace, [{ oid: baseTree, kind: 'tree' }])
  }
  const edits = await toEdits(workspace, request.changes, headTree)
  return { ...on, tree: await editTree(workspace, baseTree || headTree, edits) }
}

/** @throws BlobwireError `aborted`, reason `ref_mismatch`, where the branch is not at the expected head */
function checkHead(workspace: Workspace, { branch, expectedHead }: Request, head: string | undefined) {
  const ref = branchRef(branch)
  const foundOid = head ?? zeroOid(workspace.format)
  if (expectedHead !== '' && checkOid('expectedHead', expectedHead, workspace.format) !== foundOid)
    throw refMismatch([{ name: ref, expectedOid: expectedHead, foundOid }])
  return { ref, parents: head === undefined ? [] : [head], timeSeconds: Math.floor(Date.now() / 1000) }
}

/** Stages a commit that its caller made, on the tree and the head of a prepared answer. */
async function takeCommit(workspace: Workspace, request: Request, head: string | undefined) {
  const { expectedHead, changes, message, baseTree, commitObject } = request
  if (expectedHead === '') throw invalidArgument('expectedHead', 'must be given with a commitObject')
  if (changes.length > 0 || request.author || request.committer || message !== '' || baseTree !== '')
    throw invalidArgument('commitObject', 'must come without changes, author, committer, message and baseTree')
  const on = checkHead(workspace, request, head)
  const { tree, parents, committer } = named(commitObject)
  if (parents.join() !== on.parents.join()) {
    const found = parents.join() || 'none'
    throw invalidArgument('commitObject', `must have the expected head as its one parent, not ${found}`)
  }
  const { oid } = await storeObject(workspace, {
    repository: '',
    kind: 'commit',
    content: commitObject,
    check: 'strict'
  })
  return { ...on, oid, tree, timeSeconds: committer.timeSeconds }
}

function named(commitObject: Uint8Array) {
  try {
    return parseCommit(commitObject)
  } catch {
    throw invalidArgument('commitObject', 'must be the content of a commit object')
  }
}

/** The move of the branch from the parent of a commit to the commit. */
export function moveTo({ ref, parents, oid }: Response, format: ObjectFormat): RefMove {
  return { name: ref, expectedOid: parents[0] ?? zeroOid(format), newOid: oid }
}
