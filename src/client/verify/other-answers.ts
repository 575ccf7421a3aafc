/** Verifies the answers of calls that are not of blobs. */
import { encodeCommit, parseCommit } from '../../git/commit.ts'
import { hashObject, isOid, objectKinds } from '../../git/oid.ts'
import type { Identity } from '../../git/signature.ts'
import { encodeTag, parseTag } from '../../git/tag.ts'
import { buildTrees } from '../../git/tree-builder.ts'
import type { Messages } from '../../schema/messages.ts'
import type { Request } from '../blob-requests.ts'
import type { OperationName } from '../operations.ts'
import type { OperationValues } from '../results.ts'
import type { Verify } from './blob-answers.ts'
import { committedFields, hasExpectedParents, wholeTreeOf } from './commit.ts'
import { checkOid, formatOf, integrity, malformed } from './integrity.ts'
import { verifyTree } from './tree.ts'

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
export const otherCheckers: { readonly [Name in OperationName]?: Verify<Name> } = {
  getCommit: (_request, { commit }) => checkCommit(commit),
  listCommits: (_request, { commits }) => commits.forEach(checkCommit),
  getTag: (_request, { tag }) => checkTag(tag)
}

/** The checks with the option `verify`. */
export const otherVerifiers: { readonly [Name in OperationName]?: Verify<Name> } = {
  getRepository({ repository }, response) {
    // In a batch, the request of an operation has no name of a repository.
    const isOther = repository ? response.repository !== repository : response.repository === ''
    if (response.repository === '') throw malformed('the answer names no repository; is this a blobwire server?')
    if (isOther)
      throw malformed(`the answer is for another repository: ${JSON.stringify(response.repository.slice(0, 80))}`)
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
  const verify = otherVerifiers[name] as Verify<Name> | undefined
  verify?.(request, response)
}
