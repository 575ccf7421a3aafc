/** Turns the inputs of calls into request messages: strings become bytes, `null` a zero oid, and dates are filled in. */
import type { Clock } from '../core/clock.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import type { Mode } from '../git/mode.ts'
import { type ObjectFormat, zeroOid } from '../git/oid.ts'
import { type PathFields, pathFields } from '../git/raw-path.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { fileChanges, fillGuards } from './changes.ts'
import type { Author, BlobAddress, CommitFilesInput, NewTreeEntry, ObjectAddress, Path } from './inputs.ts'
import type { OperationInputs, OperationName } from './operations.ts'
import { toBytes } from './take.ts'

/** The sources of defaults in request messages. */
export interface RequestDefaults {
  readonly clock: Clock
  /** Object format of the repository; `sha1` until it is known. */
  readonly objectFormat: ObjectFormat
}

/** The request message of each operation, without `repository`. */
export type Request<Name extends OperationName> = Init<NonNullable<Messages['Operation'][Name]>>

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

/** A date that the caller left out stays absent, so that the same call made again is the same request. */
function newSignature(author: Author): Init<Messages['NewSignature']> {
  if (typeof author !== 'object' || author === null) throw invalidArgument('author', 'must be { name, email }')
  const { name, email, timeSeconds, zone = '+0000' } = author
  return timeSeconds === undefined ? { name, email, zone } : { name, email, timeSeconds, zone }
}

/** The fields of a commit besides its changes, its head and its repository. */
export function commitFields({ branch, message, author, committer }: CommitFilesInput) {
  const signed = { branch, message, author: newSignature(author) }
  return committer === undefined ? signed : { ...signed, committer: newSignature(committer) }
}

function treeEntry({ path, mode, oid, rawPath }: NewTreeEntry): Init<Messages['TreeEntry']> {
  return { ...pathFields(rawPath?.length ? rawPath : path), mode: mode as Mode, oid }
}

/** The input with its path as messages carry it. */
function withPath<Input extends { path?: Path | undefined }>(input: Input): Omit<Input, 'path'> & PathFields {
  const { path, ...rest } = input
  return path === undefined ? rest : { ...rest, ...pathFields(path) }
}

const address = (input: BlobAddress | ObjectAddress) => ('oid' in input ? { oid: input.oid } : withPath(input))

function commitFiles(input: CommitFilesInput, { objectFormat }: RequestDefaults): Request<'commitFiles'> {
  const zero = zeroOid(objectFormat)
  return {
    ...commitFields(input),
    expectedHead: input.expectedHead === null ? zero : input.expectedHead,
    changes: fillGuards(fileChanges(input), zero)
  }
}

/** The most frequent request is made from an empty literal; see `OwnCall`. */
function storeBlob({ content }: OperationInputs['storeBlob']): Request<'storeBlob'> {
  const request: { content?: Uint8Array } = {}
  request.content = toBytes('content', content)
  return request as Request<'storeBlob'>
}

const prepared: {
  [Name in OperationName]: (input: OperationInputs[Name], defaults: RequestDefaults) => Request<Name>
} = {
  storeBlob,
  getBlob: address,
  findMissing: (input) => ({ oids: input.oids }),
  storeTree: (input) => ({ entries: input.entries.map(treeEntry), baseTree: input.baseTree }),
  getTree: (input) => ({ ...withPath(input), revision: input.revision ?? 'HEAD' }),
  storeCommit: (input, defaults) => ({
    tree: input.tree,
    parents: input.parents ?? [],
    message: input.message,
    ...signatures(input, defaults)
  }),
  getCommit: (input) => ({ revision: input.revision ?? 'HEAD' }),
  listCommits: (input) => ({ ...withPath(input), revision: input.revision ?? 'HEAD' }),
  commitFiles,
  listRefs: (input) => ({ ...input }),
  updateRefs: (input, defaults) => ({
    updates: input.updates.map(({ name, expectedOid, newOid }) => ({
      ...(typeof name === 'string' ? { name } : { rawName: name }),
      expectedOid: expectedOid ?? zeroOid(defaults.objectFormat),
      newOid: newOid ?? zeroOid(defaults.objectFormat)
    }))
  }),
  compare: (input) => ({ ...input }),
  getRepository: () => ({}),
  storeObject: (input) => ({ ...input, content: toBytes('content', input.content) }),
  getObject: address,
  storeTag: (input, defaults) => ({ ...input, tagger: signature(input.tagger, defaults) }),
  getTag: (input) => ({ ...input })
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
