/** The RPCs about repositories, and the right to call the others. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { type ObjectFormat, objectFormats } from '../../src/git/oid.ts'
import { branchRef } from '../../src/git/ref-name.ts'
import { repositoryNameProblem } from '../../src/git/repository-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { Creation, RepositoryInfo, Store } from '../store/store.ts'
import { type Access, type CallContext, throwIfAbandoned } from './context.ts'
import { notFound } from './errors.ts'
import { defaultPageBounds, Pace, type PageBounds } from './pace.ts'
import { PageTokens } from './page-token.ts'
import { pageSize } from './paging.ts'
import { keyedRefusal, keyedRequest, type WriteKey } from './request-keys.ts'
import type { Workspace } from './workspace.ts'

/** @throws BlobwireError `invalid_argument` */
export function checkName(repository: string): void {
  const problem = repositoryNameProblem(repository)
  if (problem !== undefined) throw invalidArgument('repository', problem)
}

/** The same message for a missing repository and for one that the caller may not read. */
function unknown(repository: string): BlobwireError {
  return notFound(
    'repository',
    `repository ${repository} not found: nobody has created it, or the token does not permit reading it`
  )
}

/** @throws BlobwireError `not_found` without the right to read, `permission_denied` without the right to write */
export function authorize(context: CallContext, access: Access, repository: string): void {
  const { principal } = context
  if (principal.may(access, repository)) return
  if (!principal.may('read', repository)) throw unknown(repository)
  const message = `the token does not permit ${access} access to repository ${repository}`
  throw new BlobwireError({ code: 'permission_denied', message })
}

/** The repository. @throws BlobwireError `not_found`, reason `repository` */
export function openRepository(store: Store, repository: string): Promise<RepositoryInfo> | RepositoryInfo {
  const known = (info: RepositoryInfo | undefined) => {
    if (info === undefined) throw unknown(repository)
    return info
  }
  const found = store.getRepository(repository)
  return found instanceof Promise ? found.then(known) : known(found)
}

/** GetRepository: the default branch is the one that HEAD names now. */
export async function getRepository(workspace: Workspace): Promise<Messages['GetRepositoryResponse']> {
  return answered({ ...workspace.repository, defaultBranch: (await workspace.head()).ref })
}

/** A repository as answers carry it: of a branch whose name is not UTF-8, they hold the text that a listing of refs has. */
function answered({ repository, objectFormat, defaultBranch }: RepositoryInfo): RepositoryInfo {
  return { repository, objectFormat, defaultBranch: defaultBranch.toWellFormed() }
}

/** Checks the right to create a repository. @throws BlobwireError `invalid_argument`, `permission_denied` */
export function authorizeCreation(context: CallContext, repository: string): void {
  checkName(repository)
  // Not `not_found`: the call would create it.
  if (context.principal.may('write', repository)) return
  const message = `the token does not permit write access to repository ${repository}`
  throw new BlobwireError({ code: 'permission_denied', message })
}

/** CreateRepository, once it is authorized. */
export async function createRepository(
  store: Store,
  request: Messages['CreateRepositoryRequest'],
  key?: WriteKey
): Promise<Messages['CreateRepositoryResponse']> {
  const { repository } = request
  const objectFormat = (request.objectFormat || 'sha1') as ObjectFormat
  if (!objectFormats.includes(objectFormat)) {
    throw invalidArgument('objectFormat', `must be one of ${objectFormats.join(', ')}`)
  }
  const defaultBranch = request.defaultBranch ? branchRef(request.defaultBranch, 'defaultBranch') : undefined
  const refusalOf = ({ info }: Creation) => {
    if (info.objectFormat === objectFormat) return undefined
    const message = `repository ${repository} exists with object format ${info.objectFormat}`
    return new BlobwireError({ reason: 'object_format', message })
  }
  const outcomeOf = (write: WriteKey) => (creation: Creation) => {
    const refusal = refusalOf(creation)
    return refusal ? keyedRefusal(write, refusal) : keyedRequest(write, toCreated(creation), [])
  }
  const options = { defaultBranch, request: key && outcomeOf(key) }
  const creation = await store.createRepository(repository, objectFormat, options)
  const refusal = refusalOf(creation)
  if (refusal) throw refusal
  return toCreated(creation)
}

const toCreated = ({ info, created }: Creation): Messages['CreateRepositoryResponse'] => ({
  ...answered(info),
  created
})

/** Checks the right to change or delete a repository. @throws BlobwireError */
export function authorizeChange(context: CallContext, repository: string): void {
  checkName(repository)
  authorize(context, 'write', repository)
}

/** UpdateRepository, once it is authorized. */
export async function updateRepository(
  store: Store,
  { repository, defaultBranch }: Messages['UpdateRepositoryRequest'],
  key?: WriteKey
): Promise<Messages['UpdateRepositoryResponse']> {
  const branch = branchRef(defaultBranch, 'defaultBranch')
  const info = await store.updateRepository(
    repository,
    branch,
    key && ((changed) => keyedRequest(key, answered(changed), []))
  )
  return answered(info)
}

/** DeleteRepository, once it is authorized. */
export async function deleteRepository(
  store: Store,
  { repository }: Messages['DeleteRepositoryRequest'],
  key?: WriteKey
): Promise<Messages['DeleteRepositoryResponse']> {
  const request = key && ((deleted: boolean) => keyedRequest(key, { deleted }, []))
  return { deleted: await store.deleteRepository(repository, request) }
}

/** Prefix, and the last name that was looked at. */
const tokens = new PageTokens('repositories', ['text', 'text'])

/** ListRepositories: the repositories that the caller may read. */
export async function listRepositories(
  store: Store,
  request: Messages['ListRepositoriesRequest'],
  { context, pageBounds = defaultPageBounds }: { context: CallContext; pageBounds?: PageBounds | undefined }
): Promise<Messages['ListRepositoriesResponse']> {
  const limit = pageSize(request.pageSize, 100, 1000)
  const [prefix, start] = tokens.read(request.pageToken) ?? [request.prefix, '']
  const pace = new Pace({ pageBounds, throwIfAbandoned: () => throwIfAbandoned(context) })
  const repositories: Messages['ListRepositoriesResponse']['repositories'] = []
  for (let after = start; ; ) {
    const page = await store.listRepositories({ prefix, after, limit: limit + 1 })
    for (const info of page) {
      const isReadable = context.principal.may('read', info.repository)
      // A full page ends where more are readable: others are not told of.
      if (pace.isOver || (isReadable && repositories.length === limit)) {
        return { repositories, nextPageToken: tokens.write(prefix, after) }
      }
      if (isReadable) repositories.push(answered(info))
      after = info.repository
      await pace.step(false)
    }
    if (page.length <= limit) return { repositories, nextPageToken: '' }
    throwIfAbandoned(context)
  }
}
