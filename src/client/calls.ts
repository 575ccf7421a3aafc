/**
 * The calls of a repository: through the interceptors, and then to the server. Most are one operation (`run`); some take
 * several requests, or teach the client something (`compose`).
 */
import type { CallOptions } from '../call/call-options.ts'
import type { Clock } from '../core/clock.ts'
import { invalidArgument } from '../core/error.ts'
import type { ObjectFormat } from '../git/oid.ts'
import { repositoryNameProblem } from '../git/repository-name.ts'
import type { RepositoryInfo } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { runBatch } from './batch.ts'
import type { CallInvoker } from './call-invoker.ts'
import { commitFiles } from './commit-files.ts'
import type { OperationInputs, OperationName } from './inputs.ts'
import type { Interception } from './interception.ts'
import type { RepositoryInputs, RepositoryMethod, RepositoryResults } from './interceptor.ts'
import { wholeTree } from './paging.ts'
import type { OperationValues } from './results.ts'
import { prepare, type Request, type RequestDefaults } from './to-request.ts'
import { verifyResponse } from './verify/answers.ts'

/** @throws BlobwireError `invalid_argument` for a name no repository can have */
export function checkRepositoryName(name: unknown): void {
  const problem = typeof name === 'string' ? repositoryNameProblem(name) : 'must be a string'
  if (problem !== undefined) throw invalidArgument('repository', problem)
}

/** Makes the calls of one repository. */
export class RepositoryCalls implements RequestDefaults {
  readonly invoker: CallInvoker
  readonly repository: string
  readonly #interception: Interception | undefined

  /** With `interception`, calls go through the interceptors first. */
  constructor(repository: string, invoker: CallInvoker, interception: Interception | undefined) {
    this.repository = repository
    this.invoker = invoker
    this.#interception = interception
  }

  get clock(): Clock {
    return this.invoker.clock
  }

  get objectFormat(): ObjectFormat {
    return this.invoker.caches.formats.get(this.repository) ?? 'sha1'
  }

  /** What requests are prepared with. */
  get defaults(): RequestDefaults {
    return this
  }

  /** A call that is one operation. @throws BlobwireError */
  run<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options?: CallOptions
  ): Promise<OperationValues[Name]> {
    if (this.#interception !== undefined) return this.#interceptOperation(name, input, options)
    try {
      const request = prepare(name, input, this) as Request<Name> & { repository: string }
      request.repository = this.repository
      return this.invoker.operation(name, request, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** A call that takes more than that. @throws BlobwireError */
  async compose<Name extends ComposedMethod>(
    name: Name,
    input: RepositoryInputs[Name],
    options: CallOptions
  ): Promise<RepositoryResults[Name]> {
    const run: Run<Name> = composed[name]
    if (this.#interception === undefined) return run(this, input, options)
    return this.invoker.intercept({
      method: name,
      repository: this.repository,
      message: input,
      options,
      run: (message, rest = {}, repository = '') => run(this.#withoutInterceptors(repository), message, rest)
    })
  }

  #interceptOperation<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options: CallOptions | undefined
  ): Promise<OperationValues[Name]> {
    return this.invoker.intercept({
      method: name,
      repository: this.repository,
      message: input,
      options,
      run: (message, rest, repository = '') => this.#withoutInterceptors(repository).run(name, message, rest)
    })
  }

  /** The calls of a repository as interceptors send them on: they do not see these. */
  #withoutInterceptors(repository: string): RepositoryCalls {
    if (repository !== this.repository) checkRepositoryName(repository)
    return new RepositoryCalls(repository, this.invoker, undefined)
  }

  /** For what needs the object format beforehand: asked of the server where no answer has told it yet. */
  async fetchFormat(options: CallOptions): Promise<void> {
    if (!this.invoker.caches.formats.has(this.repository)) await composed.getRepository(this, {}, options)
  }

  /** Keeps what an answer tells of the repository. */
  learn<Info extends RepositoryInfo & { created?: boolean }>(info: Info): Info {
    const { formats, takesNew } = this.invoker.caches
    formats.set(this.repository, info.objectFormat)
    if (info.created) takesNew.set(this.repository, true)
    return info
  }
}

/** What a call does below the interceptors. */
type Run<Name extends RepositoryMethod> = (
  calls: RepositoryCalls,
  input: RepositoryInputs[Name],
  options: CallOptions
) => Promise<RepositoryResults[Name]>

type ComposedMethod =
  | 'createRepository'
  | 'getRepository'
  | 'deleteRepository'
  | 'getTree'
  | 'commitFiles'
  | 'updateRefs'
  | 'batch'

const composed: { readonly [Name in ComposedMethod]: Run<Name> } = {
  async createRepository(calls, { objectFormat = 'sha1' }, options) {
    const request = { repository: calls.repository, objectFormat }
    return calls.learn(await calls.invoker.invoke(methods.createRepository, request, options))
  },
  async getRepository(calls, _input, options) {
    return calls.learn(await calls.run('getRepository', {}, options))
  },
  async deleteRepository({ invoker, repository }, _input, options) {
    await invoker.invoke(methods.deleteRepository, { repository }, options)
    invoker.caches.forget(repository)
    return undefined
  },
  async getTree(calls, input, options) {
    const remaining = calls.invoker.shared(options)
    const listing = await wholeTree((page) => calls.run('getTree', { ...input, ...page }, remaining()))
    if (listing.pages > 1 && calls.invoker.options.verify)
      verifyResponse('getTree', { recursive: input.recursive }, listing)
    return { oid: listing.oid, entries: listing.entries }
  },
  commitFiles,
  async updateRefs(calls, input, options) {
    const remaining = calls.invoker.shared(options)
    // `null` is a zero oid, whose length is the format's.
    await calls.fetchFormat(remaining())
    return calls.run('updateRefs', input, remaining())
  },
  async batch(calls, { operations, atomic }, options) {
    const remaining = calls.invoker.shared(options)
    await calls.fetchFormat(remaining())
    return [...(await runBatch(calls, operations, { ...remaining(), atomic }))]
  }
}
