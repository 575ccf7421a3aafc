/** Reads the changes and guards of `commitFiles` into messages, and checks their form. */
import { type BlobwireError, invalidArgument } from '../core/error.ts'
import { nearestName } from '../core/nearest-name.ts'
import { isOid } from '../git/oid.ts'
import { pathProblem } from '../git/path.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { Bytes, CommitFilesInput } from './inputs.ts'

/** The message of one change. */
export type FileChange = Init<Messages['FileChange']>

/** Stands for `null` until the object format is known: an all-zero oid is as long as the format says. */
const nothing = ''

const encoder = new TextEncoder()

/** @throws BlobwireError `invalid_argument` for anything but bytes and well-formed strings */
export function toBytes(field: string, content: Bytes): Uint8Array {
  if (content instanceof Uint8Array) return content
  if (typeof content !== 'string') throw invalidArgument(field, 'must be a Uint8Array or a string')
  if (!content.isWellFormed()) throw invalidArgument(field, 'must be well-formed Unicode, without lone surrogates')
  return encoder.encode(content)
}

/**
 * The changes and guards of a commit as new messages, checked for their form. `fillGuards` must follow where
 * `hasOpenGuards`.
 * @throws BlobwireError `invalid_argument` naming the path and the allowed forms
 */
export function fileChanges({ changes, guards }: Pick<CommitFilesInput, 'changes' | 'guards'>): FileChange[] {
  const list = entriesOf('changes', changes, "{ 'a.txt': 'new content', 'old.txt': null }").map(([path, change]) => {
    const field = fieldOf('changes', path)
    return fileChange(path, change, field)
  })
  if (guards === undefined) return list
  const changed = new Set(list.map(({ path }) => path))
  for (const [path, expected] of entriesOf('guards', guards, "{ 'a.txt': oid, 'b.txt': null }")) {
    const field = fieldOf('guards', path)
    if (changed.has(path))
      throw invalidArgument(field, `also in changes; guard the change itself: { content: …, expectedOid: … }`)
    list.push({ path, guard: expectedOid(field, expected) })
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

function fieldOf(list: string, path: string): string {
  const field = `${list}[${JSON.stringify(path.slice(0, 200))}]`
  const problem = pathProblem(path)
  if (problem !== undefined) throw invalidArgument(field, problem)
  return field
}

/** Entries of a plain object or a Map. */
function entriesOf(field: string, given: unknown, example: string): [string, unknown][] {
  const form = `must be an object or a Map by path, such as ${example}`
  if (typeof given !== 'object' || given === null) throw invalidArgument(field, form)
  if (!(given instanceof Map)) {
    const prototype = Object.getPrototypeOf(given)
    // Objects of another realm have another Object.prototype, which is the end of its chain all the same.
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
    if (!isPlain || Array.isArray(given)) throw invalidArgument(field, form)
    return Object.entries(given)
  }
  const entries: [unknown, unknown][] = [...given]
  if (!entries.every((entry): entry is [string, unknown] => typeof entry[0] === 'string'))
    throw invalidArgument(field, 'must have paths (strings) as the keys of its Map')
  return entries
}

const forms =
  'must be bytes, a string, null, { content }, { oid }, { moveFrom } or { delete: true }, each object with an optional expectedOid'

const kinds = ['content', 'oid', 'moveFrom', 'delete'] as const

function fileChange(path: string, change: unknown, field: string): FileChange {
  if (change === null) return { path, delete: true }
  if (typeof change === 'string' || change instanceof Uint8Array) return { path, content: toBytes(field, change) }
  if (typeof change !== 'object' || Array.isArray(change)) throw invalidArgument(field, forms)
  const given = change as Readonly<Record<string, unknown>>
  const names = Object.keys(given).filter((name) => given[name] !== undefined)
  const [kind, ...others] = kinds.filter((name) => names.includes(name))
  checkKeys(names, kind === 'delete' ? ['delete', 'expectedOid'] : [...kinds, 'mode', 'expectedOid'], field)
  if (kind === undefined || others.length > 0) throw invalidArgument(field, forms)
  const put = putOf(kind, given[kind], field)
  const mode = given['mode'] as FileChange['mode']
  const about = mode === undefined ? { path } : { path, mode }
  if (given['expectedOid'] === undefined) return { ...about, ...put }
  return { ...about, guarded: { expectedOid: expectedOid(`${field}.expectedOid`, given['expectedOid']), ...put } }
}

/** The one of `content`, `oid`, `moveFrom` and `delete` that a change has. */
function putOf(kind: (typeof kinds)[number], value: unknown, field: string): Partial<FileChange> {
  if (kind === 'content') return { content: toBytes(`${field}.content`, value as Bytes) }
  if (kind === 'delete') {
    if (value !== true) throw invalidArgument(`${field}.delete`, 'must be true; leave the path out to keep it')
    return { delete: true }
  }
  if (typeof value !== 'string')
    throw invalidArgument(`${field}.${kind}`, kind === 'oid' ? 'must be an oid' : 'must be a path')
  return { [kind]: value }
}

function expectedOid(field: string, value: unknown): string {
  if (value === null) return nothing
  if (typeof value === 'string' && isOid(value)) return value
  throw invalidArgument(field, 'must be an oid, or null where nothing may be at the path')
}

function checkKeys(names: readonly string[], allowed: readonly string[], field: string): void {
  const unknown = names.find((name) => !allowed.includes(name))
  if (unknown !== undefined) throw unknownKey(unknown, allowed, field)
}

function unknownKey(name: string, allowed: readonly string[], field: string): BlobwireError {
  const nearest = nearestName(name, allowed)
  const hint = nearest === undefined ? `expected some of ${allowed.join(', ')}` : `did you mean ${nearest}?`
  return invalidArgument(field, `unknown key ${JSON.stringify(name.slice(0, 100))}; ${hint}`)
}
