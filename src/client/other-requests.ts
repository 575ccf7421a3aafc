/** The request messages of calls that are not of blobs: `null` becomes a zero oid, and dates are filled in. */
import { invalidArgument } from '../core/error.ts'
import type { Mode } from '../git/mode.ts'
import { zeroOid } from '../git/oid.ts'
import { pathFields } from '../git/raw-path.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import {
  address,
  type blobRequests,
  type Prepare,
  type Request,
  type RequestDefaults,
  withPath
} from './blob-requests.ts'
import { fileChanges, fillGuards } from './changes.ts'
import type { Author, CommitFilesInput, NewTreeEntry } from './inputs.ts'
import type { OperationName } from './operations.ts'
import { toBytes } from './take.ts'

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

function commitFiles(input: CommitFilesInput, { objectFormat }: RequestDefaults): Request<'commitFiles'> {
  const zero = zeroOid(objectFormat)
  return {
    ...commitFields(input),
    expectedHead: input.expectedHead === null ? zero : input.expectedHead,
    changes: fillGuards(fileChanges(input), zero)
  }
}

/** The requests of operations that are not of blobs. */
export const otherRequests: {
  readonly [Name in Exclude<OperationName, keyof typeof blobRequests>]: Prepare<Name>
} = {
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
