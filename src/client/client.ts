/// <reference lib="esnext.disposable" preserve="true" />
/** The client: its calls, and `createClient`. */
import type { CallOptions } from '../call/call-options.ts'
import type { Capabilities, ListRepositoriesResponse, RepositoryInfo } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { CallInvoker } from './call-invoker.ts'
import { checkRepositoryName } from './calls.ts'
import type { ListInput, Operation } from './inputs.ts'
import { type ClientOptions, resolveOptions } from './options.ts'
import { allItems } from './paging.ts'
import { Repository } from './repository.ts'
import type { BatchOperations, BatchResults } from './results.ts'
import { type ClientStats, statsOf } from './stats.ts'

/** Calls of a repository that the client has too, with the repository's name in front. */
const repositoryCalls = [
  'createRepository',
  'getRepository',
  'deleteRepository',
  'storeBlob',
  'getBlob',
  'findMissing',
  'storeTree',
  'getTree',
  'storeCommit',
  'getCommit',
  'listCommits',
  'commitFiles',
  'listRefs',
  'updateRefs',
  'compare'
] as const

/** A method of `Repository` with the repository's name in front of its arguments. */
type WithName<Method> = Method extends (...values: infer Values) => infer Result
  ? (repository: string, ...values: Values) => Result
  : never

/** Editors show the documentation of `Repository` for these. */
type RepositoryMethods = {
  readonly [Name in keyof Pick<Repository, (typeof repositoryCalls)[number]>]: WithName<Repository[Name]>
}

/**
 * A connection to one service. Every call of `Repository` is here too, with the repository's name in front.
 */
export interface Client extends Service, RepositoryMethods {}

/** The calls of a client that are its own. */
class Service implements AsyncDisposable {
  readonly #invoker: CallInvoker

  static {
    for (const name of repositoryCalls) {
      const value = async function (this: Service, repository: string, ...values: unknown[]) {
        return (this.repository(repository)[name] as (...values: unknown[]) => Promise<unknown>)(...values)
      }
      Object.defineProperty(Service.prototype, name, { value })
    }
  }

  /** @internal */
  constructor(invoker: CallInvoker) {
    this.#invoker = invoker
  }

  /**
   * The same calls with the repository bound. Sends nothing.
   * @throws BlobwireError `invalid_argument` for a name no repository can have
   */
  repository(name: string): Repository {
    checkRepositoryName(name)
    return new Repository(name, this.#invoker)
  }

  /** One page of the repositories that the caller may read, by name. `repositories` walks all pages. */
  listRepositories(input: ListInput = {}, options: CallOptions = {}): Promise<ListRepositoriesResponse> {
    return this.#invoker.intercept({
      method: 'listRepositories',
      repository: undefined,
      message: input,
      options,
      run: (changed, rest) => this.#invoker.invoke(methods.listRepositories, changed, rest)
    })
  }

  /** All repositories that the caller may read, by name, fetched page by page as they are wanted. */
  repositories(input: ListInput = {}, options?: CallOptions): AsyncGenerator<RepositoryInfo, void> {
    return allItems(async (page) => {
      const { repositories, nextPageToken } = await this.listRepositories({ ...input, ...page }, options)
      return { items: repositories, nextPageToken }
    })
  }

  /** What the server can do, where its transports listen, and its limits. Asked for once. */
  getCapabilities(options: CallOptions = {}): Promise<Capabilities> {
    const run = (_message: object, rest?: CallOptions) => this.#invoker.capabilities(rest)
    return this.#invoker.intercept({ method: 'getCapabilities', repository: undefined, message: {}, options, run })
  }

  /** Opens the connection and learns the server's limits, so that the first call finds both. */
  async warmUp(options?: CallOptions): Promise<void> {
    await this.getCapabilities(options)
  }

  /**
   * Carries out operations in order, in as few requests as the server's limits allow; `Repository.batch` with the
   * repository's name in front. Each result is at the position of its operation: `{ ok: true, value }` or
   * `{ ok: false, error }`.
   * @throws BlobwireError where a whole request failed; the operations before it may have been done
   */
  async batch<const Given extends readonly Operation[]>(
    repository: string,
    operations: BatchOperations<Given>,
    options?: { atomic?: boolean | undefined } & CallOptions
  ): Promise<BatchResults<Given>> {
    return this.repository(repository).batch<Given>(operations, options)
  }

  /** What the client has done since it was made, and how it is doing. Takes no round trip. */
  stats(): ClientStats {
    return statsOf(this.#invoker)
  }

  /**
   * Ends every call under way with `cancelled`, reason `client_closed`, and lets go of the connection. Later calls fail
   * the same way; closing again does nothing.
   */
  close(): Promise<void> {
    return this.#invoker.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Makes a client. Nothing is sent until the first call.
 * @throws BlobwireError `invalid_argument` naming the option, the value and what is allowed
 * @example
 * const client = createClient({ endpoint: 'http://127.0.0.1:4100', transport: 'msgpack' })
 */
export function createClient(options: ClientOptions): Client {
  return new Service(new CallInvoker(resolveOptions(options))) as Client
}
