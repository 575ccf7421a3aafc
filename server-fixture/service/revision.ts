/** Resolves revisions. Source: gitrevisions(7), "Specifying revisions", as far as the proto goes. */
import { invalidArgument } from '../../src/core/error.ts'
import { isOid, type ObjectKind } from '../../src/git/oid.ts'
import { refFormatProblem } from '../../src/git/ref-name.ts'
import { parseTag } from '../../src/git/tag.ts'
import { notFound, precondition } from './errors.ts'
import type { Workspace } from './workspace.ts'

/** Bound for tags that point to tags. */
const maxTagDepth = 10
/** `main~1000000` would read as many commits. */
const maxSteps = 10_000

const form = /^([^~^]*)((?:[~^]\d*)*)$/

/** The object that a revision resolves to. */
export interface Found {
  readonly oid: string
  readonly kind: ObjectKind
}

/** Only names that refs can have reach the store. */
const mayBeRef = (name: string) => refFormatProblem(name) === undefined

async function baseOid(workspace: Workspace, base: string): Promise<string> {
  if (isOid(base, workspace.format)) return base
  if (base === 'HEAD' || base === '') {
    const { oid, ref } = await workspace.head()
    return oid ?? refuse(workspace, base || 'HEAD', ref)
  }
  const named = base.startsWith('refs/') ? [base] : []
  const candidates = [...named, `refs/${base}`, `refs/tags/${base}`, `refs/heads/${base}`]
  const found = (await workspace.refs(candidates.filter(mayBeRef))).find((oid) => oid !== undefined)
  return found ?? refuse(workspace, base)
}

/**
 * @param ref the ref that HEAD names, where the revision is HEAD
 * @throws BlobwireError `not_found`, reason `revision`, with the probable cause
 */
async function refuse(workspace: Workspace, base: string, ref?: string): Promise<never> {
  const isEmpty = (await workspace.listRefs({ prefix: '', after: '', limit: 1 })).length === 0
  const names = ref === undefined ? '' : `; HEAD names ${ref}, which does not exist`
  const advice = isEmpty || ref === undefined ? '' : ': choose another branch with updateRepository({ defaultBranch })'
  const cause = isEmpty ? `: the repository has no commits yet${names}` : `${names}${advice}`
  const oid = base.toLowerCase()
  const hint = isOid(oid, workspace.format) ? `; oids are in lower case: did you mean ${oid}?` : ''
  throw notFound('revision', `revision ${JSON.stringify(base.slice(0, 200))} not found${cause}${hint}`)
}

async function peel(workspace: Workspace, oid: string): Promise<Found> {
  let at = oid
  for (let depth = 0; depth < maxTagDepth; depth++) {
    const info = await workspace.info(at)
    if (info === undefined) throw notFound('revision', `object ${at} not found`)
    if (info.kind !== 'tag') return { oid: at, kind: info.kind }
    at = parseTag(await workspace.content('tag', at)).object
  }
  throw precondition('wrong_kind', `${oid} is a chain of more than ${maxTagDepth} tags`)
}

async function step(workspace: Workspace, oid: string, parent: number): Promise<string> {
  if (parent === 0) return oid
  const { parents } = await workspace.commit(oid)
  const isEnd = parents.length > 0 && (await workspace.shallowCommits()).has(oid)
  const found = isEnd ? undefined : parents[parent - 1]
  if (found !== undefined) return found
  const cause = isEnd ? ': the history is shallow, and ends there' : ''
  throw notFound('revision', `commit ${oid} has no parent ${parent}${cause}`)
}

/**
 * The object a revision names, with tags followed.
 * @throws BlobwireError `not_found`, reason `revision`; `invalid_argument`
 */
async function findRevision(workspace: Workspace, revision: string): Promise<Found> {
  const [, base, suffix] = form.exec(revision) ?? []
  if (base === undefined || suffix === undefined || revision.includes('\0')) {
    throw invalidArgument('revision', 'must be an oid, ref, branch, tag or HEAD, optionally followed by ~N and ^N')
  }
  let found = await peel(workspace, await baseOid(workspace, base))
  let steps = 0
  for (const [, sign, digits] of suffix.matchAll(/([~^])(\d*)/g)) {
    const count = digits === '' || digits === undefined ? 1 : Number(digits)
    const generations = sign === '~' ? count : 1
    steps += generations
    if (steps > maxSteps) throw invalidArgument('revision', `must go back at most ${maxSteps} commits`)
    for (let index = 0; index < generations; index++) {
      found = { oid: await step(workspace, found.oid, sign === '~' ? 1 : count), kind: 'commit' }
    }
  }
  return found
}

/** The object that a revision names as it is: the name of an annotated tag stands for the tag. @throws as `findRevision` */
export async function findObject(workspace: Workspace, revision: string): Promise<Found> {
  if (/[~^\0]/.test(revision)) return findRevision(workspace, revision)
  const oid = await baseOid(workspace, revision)
  const info = await workspace.info(oid)
  if (info === undefined) throw notFound('revision', `object ${oid} not found`)
  return { oid, kind: info.kind }
}

/** The commit a revision names. @throws BlobwireError `failed_precondition`, reason `wrong_kind`, for anything else */
export async function findCommit(workspace: Workspace, revision: string): Promise<string> {
  const { oid, kind } = await findRevision(workspace, revision)
  if (kind !== 'commit') throw precondition('wrong_kind', `${oid} is a ${kind}, not a commit`)
  return oid
}

/** The tree of a commit, or the tree itself. @throws BlobwireError `failed_precondition`, reason `wrong_kind` */
export async function findTree(workspace: Workspace, revision: string): Promise<string> {
  const { oid, kind } = await findRevision(workspace, revision)
  if (kind === 'tree') return oid
  if (kind === 'commit') return (await workspace.commit(oid)).tree
  throw precondition('wrong_kind', `${oid} is a ${kind}, not a commit or tree`)
}
