/**
 * The calls of a repository, which pass the interceptors of calls first. Most calls are one operation (`run`); others take
 * several requests, or fill the client's caches (`compose`).
 */
import type { CallOptions } from '../call/call-options.ts'
import { type CalledMethod, forCaller } from '../call/caller.ts'
import { inOperation } from '../call/caller-fields.ts'
import { show } from '../core/check-options.ts'
import type { Clock } from '../core/clock.ts'
import { asBlobwireError, type BlobwireError, invalidArgument } from '../core/error.ts'
import type { ObjectFormat } from '../git/oid.ts'
import { repositoryNameProblem } from '../git/repository-name.ts'
import type { RepositoryInfo } from '../schema/messages.ts'
import type { Request, RequestDefaults } from './blob-requests.ts'
import type { CallInvoker } from './call-invoker.ts'
import { checkCallOptions, takeInput, takeOptions } from './call-shapes.ts'
import { type ComposedMethod, composedCall } from './composed-calls.ts'
import { largeContentOf, movesLargeContent } from './contents-apart.ts'
import type { Interception } from './interception.ts'
import type { CallMessages, Method, RepositoryInputs, RepositoryResults } from './interceptor.ts'
import { storeLargeBlob } from './on-demand.ts'
import type { Operation, OperationInputs, OperationName } from './operations.ts'
import { checkRequestKey, newRequestKey, type WriteOptions } from './request-key.ts'
import type { OperationResult, OperationValues } from './results.ts'
import { prepare } from './to-request.ts'

/** @throws BlobwireError `invalid_argument` for a name no repository can have */
export function checkRepositoryName(name: unknown): void {
  const problem =
    typeof name === 'string'
      ? repositoryNameProblem(name)
      : `must be a string, the name of the repository, not ${show(name)}`
  if (problem !== undefined) throw invalidArgument('repository', problem)
}

/** Makes the calls of one repository. */
export class RepositoryCalls implements RequestDefaults {
  readonly invoker: CallInvoker
  readonly repository: string
  readonly #interception: Interception | undefined

  /** Without `interception`, calls skip the interceptors. */
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

  /** The defaults of requests. */
  get defaults(): RequestDefaults {
    return this
  }

  /** A method of the repository, as errors name it. */
  called(method: string): CalledMethod {
    return { method, endpoint: this.invoker.endpoint }
  }

