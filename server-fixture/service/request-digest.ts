/**
 * The digest of a write: equal for two requests that ask for the same. It is made of what the caller gave, whatever the
 * codec, the form in which contents travel, or the time that is left.
 */
import { createHash } from 'node:crypto'
import { hashObject, type ObjectFormat } from '../../src/git/oid.ts'
import { answeredPath, binaryPath } from '../../src/git/raw-path.ts'
import { branchRef } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'

type FileChange = Messages['FileChange']
type NewSignature = Messages['NewSignature']

/** The writes that have keys: the fields of ApplyRequest. */
export type Write = Pick<
  Messages['ApplyRequest'],
  'commitFiles' | 'updateRefs' | 'createRepository' | 'updateRepository' | 'deleteRepository' | 'batch'
>

/** The digest of a write to a repository of this format, in hex. */
export function digestOf(write: Write, format: ObjectFormat): string {
  return createHash('sha256')
    .update(JSON.stringify(canonicalWrite(write, format)))
    .digest('hex')
}

function canonicalWrite(write: Write, format: ObjectFormat): unknown {
  const { commitFiles, updateRefs, createRepository, updateRepository, deleteRepository, batch } = write
  if (commitFiles) return ['commitFiles', canonicalCommit(commitFiles, format)]
  if (updateRefs) {
    return ['updateRefs', updateRefs.updates.map(canonicalUpdate)]
  }
  if (createRepository) {
    const { objectFormat, defaultBranch } = createRepository
    return ['createRepository', objectFormat || 'sha1', ...(defaultBranch ? [branchOf(defaultBranch)] : [])]
  }
  if (updateRepository) return ['updateRepository', branchOf(updateRepository.defaultBranch)]
  if (deleteRepository) return ['deleteRepository']
  return ['batch', batch?.operations.map((operation) => canonicalOperation(operation, format))]
}

function canonicalUpdate({ name, rawName, expectedOid, newOid }: Messages['RefUpdate']): unknown {
  return [rawName?.length ? ['raw', Buffer.from(rawName).toString('hex')] : name, expectedOid, newOid]
}

const branchOf = (defaultBranch: string) => branchRef(defaultBranch, 'defaultBranch')

function canonicalOperation(operation: Messages['Operation'], format: ObjectFormat): unknown {
  if (operation.commitFiles || operation.updateRefs) return canonicalWrite(operation, format)
  if (operation.storeBlob) return ['storeBlob', hashObject('blob', operation.storeBlob.content, format)]
  return canonical(operation)
}

function canonicalCommit(request: Messages['CommitFilesRequest'], format: ObjectFormat): unknown {
  const { branch, expectedHead, changes, author, committer, message, baseTree, inputDigest, commitObject } = request
  const signatures = [canonicalSignature(author), canonicalSignature(committer ?? author)]
  // The head and the base tree are those that the client found.
  if (inputDigest !== '') return [branchRef(branch), inputDigest, ...signatures, message]
  if (commitObject.length > 0) return [branchRef(branch), expectedHead, hashObject('commit', commitObject, format)]
  const sorted = changes.map((change) => canonicalChange(change, format)).sort(([one], [other]) => compare(one, other))
  return [branchRef(branch), expectedHead, sorted, ...signatures, message, baseTree]
}

const compare = (one: string, other: string) => (one < other ? -1 : Number(one > other))

function canonicalChange(
  { path, rawPath, mode, guard, guarded, ...plain }: FileChange,
  format: ObjectFormat
): [string, unknown] {
  const { content, oid, delete: isDeleted, moveFrom, rawMoveFrom } = guarded ?? plain
  const expected = guarded?.expectedOid ?? guard ?? null
  const isPut = content !== undefined || oid !== undefined
  const put = content === undefined ? (oid ?? null) : hashObject('blob', content, format)
  const from = (moveFrom ?? rawMoveFrom) === undefined ? null : canonicalPath(moveFrom, rawMoveFrom)
  return [canonicalPath(path, rawPath), [isPut ? mode || '100644' : mode, put, isDeleted ?? false, from, expected]]
}

/** The text or, with a mark that no path has, the bytes. */
function canonicalPath(path: string | undefined, rawPath: Uint8Array | undefined): string {
  const answered = answeredPath(binaryPath({ path, rawPath }))
  return answered.rawPath ? `\0${Buffer.from(answered.rawPath).toString('hex')}` : answered.path
}

/** A date that is absent is none that was filled in. */
function canonicalSignature(signature: NewSignature | undefined): unknown {
  return signature && [signature.name, signature.email, signature.timeSeconds ?? null, signature.zone || '+0000']
}

/** A message with its fields in the order of their names, and its bytes as their hash. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return createHash('sha256').update(value).digest('hex')
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return fields.sort(([one], [other]) => compare(one, other)).map(([name, field]) => [name, canonical(field)])
}
