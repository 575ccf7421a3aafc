/// <reference lib="esnext.disposable" preserve="true" />
/** The client: its calls, and `createClient`. */
import type { CallOptions } from '../call/call-options.ts'
import { forCaller } from '../call/caller.ts'
import { asBlobwireError, type BlobwireError, invalidArgument } from '../core/error.ts'
import type { Capabilities, ListRepositoriesResponse, RepositoryInfo } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import type { Download, DownloadOptions } from '../transfer/download-types.ts'
import { CallInvoker, type Transports } from './call-invoker.ts'
import { takeInput, takeOptions } from './call-shapes.ts'
import { checkRepositoryName } from './calls.ts'
import type { ClientOptions } from './client-options.ts'
import { type Explanation, explain } from './explain.ts'
import type { GitEnvironment } from './git-remote.ts'
import { type ClientHealth, healthOf } from './health.ts'
import type { BlobAddress, ListInput } from './inputs.ts'
import type { Operation } from './operations.ts'
import { resolveOptions } from './options.ts'
import { allItems } from './paging.ts'
import { Repository } from './repository.ts'
import type { WriteOptions } from './request-key.ts'
import type { BatchOperations, BatchResults } from './results.ts'
import { type ClientUpdate, closeIdleConnections, resetBreakers, updateOptions } from './runtime-control.ts'
import { type ClientStats, statsOf } from './stats.ts'

/** Calls of a repository that the client has too, with the repository's name in front. */
const repositoryCalls = [
  'createRepository',
  'getRepository',
  'updateRepository',
  'deleteRepository',
  'storeBlob',
  'getBlob',
  'findMissing',
  'storeTree',
  'getTree',
  'storeCommit',
  'getCommit',
  'storeObject',
  'getObject',
  'storeTag',
  'getTag',
  'listCommits',
  'commitFiles',
  'listRefs',
  'updateRefs',
  'compare',
  'upload'
] as const

/** A method of `Repository` with the repository's name as its first argument. */
type WithName<Method> = Method extends (...values: infer Values) => infer Result
  ? (repository: string, ...values: Values) => Result
  : never

/** Editors show the documentation of `Repository` for these. */
type RepositoryMethods = {
  readonly [Name in keyof Pick<Repository, (typeof repositoryCalls)[number]>]: WithName<Repository[Name]>
}

/**
 * A client of one service. Every call of `Repository` is also a method here, with the repository's name as the first
 * argument. Create clients with `createClient`.
 */
export interface Client extends Service, RepositoryMethods {}

/** The calls of a client that are its own. */
class Service implements AsyncDisposable {
  readonly #invoker: CallInvoker
  /** Without defaults. */
  #given: ClientOptions

  static {
    for (const name of repositoryCalls) {
      const value = function (this: Service, repository: string, ...values: unknown[]): Promise<unknown> {
        try {
          const repo = this.#named(repository, { method: name, below: value })
          return (repo[name] as (...values: unknown[]) => Promise<unknown>)(...values)
        } catch (error) {
          return Promise.reject(error)
        }
      }
      Object.defineProperty(Service.prototype, name, { value })
    }
  }

  /** @internal */
  constructor(invoker: CallInvoker, given: ClientOptions) {
    this.#invoker = invoker
    this.#given = given
  }

  /**
   * Returns the calls of one repository. Nothing is sent to the server.
   * @throws BlobwireError `invalid_argument` where the name is not valid for a repository
   */
  repository(name: string): Repository {
    return this.#named(name, { method: 'repository', below: this.repository })
  }

  #named(name: string, { method, below }: { method: string; below: (...values: never[]) => unknown }): Repository {
    try {
      checkRepositoryName(name)
      return new Repository(name, this.#invoker)
    } catch (error) {
      throw this.#errorOf(method, error, below)
    }
  }

  /** Returns the URL of a repository for Git. See `Repository.remoteUrl`. */
  remoteUrl(repository: string): string {
    return this.#named(repository, { method: 'remoteUrl', below: this.remoteUrl }).remoteUrl()
  }

  /** Returns the environment variables with which Git sends the client's token. See `Repository.gitEnvironment`. */
  async gitEnvironment(repository: string): Promise<GitEnvironment> {
    return await this.#named(repository, { method: 'gitEnvironment', below: this.gitEnvironment }).gitEnvironment()
  }

  /** Returns a blob of any size, or a range of it. See `Repository.download`. */
  download(repository: string, address: string | BlobAddress, options?: DownloadOptions): Download {
    return this.#named(repository, { method: 'download', below: this.download }).download(address, options)
  }

