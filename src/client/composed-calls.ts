/** The calls that take several requests, or fill the client's caches. */
import type { CallOptions } from '../call/call-options.ts'
import { BlobwireError } from '../core/error.ts'
import { branchRef } from '../git/ref-name.ts'
import type { RepositoryInfo } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import type { RepositoryInputs, RepositoryMethod, RepositoryResults } from './interceptor.ts'
import { readLargeResults } from './large-reads.ts'
import { commitFiles, runBatchOfAnySize, storeSignedCommit, storeSignedTag, upload } from './on-demand.ts'
import type { Operation, OperationInputs, OperationName } from './operations.ts'
import type { RepositoryContext } from './repository-context.ts'
import type { WriteOptions } from './request-key.ts'
import type { OperationResult, OperationValues } from './results.ts'
import { verifyResponse } from './verify/other-answers.ts'
import { wholeTree } from './whole-tree.ts'

/** The calls below the interceptors. */
interface ComposedContext extends RepositoryContext {
  send<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options: CallOptions
  ): Promise<OperationValues[Name]>
  cacheFormat<Info extends RepositoryInfo & { created?: boolean }>(info: Info): Info
  namedErrors(operations: readonly Operation[], results: OperationResult[]): OperationResult[]
}

/** Carries out a call below the interceptors. */
type Run<Name extends RepositoryMethod> = (
  calls: ComposedContext,
  input: RepositoryInputs[Name],
  options: WriteOptions
) => Promise<RepositoryResults[Name]>

/** The calls that take several requests, or fill caches. */
export type ComposedMethod =
  | 'createRepository'
  | 'getRepository'
  | 'updateRepository'
  | 'deleteRepository'
  | 'getTree'
  | 'storeCommit'
  | 'storeTag'
  | 'commitFiles'
  | 'updateRefs'
  | 'batch'
  | 'upload'

const composed: { readonly [Name in ComposedMethod]: Run<Name> } = {
  async createRepository(calls, { objectFormat = 'sha1', defaultBranch }, options) {
    const request = { repository: calls.repository, objectFormat, defaultBranch }
    const made = calls.cacheFormat(await calls.invoker.invoke(methods.createRepository, request, options))
    const isOther = defaultBranch !== undefined && made.defaultBranch !== branchRef(defaultBranch)
    if (!made.created || !isOther) return made
    const message = `the server is too old for defaultBranch, and made the repository with ${made.defaultBranch}`
    throw new BlobwireError({ reason: 'no_such_method', message, sent: 'processed', attempts: 1 })
  },
  async getRepository(calls, _input, options) {
    return calls.cacheFormat(await calls.send('getRepository', {}, options))
  },
  async updateRepository(calls, { defaultBranch }, options) {
    const request = { repository: calls.repository, defaultBranch }
    return calls.cacheFormat(await calls.invoker.invoke(methods.updateRepository, request, options))
  },
  async deleteRepository({ invoker, repository }, _input, options) {
    const response = await invoker.invoke(methods.deleteRepository, { repository }, options)
    invoker.caches.forget(repository)
    return response
  },
  async getTree(calls, input, options) {
    const remaining = calls.invoker.shared(options)
    const fetchPage = (page: object) => calls.send('getTree', { ...input, ...page }, remaining())
    const listing = await wholeTree(fetchPage, input.recursive ? undefined : Number.POSITIVE_INFINITY)
    if (listing.pages > 1 && calls.invoker.options.verify)
      verifyResponse('getTree', { recursive: input.recursive }, listing)
    return { oid: listing.oid, entries: listing.entries }
  },
  async storeCommit(calls, { sign, ...input }, options) {
    return sign ? storeSignedCommit(calls, { ...input, sign }, options) : calls.send('storeCommit', input, options)
  },
  async storeTag(calls, { sign, ...input }, options) {
    return sign ? storeSignedTag(calls, { ...input, sign }, options) : calls.send('storeTag', input, options)
  },
  commitFiles,
  upload,
  async updateRefs(calls, input, options) {
    const remaining = calls.invoker.shared(options)
    // `null` is a zero oid, whose length is the format's.
    await calls.fetchFormat(remaining())
    return calls.send('updateRefs', input, remaining())
  },
  async batch(calls, { operations, atomic = false }, options) {
    const rest = calls.invoker.unhurried(options)
    const answered = await runBatchOfAnySize(calls, operations, { atomic, options })
    const results = await readLargeResults(calls, { operations, results: answered }, rest())
    return results.some(({ ok }) => !ok) ? calls.namedErrors(operations, results) : results
  }
}

/** The steps of a call. */
export function composedCall<Name extends ComposedMethod>(name: Name): Run<Name> {
  return composed[name]
}
