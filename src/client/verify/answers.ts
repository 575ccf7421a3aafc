/**
 * Verifies answers: contents must hash to their oids, and the encodings of trees and commits to theirs. A mismatch is
 * `data_loss`, reason `integrity`; a missing or invalid field is `internal`, reason `malformed_response`.
 */
import type { BlobwireError } from '../../core/error.ts'
import { encodeCommit, parseCommit } from '../../git/commit.ts'
import { hashObject, isOid, type ObjectFormat, type ObjectKind, objectKinds } from '../../git/oid.ts'
import type { Identity } from '../../git/signature.ts'
import { encodeTag, parseTag } from '../../git/tag.ts'
import { buildTrees } from '../../git/tree-builder.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { malformedResponse } from '../../transport/errors.ts'
import { type KnownOids, tellsOids, tellsOneOid } from '../known-oids.ts'
import type { OperationName } from '../operations.ts'
import type { OperationValues } from '../results.ts'
import type { Request } from '../to-request.ts'
import { committedFields, hasExpectedParents, wholeTreeOf } from './commit.ts'
import { integrityError, verifyTree } from './tree.ts'

/** The error of an answer with another value than the expected one. */
export function integrity(subject: string, expected: string, found: string): BlobwireError {
  return integrityError(`${subject}: expected ${expected}, got ${JSON.stringify(found.slice(0, 80))}`)
}

const malformed = (description: string) => malformedResponse(description).with({ attempts: 1 })

/** The object format of an oid in an answer. */
function formatOf(oid: string): ObjectFormat {
  if (!isOid(oid)) throw malformed(`${JSON.stringify(oid.slice(0, 80))} is not an oid`)
  return oid.length === 40 ? 'sha1' : 'sha256'
}

function checkOid(subject: string, kind: ObjectKind, { oid, content }: { oid: string; content: Uint8Array }): void {
  const computed = hashObject(kind, content, oid.length === 64 ? 'sha256' : 'sha1')
  if (computed === oid) return
  formatOf(oid)
  throw integrity(subject, computed, oid)
}

function identity(signature: Messages['Signature'] | undefined): Identity {
  if (signature === undefined) throw malformed('a commit has no author or no committer')
  return { ...signature, zone: signature.zone || '+0000' }
}

/** Verifies a commit. Where the answer has the commit's bytes, its fields are parsed from these. */
function verifyCommit(commit: Messages['Commit']): void {
  const { oid, tree, parents, message, raw } = commit
  if (raw.length === 0) {
    const fields = { tree, parents, author: identity(commit.author), committer: identity(commit.committer), message }
    checkOid('commit', 'commit', { oid, content: encodeCommit(fields) })
    return
  }
  checkOid('commit', 'commit', { oid, content: raw })
  const { canonical: _, date: __, ...fields } = parseCommit(raw)
  Object.assign(commit, fields)
}

/** Verifies a tag, as `verifyCommit` a commit. */
function verifyTag(tag: Messages['Tag']): void {
  const { oid, object, kind, name, message, raw } = tag
  if (raw.length === 0) {
    const fields = { object, kind, name, tagger: tag.tagger && identity(tag.tagger), message }
    checkOid('tag', 'tag', { oid, content: encodeTag(fields) })
    return
  }
  checkOid('tag', 'tag', { oid, content: raw })
  const { canonical: _, ...fields } = parseTag(raw)
  Object.assign(tag, fields)
}

type Verify<Name extends OperationName> = (request: Request<Name>, response: OperationValues[Name]) => void

/** Checks that a commit has the fields that its type promises. */
function checkCommit(commit: Messages['Commit'] | undefined): void {
  if (commit === undefined) throw malformed('the commit is missing')
  identity(commit.author)
  identity(commit.committer)
}

function checkTag(tag: Messages['Tag'] | undefined): void {
  if (tag === undefined) throw malformed('the tag is missing')
}

