/** CommitFiles: changes files of a branch in one commit. */
import { invalidArgument } from '../../src/core/error.ts'
import { encodeCommit } from '../../src/git/commit.ts'
import { isMode, type Mode, modeForms } from '../../src/git/mode.ts'
import { isZeroOid, zeroOid } from '../../src/git/oid.ts'
import { modeProblem } from '../../src/git/path.ts'
import { branchRef } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid, limitExceeded, precondition, refMismatch } from './errors.ts'
import { checkKinds, checkObjects } from './references.ts'
import { keyedRequest, type WriteKey } from './request-keys.ts'
import { type Edit, editTree } from './tree-edit.ts'
import { entryAt } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

type Request = Messages['CommitFilesRequest']
type Response = Messages['CommitFilesResponse']

/** Attempts without expected_head on a branch that others move at the same time. */
const maxRaces = 100

/** Turns puts, removals and moves into edits, and stages new contents. `headTree` = '' on a new branch. */
async function toEdits(workspace: Workspace, request: Request, headTree: string): Promise<Edit[]> {
  const edits: Edit[] = []
  const paths = new Set<string>()
  for (const [index, change] of request.changes.entries()) {
    const { path } = change
    const field = `changes[${index}]`
    if (paths.has(path)) throw invalidArgument(`${field}.path`, `must not be repeated: ${JSON.stringify(path)}`)
    paths.add(path)
    if (change.delete !== undefined) {
      if (!change.delete) throw invalidArgument(`${field}.delete`, 'must be true')
      edits.push({ path, remove: true })
    } else if (change.moveFrom !== undefined) {
      const source = await entryAt(workspace, headTree, change.moveFrom)
      if (source === undefined) {
        throw precondition(
          'path_not_found',
          `cannot move ${JSON.stringify(change.moveFrom.slice(0, 200))}: the path does not exist`
        )
      }
      edits.push({ path: change.moveFrom, remove: true })
      edits.push({ path, put: { mode: checkMode(field, change.mode || source.mode, path), oid: source.oid } })
    } else {
      const mode = checkMode(field, change.mode || '100644', path)
      const oid = contentOid(workspace, field, { ...change, mode })
      edits.push({ path, put: { mode, oid } })
    }
  }
  await checkObjects(
    workspace,
    edits.flatMap(({ put }) => put ?? [])
  )
  return edits
}

function checkMode(field: string, mode: string, path: string): Mode {
  if (!isMode(mode)) throw invalidArgument(`${field}.mode`, modeForms)
  const problem = modeProblem(path, mode)
  if (problem !== undefined) throw invalidArgument(`${field}.path`, problem)
  return mode
}

function contentOid(workspace: Workspace, field: string, change: Messages['FileChange']): string {
  const { content, oid, mode } = change
  if (content === undefined) {
    if (oid === undefined) throw invalidArgument(field, 'must have content, oid, delete or moveFrom')
    return checkOid(`${field}.oid`, oid, workspace.format)
  }
  const { maxInlineBytes } = workspace.limits
  if (mode === '040000' || mode === '160000')
    throw invalidArgument(`${field}.mode`, 'must be the mode of a file where content is given')
  if (content.length > maxInlineBytes) throw limitExceeded('max_inline_bytes', maxInlineBytes, content.length)
  return workspace.stage('blob', content)
}

const signatureAt = ({ name, email, timeSeconds, zone }: Messages['NewSignature'], now: number) => ({
  name,
  email,
  timeSeconds: timeSeconds ?? now,
  zone: zone || '+0000'
})

/** Makes the commit on top of a head (undefined = none), without moving the branch. */
async function makeCommit(workspace: Workspace, request: Request, head: string | undefined): Promise<Response> {
  const now = Math.floor(Date.now() / 1000)
  const { author } = request
  if (author === undefined) throw invalidArgument('author', 'must be given')
  const headTree = head === undefined ? '' : (await workspace.commit(head)).tree
  if (request.baseTree !== '') {
    checkOid('baseTree', request.baseTree, workspace.format)
    await checkKinds(workspace, [{ oid: request.baseTree, kind: 'tree' }])
  }
  const edits = await toEdits(workspace, request, headTree)
  const tree = await editTree(workspace, request.baseTree || headTree, edits)
  const parents = head === undefined ? [] : [head]
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
    ref: branchRef(request.branch),
    result: head === undefined ? 'created' : 'moved',
    timeSeconds: now
  }
}

/** Moves the branch from the head to the commit, and has the commit remembered under its key. */
async function moveBranch(
  workspace: Workspace,
  made: Response,
  { head, key }: { head: string | undefined; key: WriteKey | undefined }
) {
  const moves = [{ name: made.ref, expectedOid: head ?? zeroOid(workspace.format), newOid: made.oid }]
  await workspace.flush()
  key?.throwIfAbandoned?.()
  return workspace.moveRefs(moves, key && [keyedRequest(key, made, moves)])
}

async function commitOnExpected(workspace: Workspace, request: Request, key: WriteKey | undefined): Promise<Response> {
  const ref = branchRef(request.branch)
  const expectedOid = request.expectedHead
  checkOid('expectedHead', expectedOid, workspace.format)
  const zero = zeroOid(workspace.format)
  const head = isZeroOid(expectedOid) ? undefined : expectedOid
  const [current] = await workspace.refs([ref])
  if (current !== head) {
    throw refMismatch([{ name: ref, expectedOid: head ?? zero, foundOid: current ?? zero }])
  }
  const made = await makeCommit(workspace, request, head)
  const mismatches = await moveBranch(workspace, made, { head, key })
  if (mismatches.length > 0) throw refMismatch(mismatches)
  return made
}

/** CommitFiles; with a key, the commit is remembered under it. */
export async function commitFiles(workspace: Workspace, request: Request, key?: WriteKey): Promise<Response> {
  const ref = branchRef(request.branch)
  if (request.expectedHead !== '') return commitOnExpected(workspace, request, key)
  for (let race = 0; ; race++) {
    const [head] = await workspace.refs([ref])
    const made = await makeCommit(workspace, request, head)
    const mismatches = await moveBranch(workspace, made, { head, key })
    if (mismatches.length === 0) return made
    if (race >= maxRaces) throw refMismatch(mismatches)
  }
}
