/** CommitFiles: changes files of a branch in one commit. */
import { invalidArgument } from '../../src/core/error.ts'
import { branchRef } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { WaitingCommit } from './branch-queue.ts'
import { makeChain } from './commit-chain.ts'
import { commitOn, moveTo, prepareOn } from './commit-on-head.ts'
import { checkOid, refMismatch } from './errors.ts'
import type { WriteKey } from './request-keys.ts'
import type { Workspace } from './workspace.ts'

type Request = Messages['CommitFilesRequest']
type Response = Messages['CommitFilesResponse']

/** CommitFiles. With a key, the commit is remembered under it, together with the move of the branch. */
export async function commitFiles(workspace: Workspace, request: Request, key?: WriteKey): Promise<Response> {
  const ref = branchRef(request.branch)
  if (request.expectedHead !== '') checkOid('expectedHead', request.expectedHead, workspace.format)
  else if (request.baseTree !== '') throw invalidArgument('baseTree', 'must be empty without an expectedHead')
  if (request.prepare) {
    if (key !== undefined) throw invalidArgument('prepare', 'must come without a key: nothing is moved')
    return prepareCommit(workspace, request, ref)
  }
  if (workspace.atomic) return commitInBatch(workspace, request, ref)
  // The commit may name objects that earlier operations of its batch have stored.
  await workspace.flush()
  const { repository } = workspace.repository
  return new Promise((resolve, reject) => {
    const throwIfAbandoned = () => {
      workspace.throwIfAbandoned()
      key?.throwIfAbandoned?.()
    }
    const requestId = key?.requestId ?? workspace.caller.requestId
    const commit: WaitingCommit = { request, key, requestId, throwIfAbandoned, resolve, reject }
    workspace.commits.add({ repository, ref }, commit, (commits) => makeChain(workspace, ref, commits))
  })
}

/** In an atomic batch: the move of the branch is held back like all others. */
async function commitInBatch(workspace: Workspace, request: Request, ref: string): Promise<Response> {
  const [head] = await workspace.refs([ref])
  const made = await commitOn(workspace, request, head)
  const mismatches = await workspace.moveRefs([moveTo(made, workspace.format)])
  if (mismatches.length > 0) throw refMismatch(mismatches)
  return made
}

/** Stores the tree of a commit that the caller makes itself. */
async function prepareCommit(workspace: Workspace, request: Request, ref: string): Promise<Response> {
  if (request.author ?? request.committer ?? (request.message || undefined))
    throw invalidArgument('prepare', 'must come without author, committer and message')
  const [head] = await workspace.refs([ref])
  const prepared = await prepareOn(workspace, request, head)
  await workspace.flush()
  return { ...prepared, oid: '', result: 'prepared' }
}
