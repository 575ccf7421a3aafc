/** Turns the inputs of calls into request messages: strings become bytes, `null` a zero oid, and dates are filled in. */
import type { Clock } from '../core/clock.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { type ObjectFormat, zeroOid } from '../git/oid.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type {
  Author,
  Bytes,
  Change,
  Changes,
  CommitFilesInput,
  NewTreeEntry,
  OperationInputs,
  OperationName
} from './inputs.ts'

/** The sources of defaults in request messages. */
export interface RequestDefaults {
  readonly clock: Clock
  /** Object format of the repository; `sha1` until it is known. */
  readonly objectFormat: ObjectFormat
}

/** The request message of each operation, without `repository`. */
export type Request<Name extends OperationName> = Init<NonNullable<Messages['Operation'][Name]>>

const encoder = new TextEncoder()

/** @throws BlobwireError `invalid_argument` for anything but bytes and well-formed strings */
function toBytes(field: string, content: Bytes): Uint8Array {
  if (content instanceof Uint8Array) return content
  if (typeof content !== 'string') throw invalidArgument(field, 'must be a Uint8Array or a string')
  if (!content.isWellFormed()) throw invalidArgument(field, 'must be well-formed Unicode, without lone surrogates')
  return encoder.encode(content)
}

function signature(author: Author, defaults: RequestDefaults): Init<Messages['Signature']> {
  if (typeof author !== 'object' || author === null) throw invalidArgument('author', 'must be { name, email }')
  const timeSeconds = author.timeSeconds ?? Math.floor(defaults.clock.wallTimeMs() / 1000)
  return { name: author.name, email: author.email, timeSeconds, zone: author.zone ?? '+0000' }
}

/** Author and committer with explicit dates, so that the client can compute the commit's oid. */
function signatures(input: { author: Author; committer?: Author | undefined }, defaults: RequestDefaults) {
  const author = signature(input.author, defaults)
  return { author, committer: input.committer === undefined ? author : signature(input.committer, defaults) }
}

function newSignature(author: Author): Init<Messages['NewSignature']> {
  if (typeof author !== 'object' || author === null) throw invalidArgument('author', 'must be { name, email }')
  return { name: author.name, email: author.email, timeSeconds: author.timeSeconds, zone: author.zone ?? '+0000' }
}

/** Author and committer of `commitFiles`: a date that is not given is the server's, so that the same call is the same request. */
export function newSignatures(input: { author: Author; committer?: Author | undefined }) {
  const author = newSignature(input.author)
  return { author, committer: input.committer === undefined ? author : newSignature(input.committer) }
}

/** The changes as a list, checked for their form. */
export function changeList(changes: Changes): [string, Change][] {
  if (typeof changes !== 'object' || changes === null) throw invalidArgument('changes', 'must be an object or a Map')
  return changes instanceof Map ? [...changes] : Object.entries(changes)
}

/** One change as a message. */
export function fileChange(path: string, change: Change): Init<Messages['FileChange']> {
  if (change === null) return { path, delete: true }
  if (typeof change === 'string' || change instanceof Uint8Array) return { path, content: toBytes(path, change) }
  if (typeof change !== 'object') throw invalidArgument(`changes[${path}]`, changeForms)
  const { mode } = change
  if ('content' in change) return { path, mode, content: toBytes(path, change.content) }
  if ('oid' in change) return { path, mode, oid: change.oid }
  if ('moveFrom' in change) return { path, mode, moveFrom: change.moveFrom }
  throw invalidArgument(`changes[${path}]`, changeForms)
}

const changeForms = 'must be bytes, a string, null, { content }, { oid } or { moveFrom }'

/** Refuses entries of a listing whose path is not UTF-8: its text would be another path. */
function treeEntries(entries: readonly (NewTreeEntry & { rawPath?: Uint8Array })[]): readonly NewTreeEntry[] {
  const other = entries.find(({ rawPath }) => rawPath !== undefined && rawPath.length > 0)
  if (other === undefined) return entries
  throw invalidArgument(`entries[${entries.indexOf(other)}].path`, `must be UTF-8, not ${JSON.stringify(other.path)}`)
}

function commitFiles(input: CommitFilesInput, defaults: RequestDefaults): Request<'commitFiles'> {
  if (input.expectedHead === undefined) {
    throw invalidArgument('expectedHead', 'is required in a batch: an oid, or null for a new branch')
  }
  return {
    branch: input.branch,
    expectedHead: input.expectedHead ?? zeroOid(defaults.objectFormat),
    changes: changeList(input.changes).map(([path, change]) => fileChange(path, change)),
    message: input.message,
    ...newSignatures(input)
  }
}

const prepared: {
  [Name in OperationName]: (input: OperationInputs[Name], defaults: RequestDefaults) => Request<Name>
} = {
  storeBlob: (input) => ({ content: toBytes('content', input.content) }),
  getBlob: (input) => ({ ...input }),
  findMissing: (input) => ({ oids: input.oids }),
  storeTree: (input) => ({ entries: treeEntries(input.entries), baseTree: input.baseTree }),
  getTree: (input) => ({ ...input, revision: input.revision ?? 'HEAD' }),
  storeCommit: (input, defaults) => ({
    tree: input.tree,
    parents: input.parents ?? [],
    message: input.message,
    ...signatures(input, defaults)
  }),
  getCommit: (input) => ({ revision: input.revision ?? 'HEAD' }),
  listCommits: (input) => ({ ...input, revision: input.revision ?? 'HEAD' }),
  commitFiles,
  listRefs: (input) => ({ ...input }),
  updateRefs: (input, defaults) => ({
    updates: input.updates.map(({ name, expectedOid, newOid }) => ({
      name,
      expectedOid: expectedOid ?? zeroOid(defaults.objectFormat),
      newOid: newOid ?? zeroOid(defaults.objectFormat)
    }))
  }),
  compare: (input) => ({ ...input }),
  getRepository: () => ({})
}

/**
 * The request message of an operation.
 * @throws BlobwireError `invalid_argument` naming the wrong value
 */
export function prepare<Name extends OperationName>(
  name: Name,
  input: OperationInputs[Name],
  defaults: RequestDefaults
): Request<Name> {
  if (!Object.hasOwn(prepared, name)) {
    const names = Object.keys(prepared).join(', ')
    throw invalidArgument('operations', `unknown operation ${JSON.stringify(name)}; expected one of ${names}`)
  }
  if (typeof input !== 'object' || input === null)
    throw invalidArgument(name, 'must be an object with the input of the operation')
  try {
    return prepared[name](input, defaults)
  } catch (error) {
    if (error instanceof BlobwireError) throw error
    // Callers without TypeScript may pass a wrong type, such as no list.
    throw invalidArgument(name, `must be a valid input of ${name}: ${(error as Error).message}`)
  }
}
