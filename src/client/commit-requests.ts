/** Sends a commit whose contents are stored or small: in one request, or behind the trees of its changes. */

import { estimateBytes, splitBySize } from '../batch/split.ts'
import type { CallOptions } from '../call/call-options.ts'
import { inCallersWords } from '../call/caller-fields.ts'
import { BlobwireError } from '../core/error.ts'
import { isZeroOid, zeroOid } from '../git/oid.ts'
import { encodeUtf8 } from '../platform/bytes.ts'
import { hashHex } from '../platform/hash.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import type { FileChange } from './changes.ts'
import type { RepositoryContext } from './repository-context.ts'
import { derivedKey, type WriteOptions } from './request-key.ts'
import { wholeTreeOf } from './verify/commit.ts'
import { integrity } from './verify/integrity.ts'
import { verifyResponse } from './verify/other-answers.ts'

type Response = Messages['CommitFilesResponse']

/** The fields of the request besides the changes. `expectedHead` = '' takes whatever head is there. */
type Fields = Pick<
  Init<Messages['CommitFilesRequest']>,
  'author' | 'committer' | 'message' | 'inputDigest' | 'prepare'
> & {
  readonly branch: string
  readonly expectedHead: string
}

/** A commit that was asked for. */
export interface Commit {
  readonly fields: Fields
  readonly changes: readonly FileChange[]
  /** How often the server has refused the commit for a state that this client did not know of. */
  readonly round: number
  readonly remaining: () => CallOptions & { readonly timeoutMs: number }
}

/** A commit whose puts and removals are applied to a tree, on the head that the client found. */
interface OnTree {
  readonly baseTree: string
  /** The head that the caller gave: the answer may be that to an earlier request under the key, on another head. */
  readonly givenHead: string
}

/** One request. @throws BlobwireError */
export async function sendCommit(context: RepositoryContext, commit: Commit, onTree?: OnTree): Promise<Response> {
  const { invoker, repository } = context
  const { fields, changes, remaining } = commit
  const request = { ...fields, repository, changes, ...(onTree && { baseTree: onTree.baseTree }) }
  const response = await invoker.invoke(methods.commitFiles, request, ofRound(remaining(), commit.round))
  const expectedHead = onTree?.givenHead ?? fields.expectedHead
  if (invoker.options.verify) verifyResponse('commitFiles', { ...request, expectedHead }, response)
  return response
}

/** Each further round is another request, and has a key of its own. */
export function ofRound(options: WriteOptions, round: number): WriteOptions {
  const { requestKey } = options
  return round === 0 || requestKey === undefined ? options : { ...options, requestKey: derivedKey(requestKey, round) }
}

/**
 * A list of changes too long for one request is stored as trees first, on top of the head that the client reads. Where
 * no head was expected and others have moved the branch, that is done again on the new head, until the deadline.
 * @throws BlobwireError
 */
export async function commitLongList(context: RepositoryContext, commit: Commit): Promise<Response> {
  const { expectedHead } = commit.fields
  const inputDigest = digestOf(commit)
  for (let { round } = commit; ; round++) {
    const head = await headOf(context, commit)
    try {
      return await commitOn(context, { ...commit, round }, { ...head, inputDigest })
    } catch (error) {
      const isMoved = error instanceof BlobwireError && error.is('ref_mismatch')
      if (expectedHead !== '' || !isMoved) throw error
    }
  }
}

/** The same for a repetition by another process, whatever head it reads. All contents are named by oid. */
export function digestOf({ fields, changes }: Pick<Commit, 'fields' | 'changes'>, ...more: string[]): string {
  const sorted = changes.map((change) => JSON.stringify(change)).sort()
  return hashHex('sha256', '', encodeUtf8(JSON.stringify([fields, sorted, ...more])))
}

/** A commit and its tree; '' for the tree of a branch that does not exist. */
interface Head {
  readonly oid: string
  readonly tree: string
}

async function headOf(
  { invoker, repository, defaults }: RepositoryContext,
  { fields, remaining }: Commit
): Promise<Head> {
  const { expectedHead, branch } = fields
  if (isZeroOid(expectedHead)) return { oid: expectedHead, tree: '' }
  try {
    const { commit } = await invoker.operation(
      'getCommit',
      { repository, revision: expectedHead || branch },
      remaining()
    )
    return commit
  } catch (error) {
    const isNew = expectedHead === '' && error instanceof BlobwireError && error.is('revision')
    if (isNew) return { oid: zeroOid(defaults.objectFormat), tree: '' }
    throw error
  }
}

async function commitOn(
  context: RepositoryContext,
  commit: Commit,
  { oid, tree, inputDigest }: Head & { inputDigest: string }
): Promise<Response> {
  const { invoker, repository, defaults } = context
  const { fields, changes, remaining } = commit
  const { runs, rest } = inTrees(context, changes)
  let baseTree = tree
  for (const run of runs) {
    const entries = run.map((change) => ({
      path: change.path ?? '',
      ...(change.rawPath && { rawPath: change.rawPath }),
      mode: change.mode || '100644',
      oid: change.oid ?? change.guarded?.oid ?? ''
    }))
    baseTree = await invoker.invoke(methods.storeTree, { repository, entries, baseTree }, remaining()).then(
      ({ oid: stored }) => stored,
      (error) => {
        throw inCallersWords(error, { changes: run }, 'entries')
      }
    )
  }
  const onHead = { ...commit, fields: { ...fields, expectedHead: oid, inputDigest }, changes: rest }
  const response = await sendCommit(context, onHead, { baseTree, givenHead: fields.expectedHead })
  if (!invoker.options.verify || response.parents.length > 0) return response
  const wholeTree = wholeTreeOf(changes, defaults.objectFormat)
  if (wholeTree !== undefined && wholeTree !== response.tree)
    throw integrity('tree of the new commit', wholeTree, response.tree)
  return response
}

/** The puts and removals, all but the last part of them, in runs of one tree each; and the changes of the commit. */
function inTrees({ invoker }: RepositoryContext, changes: readonly FileChange[]) {
  const base64 = invoker.transport === 'json'
  const bounds = { ...invoker.caches.limits, maxBatchOperations: Infinity }
  const isMove = ({ moveFrom, rawMoveFrom }: Pick<FileChange, 'moveFrom' | 'rawMoveFrom'>) =>
    (moveFrom ?? rawMoveFrom) !== undefined
  const isOfHead = (change: FileChange) => isMove(change) || isMove(change.guarded ?? {}) || change.guard !== undefined
  // Moves and guards are read from the head: they stay with the commit.
  const ofHead = changes.filter(isOfHead)
  const runs = splitBySize(
    changes.filter((change) => !isOfHead(change)),
    (change) => estimateBytes(change, base64),
    bounds
  )
  const guards =
    ofHead.length > 0 || runs.some((run) => run.some(({ guarded }) => guarded)) ? guardsOf(runs) : undefined
  // The last part goes with the commit, unless the commit has moves and guards to carry.
  if (guards === undefined) return { runs: runs.slice(0, -1), rest: runs.at(-1) ?? [] }
  return { runs, rest: [...guards, ...ofHead] }
}

/** The guards alone of changes that are in a tree already. */
function guardsOf(runs: readonly (readonly FileChange[])[]): FileChange[] {
  return runs
    .flat()
    .flatMap(({ path = '', rawPath, guarded }) =>
      guarded ? { path, ...(rawPath && { rawPath }), guard: guarded.expectedOid ?? '' } : []
    )
}
