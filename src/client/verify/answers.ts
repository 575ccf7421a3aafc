/**
 * Holds every answer against what Git says it must be: contents hash to their oid, trees and commits encode to theirs.
 * A mismatch is `data_loss`, reason `integrity`; an answer that lacks what it must have is `internal`, reason
 * `malformed_response`.
 */
import type { BlobwireError } from '../../core/error.ts'
import { encodeCommit, parseCommit } from '../../git/commit.ts'
import { hashObject, isOid, type ObjectFormat } from '../../git/oid.ts'
import type { Identity } from '../../git/signature.ts'
import { buildTrees } from '../../git/tree-builder.ts'
import type { Messages } from '../../schema/messages.ts'
import { malformedResponse } from '../../transport/errors.ts'
import type { OperationName } from '../inputs.ts'
import type { OperationValues } from '../results.ts'
import type { Request } from '../to-request.ts'
import { bytesOfCommit, hasExpectedParents, wholeTreeOf } from './commit.ts'
import { integrityError, verifyTree } from './tree.ts'

/** An answer that does not hold: what was expected and what came. */
export function integrity(subject: string, expected: string, found: string): BlobwireError {
  return integrityError(`${subject}: expected ${expected}, got ${JSON.stringify(found.slice(0, 80))}`)
}

const malformed = (description: string) => malformedResponse(description).with({ attempts: 1 })

/** The format an oid of the answer belongs to. */
function formatOf(oid: string): ObjectFormat {
  if (!isOid(oid)) throw malformed(`${JSON.stringify(oid.slice(0, 80))} is not an oid`)
  return oid.length === 40 ? 'sha1' : 'sha256'
}

function checkOid(
  subject: string,
  kind: 'blob' | 'commit',
  { oid, content }: { oid: string; content: Uint8Array }
): void {
  const computed = hashObject(kind, content, oid.length === 64 ? 'sha256' : 'sha1')
  if (computed === oid) return
  formatOf(oid)
  throw integrity(subject, computed, oid)
}

function identity(signature: Messages['Signature'] | undefined): Identity {
  if (signature === undefined) throw malformed('a commit has no author or no committer')
  return { ...signature, zone: signature.zone || '+0000' }
}

/** Fills in a commit from its own bytes where it has them; the bytes are what is hashed. */
function verifyCommit(commit: Messages['Commit']): void {
  const { oid, tree, parents, message, raw } = commit
  if (raw.length === 0) {
    const fields = { tree, parents, author: identity(commit.author), committer: identity(commit.committer), message }
    checkOid('commit', 'commit', { oid, content: encodeCommit(fields) })
    return
  }
  checkOid('commit', 'commit', { oid, content: raw })
  const { canonical: _, ...fields } = parseCommit(raw)
  Object.assign(commit, fields)
}

type Verify<Name extends OperationName> = (request: Request<Name>, response: OperationValues[Name]) => void

/** A commit that lacks nothing that its type promises. */
function checkCommit(commit: Messages['Commit'] | undefined): void {
  if (commit === undefined) throw malformed('the commit is missing')
  identity(commit.author)
  identity(commit.committer)
}

/** Without `verify`, only that everything is there. */
const checkers: { [Name in OperationName]?: Verify<Name> } = {
  getCommit: (_request, { commit }) => checkCommit(commit),
  listCommits: (_request, { commits }) => commits.forEach(checkCommit)
}

const verifiers: { [Name in OperationName]?: Verify<Name> } = {
  getRepository({ repository }, response) {
    // In a batch the name stands outside of the operation.
    const isOther = repository ? response.repository !== repository : response.repository === ''
    if (isOther)
      throw malformed(`the answer is for another repository: ${JSON.stringify(response.repository.slice(0, 80))}`)
  },
  storeBlob(request, response) {
    const content = request.content ?? new Uint8Array(0)
    checkOid('stored blob', 'blob', { oid: response.oid, content })
  },
  getBlob(request, response) {
    if (request.oid && request.oid !== response.oid) throw integrity('blob', request.oid, response.oid)
    checkOid('blob', 'blob', response)
    if (response.size !== response.content.length) throw malformed('the size of a blob does not match its content')
  },
  storeTree(request, response) {
    const format = formatOf(response.oid)
    // With a base tree only the server knows all entries.
    if (request.baseTree) return
    const { oid } = buildTrees((request.entries ?? []) as Messages['TreeEntry'][], format)
    if (oid !== response.oid) throw integrity('stored tree', oid, response.oid)
  },
  getTree(request, response) {
    formatOf(response.oid)
    const whole = !request.pageToken && response.nextPageToken === ''
    if (whole) verifyTree(response, request.recursive ?? false)
  },
  storeCommit(request, response) {
    const { tree = '', parents = [], message = '' } = request
    const author = identity(request.author as Messages['Signature'])
    const committer = identity((request.committer ?? request.author) as Messages['Signature'])
    const content = encodeCommit({ tree, parents, author, committer, message })
    checkOid('stored commit', 'commit', { oid: response.oid, content })
  },
  getCommit(request, response) {
    if (response.commit === undefined) throw malformed('the commit is missing')
    verifyCommit(response.commit)
    const { revision = '' } = request
    if (isOid(revision) && revision !== response.commit.oid) throw integrity('commit', revision, response.commit.oid)
  },
  listCommits(_request, response) {
    response.commits.forEach(verifyCommit)
  },
  commitFiles(request, response) {
    const { tree, parents, oid } = response
    checkOid('new commit', 'commit', { oid, content: bytesOfCommit(request, response) })
    const { expectedHead = '', changes = [], baseTree } = request
    if (!hasExpectedParents(expectedHead, parents))
      throw integrity('parent of the new commit', expectedHead || 'one at most', parents.join() || 'none')
    const wholeTree = parents.length === 0 && !baseTree ? wholeTreeOf(changes, formatOf(oid)) : undefined
    if (wholeTree !== undefined && wholeTree !== tree) throw integrity('tree of the new commit', wholeTree, tree)
  },
  listRefs({ prefix = '' }, response) {
    // Where refs point nobody else knows; at least it must be an oid, or the next commit would be built on damage.
    for (const { name, oid } of response.refs) {
      formatOf(oid)
      if (!name.startsWith(prefix)) throw malformed(`a ref does not begin with ${JSON.stringify(prefix)}`)
    }
  },
  findMissing(request, response) {
    const asked = new Set(request.oids)
    if (!response.missing.every((oid) => asked.has(oid))) throw malformed('an oid in `missing` is not in the request')
  }
}

/** Checks one answer. @throws BlobwireError `data_loss` or `internal`, see above */
export function verifyResponse<Name extends OperationName>(
  name: Name,
  request: Request<Name>,
  response: OperationValues[Name]
): void {
  const verify = verifiers[name] as Verify<Name> | undefined
  verify?.(request, response)
}

/** Checks one answer; both are of the same operation. @throws BlobwireError */
export type Verifier = (request: object, response: object) => void

/** What checks the answers of an operation, with `verify` or without; undefined = there is nothing to check. */
export function verifierOf(name: OperationName, verify: boolean): Verifier | undefined {
  return (verify ? verifiers : checkers)[name] as Verifier | undefined
}