  /** A call that is one operation. @throws BlobwireError */
  run<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options?: CallOptions
  ): Promise<OperationValues[Name]> {
    try {
      const own = takeInput(name as Method, input as CallMessages[Method]) as OperationInputs[Name]
      checkCallOptions(name, options)
      if (this.#interception === undefined) return this.send(name, own, options)
      return this.#interceptOperation(name, own, options && takeOptions(name, options))
    } catch (error) {
      return Promise.reject(this.#refused(name, error, this.run))
    }
  }

  /** The error of wrong arguments, with the line of the call. */
  #refused(method: string, error: unknown, below: (...values: never[]) => unknown): BlobwireError {
    return forCaller(asBlobwireError(error), this.called(method), { below })
  }

  /** One operation, below the interceptors, of an input that was taken over. @throws BlobwireError */
  send<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options?: CallOptions
  ): Promise<OperationValues[Name]> {
    try {
      const request = prepare(name, input, this) as Request<Name> & { repository: string }
      request.repository = this.repository
      const large = largeContentOf(name, request)
      if (large !== undefined) return this.#storeLarge(name, large, options) as Promise<OperationValues[Name]>
      return this.invoker.operation(name, request, options)
    } catch (error) {
      return this.invoker.refused(name, error)
    }
  }

  async #storeLarge(name: OperationName, content: Uint8Array, options: CallOptions | undefined) {
    const stored = await storeLargeBlob(this, content, options)
    // A blob has nothing that a check could warn of.
    return name === 'storeObject' ? { ...stored, warnings: [] } : stored
  }

  /** A call that takes several requests or fills caches. @throws BlobwireError */
  compose<Name extends ComposedMethod>(
    name: Name,
    input: RepositoryInputs[Name],
    options: WriteOptions
  ): Promise<RepositoryResults[Name]> {
    try {
      const own = takeInput(name as Method, input) as RepositoryInputs[Name]
      // The key is made above the interceptors: one that sends the call again repeats it.
      const ownOptions = keyed.has(name) ? withKey(takeOptions(name, options)) : takeOptions(name, options)
      if (this.#interception === undefined) return this.#carryOut(name, own, ownOptions)
      const answer = this.invoker.intercept({
        method: name,
        repository: this.repository,
        message: own,
        options: ownOptions,
        isUnhurried: movesLargeContent(this, name, own),
        run: (message, rest = {}, repository = '') => {
          const changed = takeInput(name as Method, message) as RepositoryInputs[Name]
          return this.#withoutInterceptors(repository).#carryOut(name, changed, takeOptions(name, rest))
        }
      })
      return name === 'batch' ? (this.#atCaller(answer as Promise<OperationResult[]>) as typeof answer) : answer
    } catch (error) {
      return Promise.reject(this.#refused(name, error, this.compose))
    }
  }

  /** The requests of a composed call. An error is that of the call, whichever of its requests failed. */
  async #carryOut<Name extends ComposedMethod>(
    name: Name,
    input: RepositoryInputs[Name],
    options: WriteOptions
  ): Promise<RepositoryResults[Name]> {
    try {
      return await composedCall(name)(this, input, options)
    } catch (error) {
      const found = asBlobwireError(error)
      const { endpoint = this.invoker.endpoint } = found
      throw forCaller(found, { method: name, endpoint }, { below: this.#carryOut })
    }
  }

  /** The results of a batch that has passed interceptors, below which the caller's line was out of sight. */
  async #atCaller(answer: Promise<OperationResult[]>): Promise<OperationResult[]> {
    const results = await answer
    if (results.every(({ ok }) => ok)) return results
    return results.map((result) => (result.ok ? result : { ok: false, error: this.#ofBatch(result.error) }))
  }

  #ofBatch(error: BlobwireError): BlobwireError {
    return forCaller(error, this.called('batch'), { below: this.#ofBatch })
  }

  /** The results of a batch, with the errors of operations as those of the call. */
  namedErrors(operations: readonly Operation[], results: OperationResult[]): OperationResult[] {
    return results.map((result, index) => {
      if (result.ok) return result
      const [name = ''] = Object.keys(operations[index] ?? {})
      return { ok: false, error: this.#ofBatch(inOperation(result.error, index, name)) }
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
      isUnhurried: movesLargeContent(this, name, input),
      run: (message, rest, repository = '') => this.#withoutInterceptors(repository).run(name, message, rest)
    })
  }

  /** The calls of a repository below the interceptors. */
  #withoutInterceptors(repository: string): RepositoryCalls {
    if (repository !== this.repository) checkRepositoryName(repository)
    return new RepositoryCalls(repository, this.invoker, undefined)
  }

  /** Fetches the object format, unless it is cached. */
  async fetchFormat(options: CallOptions): Promise<void> {
    if (!this.invoker.caches.formats.has(this.repository))
      this.cacheFormat(await this.send('getRepository', {}, options))
  }

  /** Caches the object format, and that a new repository has no contents yet. */
  cacheFormat<Info extends RepositoryInfo & { created?: boolean }>(info: Info): Info {
    const { formats, takesNew } = this.invoker.caches
    formats.set(this.repository, info.objectFormat)
    if (info.created) takesNew.set(this.repository, true)
    return info
  }
}

const keyed: ReadonlySet<string> = new Set<ComposedMethod>([
  'createRepository',
  'updateRepository',
  'deleteRepository',
  'commitFiles',
  'updateRefs',
  'batch'
])

/** @throws BlobwireError `invalid_argument` for a key that cannot be one */
function withKey(options: WriteOptions): WriteOptions {
  const { requestKey } = options
  return { ...options, requestKey: requestKey === undefined ? newRequestKey() : checkRequestKey(requestKey) }
}