/** The checks without the option `verify`: that required fields are present. */
const checkers: { [Name in OperationName]?: Verify<Name> } = {
  getCommit: (_request, { commit }) => checkCommit(commit),
  listCommits: (_request, { commits }) => commits.forEach(checkCommit),
  getTag: (_request, { tag }) => checkTag(tag)
}

const verifiers: { [Name in OperationName]?: Verify<Name> } = {
  getRepository({ repository }, response) {
    // In a batch, the request of an operation has no name of a repository.
    const isOther = repository ? response.repository !== repository : response.repository === ''
    if (response.repository === '') throw malformed('the answer names no repository; is this a blobwire server?')
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
    // With a base tree, only the server knows all entries.
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
    if (!request.prepare)
      checkOid('new commit', 'commit', { oid, content: encodeCommit(committedFields(request, response)) })
    const { expectedHead = '', changes = [], baseTree } = request
    if (!hasExpectedParents(expectedHead, parents))
      throw integrity('parent of the new commit', expectedHead || 'one at most', parents.join() || 'none')
    const wholeTree = parents.length === 0 && !baseTree ? wholeTreeOf(changes, formatOf(tree)) : undefined
    if (wholeTree !== undefined && wholeTree !== tree) throw integrity('tree of the new commit', wholeTree, tree)
  },
  listRefs({ prefix = '' }, response) {
    // Only the server knows the oids of refs; at least each must be well-formed, because commits build on them.
    for (const { name, oid } of response.refs) {
      formatOf(oid)
      if (!name.startsWith(prefix)) throw malformed(`a ref does not begin with ${JSON.stringify(prefix)}`)
    }
  },
  findMissing(request, response) {
    const asked = new Set(request.oids)
    if (!response.missing.every((oid) => asked.has(oid))) throw malformed('an oid in `missing` is not in the request')
  },
  storeObject({ kind = 'blob', content = new Uint8Array(0) }, { oid }) {
    checkOid(`stored ${kind}`, kind, { oid, content })
  },
  getObject(request, response) {
    const { oid, kind, size, content } = response
    if (request.oid && request.oid !== oid) throw integrity('object', request.oid, oid)
    if (!objectKinds.includes(kind)) throw malformed(`unknown kind of an object: ${JSON.stringify(kind.slice(0, 80))}`)
    checkOid(kind, kind, response)
    if (size !== content.length) throw malformed('the size of an object does not match its content')
  },
  storeTag({ object = '', kind, name = '', tagger, message = '' }, { oid }) {
    const fields = { object, name, tagger: identity(tagger as Messages['Signature']), message }
    // Without a kind, only the server knows it.
    const oids = (kind ? [kind] : objectKinds).map((each) =>
      hashObject('tag', encodeTag({ ...fields, kind: each }), formatOf(oid))
    )
    if (!oids.includes(oid)) throw integrity('stored tag', oids.join(' or '), oid)
  },
  getTag({ revision = '' }, { tag }) {
    checkTag(tag)
    verifyTag(tag)
    if (isOid(revision) && revision !== tag.oid) throw integrity('tag', revision, tag.oid)
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

/** The verifier of an operation's answers, with or without the option `verify`; undefined = no checks. */
export function verifierOf(name: OperationName, verify: boolean): Verifier | undefined {
  return (verify ? verifiers : checkers)[name] as Verifier | undefined
}

/** A verifier for each operation that has one, which also keeps the oids that the answer tells. */
export function learningVerifiers(verify: boolean, known: KnownOids): { [Name in OperationName]?: Verifier } {
  const verifiers: { [Name in OperationName]?: Verifier } = {}
  for (const name of Object.keys(methods) as OperationName[]) {
    const check = verifierOf(name, verify)
    if (check) verifiers[name] = check
    if (!tellsOids.has(name)) continue
    const isOne = tellsOneOid.has(name)
    verifiers[name] = (request, response) => {
      check?.(request, response)
      const { repository } = request as { repository: string }
      if (isOne) known.add(repository, (response as { oid: string }).oid)
      else known.learn(name, repository, { request, response })
    }
  }
  return verifiers
}