  /** Lists one page of the repositories that the caller may read, sorted by name. `repositories` walks all pages. */
  async listRepositories(input: ListInput = {}, options: CallOptions = {}): Promise<ListRepositoriesResponse> {
    try {
      return this.#invoker.intercept({
        method: 'listRepositories',
        repository: undefined,
        message: takeInput('listRepositories', input),
        options: takeOptions('listRepositories', options),
        run: (changed, rest) => this.#invoker.invoke(methods.listRepositories, changed, rest)
      })
    } catch (error) {
      throw this.#errorOf('listRepositories', error, this.listRepositories)
    }
  }

  /** Iterates over all repositories that the caller may read, sorted by name. Pages are fetched on demand. */
  repositories(input: ListInput = {}, options?: CallOptions): AsyncGenerator<RepositoryInfo, void> {
    const called = { method: 'repositories', endpoint: this.#invoker.endpoint }
    return allItems('listRepositories', { input, options, called }, async (page, rest) => {
      const { repositories, nextPageToken } = await this.listRepositories(page, rest)
      return { items: repositories, nextPageToken }
    })
  }

  /**
   * Returns the server's features, the addresses of its transports, and its limits. The client asks the server once.
   */
  async getCapabilities(given: CallOptions = {}): Promise<Capabilities> {
    try {
      const options = takeOptions('getCapabilities', given)
      const run = (_message: object, rest?: CallOptions) => this.#capabilities(rest)
      return this.#invoker.intercept({ method: 'getCapabilities', repository: undefined, message: {}, options, run })
    } catch (error) {
      throw this.#errorOf('getCapabilities', error, this.getCapabilities)
    }
  }

  async #capabilities(options: CallOptions | undefined): Promise<Capabilities> {
    try {
      return await this.#invoker.capabilities(options)
    } catch (error) {
      throw this.#errorOf('getCapabilities', error, this.#capabilities)
    }
  }

  #errorOf(method: string, error: unknown, below: (...values: never[]) => unknown): BlobwireError {
    const found = asBlobwireError(error)
    const { endpoint = this.#invoker.endpoint } = found
    return forCaller(found, { method, endpoint }, { below })
  }

  /** Opens the connection and fetches the server's limits, so that the first call waits for neither. */
  async warmUp(options?: CallOptions): Promise<void> {
    await this.getCapabilities(options)
  }

  /**
   * Carries out operations in order, in as few requests as the server's limits allow. Each result is at the position of
   * its operation: `{ ok: true, value }` or `{ ok: false, error }`. See `Repository.batch`.
   * @throws BlobwireError where a whole request failed; the server may have carried out the operations before it
   */
  async batch<const Given extends readonly Operation[]>(
    repository: string,
    operations: BatchOperations<Given>,
    options?: { atomic?: boolean | undefined } & WriteOptions
  ): Promise<BatchResults<Given>> {
    return this.repository(repository).batch<Given>(operations, options)
  }

  /**
   * Runs a function and tells where the time of the client's calls in it went: an explanation with the outcome and a
   * timeline of each call (queued, attempts, connected, encoded, sent, answered, decoded, retries). The explanation never
   * rejects: it has the error of a function that failed.
   * @example
   * const explanation = await client.explain(() => client.getCapabilities())
   * console.log(String(explanation))
   */
  explain<Result>(work: () => Result | Promise<Result>): Promise<Explanation<Result>> {
    return explain(this.#invoker.telemetry, work)
  }

  /** Returns the client's counters and its current state. Nothing is sent to the server. */
  stats(): ClientStats {
    return statsOf(this.#invoker)
  }

  /**
   * Returns how much of the pool is in use and how each endpoint does: its breaker, its success ratio and latency in the
   * last minute and hour, and its last health check. Healthy below 70 % of the pool, degraded up to 90 %, unhealthy above
   * it. Nothing is sent to the server; the option `healthCheck` has endpoints asked at an interval.
   */
  health(): ClientHealth {
    return healthOf(this.#invoker)
  }

  /**
   * Changes limits and time limits while the client is open and calls are under way; nothing reconnects. A time limit counts
   * for calls and attempts that begin later. Options that are not given, within their groups, too, stay as they are.
   * @throws BlobwireError `invalid_argument` that names the options that cannot be changed, or are wrong; nothing is changed
   * then
   * @example
   * client.update({ timeoutMs: 60_000, concurrency: { maxCalls: 50 }, retry: { maxAttempts: 2 } })
   */
  update(changes: ClientUpdate): void {
    this.#given = updateOptions(this.#invoker, this.#given, changes)
  }

  /**
   * Closes the circuit breakers of all endpoints, or of one: the next call is sent at once, as if the endpoint had never
   * failed. For an operator who knows that the server is back.
   * @throws BlobwireError `invalid_argument` for an endpoint that the client does not have
   */
  resetBreakers(endpoint?: string): void {
    resetBreakers(this.#invoker, endpoint)
  }

  /**
   * Ends the sessions and closes the connections on which nothing is under way, those that `maxIdleConnections` keeps, too.
   * Calls under way go on; the next call opens a connection. Resolves when the idle sessions have ended.
   */
  closeIdleConnections(): Promise<void> {
    return closeIdleConnections(this.#invoker)
  }

  /**
   * Ends every call under way with `cancelled`, reason `client_closed`, and closes the connections. Later calls fail
   * with the same error. Closing a closed client does nothing.
   */
  close(): Promise<void> {
    return this.#invoker.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** @internal A client with transports of its own, for the entry point `testing`. */
export function createClientOn(
  given: ClientOptions,
  transportsOf: (options: ReturnType<typeof resolveOptions>) => Transports
): Client {
  const options = resolveOptions(given)
  return new Service(new CallInvoker(options, undefined, transportsOf(options)), { ...given }) as Client
}

/**
 * Creates a client of an endpoint, or with options. Nothing is sent to the server before the first call.
 * @throws BlobwireError `invalid_argument` with the name of the option, its value and the allowed values
 * @example
 * const client = createClient({ endpoint: 'http://127.0.0.1:4100', transport: 'msgpack' })
 */
export function createClient(options: ClientOptions | string): Client
// `urls.map(createClient)` has numbers and lists behind the address: only options there are a mistake.
export function createClient(options: ClientOptions | string, ...others: readonly unknown[]): Client {
  if (others.length === 1 && others[0] !== undefined) {
    throw invalidArgument('options', "are one argument, such as { endpoint: 'http://127.0.0.1:4100', timeoutMs: 5000 }")
  }
  // The check of the endpoint tells that a URL has its text in `href`.
  const isAddress = typeof options === 'string' || (options as unknown) instanceof URL
  const given = isAddress ? { endpoint: options as string } : options
  return new Service(new CallInvoker(resolveOptions(given)), { ...given }) as Client
}
