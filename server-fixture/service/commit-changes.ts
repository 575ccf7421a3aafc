/** The changes of a CommitFiles request: read from the message, held against their guards, turned into edits of a tree. */
import { invalidArgument, type PathMismatch } from '../../src/core/error.ts'
import { isMode, type Mode, modeRule } from '../../src/git/mode.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { modeProblem } from '../../src/git/path.ts'
import { answeredPath, binaryPath, showPath, textForRules } from '../../src/git/raw-path.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid, limitExceeded, pathMismatch, precondition } from './errors.ts'
import { checkObjects } from './references.ts'
import type { Edit } from './tree-edit.ts'
import { entryAt } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

/** The oid that must be at a path, a binary string; all zeros = nothing. */
interface Guard {
  readonly path: string
  readonly expectedOid: string
}

type Action = Omit<Messages['GuardedChange'], 'expectedOid'>

/** One change, with the name that errors give it. */
interface Change {
  readonly field: string
  readonly path: string
  readonly mode: string
  /** Undefined = a guard of a path that is not changed. */
  readonly action: Action | undefined
  readonly guard: Guard | undefined
}

function readChange(workspace: Workspace, change: Messages['FileChange'], field: string): Change {
  const { mode, guarded, guard } = change
  const path = binaryPath(change)
  const { format } = workspace
  if (guard !== undefined) {
    if (mode !== '') throw invalidArgument(`${field}.mode`, 'must be empty where nothing is changed')
    const expectedOid = checkOid(`${field}.guard`, guard, format)
    return { field, path, mode, action: undefined, guard: { path, expectedOid } }
  }
  if (guarded === undefined) return { field, path, mode, action: checkAction(field, change), guard: undefined }
  const expectedOid = checkOid(`${field}.guarded.expectedOid`, guarded.expectedOid, format)
  const guardedPath = sourceOf(guarded) ?? path
  const action = checkAction(`${field}.guarded`, guarded)
  return { field: `${field}.guarded`, path, mode, action, guard: { path: guardedPath, expectedOid } }
}

function checkAction(field: string, action: Action): Action {
  if (action.delete === false) throw invalidArgument(`${field}.delete`, 'must be true')
  if ((action.content ?? action.oid ?? action.delete ?? sourceOf(action)) !== undefined) return action
  throw invalidArgument(field, 'must have content, oid, delete or moveFrom')
}

/** The path that a change moves; undefined = it moves none. */
function sourceOf({ moveFrom, rawMoveFrom }: Action): string | undefined {
  return (moveFrom ?? rawMoveFrom) === undefined ? undefined : binaryPath({ path: moveFrom, rawPath: rawMoveFrom })
}

function readChanges(workspace: Workspace, changes: readonly Messages['FileChange'][]): Change[] {
  const paths = new Set<string>()
  return changes.map((change, index) => {
    const field = `changes[${index}]`
    const path = binaryPath(change)
    if (paths.has(path)) throw invalidArgument(`${field}.path`, `must not be repeated: ${showPath(path)}`)
    paths.add(path)
    return readChange(workspace, change, field)
  })
}

/** @throws BlobwireError `aborted`, reason `path_mismatch`, with all paths that are not as their guards expect them */
async function checkGuards(workspace: Workspace, changes: readonly Change[], headTree: string): Promise<void> {
  const mismatches: PathMismatch[] = []
  for (const { guard } of changes) {
    if (guard === undefined) continue
    const { path, expectedOid } = guard
    const foundOid = (await entryAt(workspace, headTree, path))?.oid ?? zeroOid(workspace.format)
    if (foundOid !== expectedOid) mismatches.push({ ...answeredPath(path), expectedOid, foundOid })
  }
  if (mismatches.length > 0) throw pathMismatch(mismatches)
}

async function editsOf(workspace: Workspace, change: Change, headTree: string): Promise<Edit[]> {
  const { field, path, mode, action } = change
  if (action === undefined) return []
  if (action.delete) return [{ path, remove: true }]
  const from = sourceOf(action)
  if (from === undefined) {
    const checked = checkMode(field, mode || '100644', path)
    return [{ path, put: { mode: checked, oid: contentOid(workspace, change, checked) } }]
  }
  const source = await entryAt(workspace, headTree, from)
  if (source === undefined) {
    throw precondition('path_not_found', `cannot move ${showPath(from)}: the path does not exist`)
  }
  return [
    { path: from, remove: true },
    { path, put: { mode: checkMode(field, mode || source.mode, path), oid: source.oid } }
  ]
}

function checkMode(field: string, mode: string, path: string): Mode {
  if (!isMode(mode)) throw invalidArgument(`${field}.mode`, modeRule(mode))
  const problem = modeProblem(textForRules(path), mode)
  if (problem !== undefined) throw invalidArgument(`${field}.path`, problem)
  return mode
}

function contentOid(workspace: Workspace, { field, action }: Change, mode: Mode): string {
  const { content, oid = '' } = action ?? {}
  if (content === undefined) return checkOid(`${field}.oid`, oid, workspace.format)
  const { maxInlineBytes } = workspace.limits
  if (mode === '040000' || mode === '160000')
    throw invalidArgument(`${field}.mode`, 'must be the mode of a file where content is given')
  if (content.length > maxInlineBytes) throw limitExceeded('max_inline_bytes', maxInlineBytes, content.length)
  return workspace.stage('blob', content)
}

/**
 * The edits that a list of changes makes; new contents are staged. Moves and guards are read from `headTree`, '' on a
 * new branch.
 * @throws BlobwireError `aborted`, reason `path_mismatch`; `failed_precondition`; `invalid_argument`
 */
export async function toEdits(
  workspace: Workspace,
  list: readonly Messages['FileChange'][],
  headTree: string
): Promise<Edit[]> {
  const changes = readChanges(workspace, list)
  await checkGuards(workspace, changes, headTree)
  const edits: Edit[] = []
  for (const change of changes) edits.push(...(await editsOf(workspace, change, headTree)))
  await checkObjects(
    workspace,
    edits.flatMap(({ put }) => put ?? [])
  )
  return edits
}
