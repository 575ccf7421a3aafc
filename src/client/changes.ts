/** Turns the changes and guards of `commitFiles` into messages. */
import { invalidArgument } from '../core/error.ts'
import { isOid } from '../git/oid.ts'
import {
  binaryPath,
  type PathFields,
  pathFields,
  presentPathProblem,
  rawPathProblem,
  showPath
} from '../git/raw-path.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { isSource } from '../transfer/source-kinds.ts'
import type { Change, CommitFilesInput, Path } from './inputs.ts'
import { toBytes } from './take.ts'

/** The message of one change. */
export type FileChange = Init<Messages['FileChange']>

/** Stands for `null` until the object format is known: an all-zero oid is as long as the format says. */
const nothing = ''

/**
 * The changes and guards of a commit as messages; `call-shapes.ts` has checked their form. `fillGuards` must follow where
 * `hasOpenGuards`.
 * @throws BlobwireError `invalid_argument` for paths and oids that are none, and for a path in both
 */
export function fileChanges({ changes, guards }: Pick<CommitFilesInput, 'changes' | 'guards'>): FileChange[] {
  const list = entriesOf(changes).map(([path, change]) => fileChange(path, change))
  if (guards === undefined) return list
  const changed = new Set(list.map(binaryPath))
  for (const [path, expected] of entriesOf(guards)) {
    const fields = pathFields(path)
    const field = fieldOf('guards', fields, true)
    if (changed.has(binaryPath(fields)))
      throw invalidArgument(field, 'also in changes; guard the change itself: { content: …, expectedOid: … }')
    list.push({ ...fields, guard: expectedOid(field, expected) })
  }
  return list
}

/** Whether a guard of the changes expects nothing at its path, and waits for the zero oid of the format. */
export function hasOpenGuards(changes: readonly FileChange[]): boolean {
  return changes.some(({ guard, guarded }) => guard === nothing || guarded?.expectedOid === nothing)
}

/** The changes with the zero oid of the repository's format wherever a guard expects nothing. */
export function fillGuards(changes: readonly FileChange[], zero: string): FileChange[] {
  return changes.map((change) => {
    if (change.guard === nothing) return { ...change, guard: zero }
    if (change.guarded?.expectedOid !== nothing) return change
    return { ...change, guarded: { ...change.guarded, expectedOid: zero } }
  })
}

/** The content that a change puts, guarded or not. */
export function contentOf({ content, guarded }: FileChange): Uint8Array | undefined {
  return (content ?? guarded?.content) as Uint8Array | undefined
}

/** The change with the oid of an object that the server has, in place of its content. */
export function withOid({ content: _, guarded, ...change }: FileChange, oid: string): FileChange {
  return guarded ? { ...change, guarded: { expectedOid: guarded.expectedOid, oid } } : { ...change, oid }
}

/** The name of a change for errors. Git has paths that no new tree may have; they can be read and removed. */
function fieldOf(list: string, path: PathFields, isPresent: boolean): string {
  const field = `${list}[${showPath(binaryPath(path))}]`
  const problem = isPresent ? presentPathProblem(path) : rawPathProblem(path)
  if (problem !== undefined) throw invalidArgument(field, problem)
  return field
}

/** By path, from an object or a Map. */
function entriesOf<Value>(given: ReadonlyMap<Path, Value> | Readonly<Record<string, Value>>): [Path, Value][] {
  return given instanceof Map ? [...given] : Object.entries(given)
}

const kinds = ['content', 'file', 'oid', 'moveFrom', 'delete'] as const

/** Stands for the content of a source until it is read or stored. */
const notRead = new Uint8Array(0)

function fileChange(given: Path, change: Change): FileChange {
  const path = pathFields(given)
  const field = fieldOf('changes', path, isRemoval(change))
  if (change === null) return { ...path, delete: true }
  if (typeof change === 'string' || change instanceof Uint8Array) return { ...path, content: toBytes(field, change) }
  if (isSource(change)) return { ...path, content: notRead }
  return { ...path, ...changeOf(field, change) }
}

const isRemoval = (change: Change) =>
  change === null || (typeof change === 'object' && 'delete' in change && change.delete === true)

function changeOf(field: string, change: object): FileChange {
  const given = change as Partial<Record<(typeof kinds)[number] | 'mode' | 'expectedOid', unknown>>
  const [kind = 'delete'] = kinds.filter((name) => given[name] !== undefined)
  const value = given[kind]
  const put = putOf(kind, value, field)
  const mode = given.mode as FileChange['mode']
  const about = mode === undefined ? {} : { mode }
  if (given.expectedOid === undefined) return { ...about, ...put }
  return { ...about, guarded: { expectedOid: expectedOid(`${field}.expectedOid`, given.expectedOid), ...put } }
}

function moveOf(from: Path): Pick<FileChange, 'moveFrom' | 'rawMoveFrom'> {
  const { path, rawPath } = pathFields(from)
  return rawPath === undefined ? { moveFrom: path } : { rawMoveFrom: rawPath }
}

function putOf(kind: (typeof kinds)[number], value: unknown, field: string): Omit<FileChange, 'path'> {
  if (kind === 'moveFrom') return moveOf(value as Path)
  if (kind !== 'content' && kind !== 'file') return { [kind]: value }
  const isBytes = typeof value === 'string' || value instanceof Uint8Array
  return { content: kind === 'content' && isBytes ? toBytes(`${field}.content`, value) : notRead }
}

function expectedOid(field: string, value: unknown): string {
  if (value === null) return nothing
  if (typeof value === 'string' && isOid(value)) return value
  throw invalidArgument(field, 'must be an oid, or null where nothing may be at the path')
}
