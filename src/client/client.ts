import type { CallOptions } from '../call/call-options.ts'
import { invalidArgument } from '../core/error.ts'
import { repositoryNameProblem } from '../git/repository-name.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { CallInvoker } from './call-invoker.ts'
import type { ListInput } from './inputs.ts'
import { type ClientOptions, resolveOptions } from './options.ts'
import { allItems } from './paging.ts'
import { Repository } from './repository.ts'
import { type ClientStats, statsOf } from './stats.ts'

/** Arguments of a `Repository` method. */
type Arguments<Name extends keyof Repository> = Repository[Name] extends (...values: infer Values) => unknown
  ? Values
  : never

/**
 * A connection to one service. Every call of `Repository` is here too, with the repository's name in front; that class
 * says what they do.
 */
export class Client implements AsyncDisposable {
  readonly #invoker: CallInvoker

  /** @internal */
  constructor(invoker: CallInvoker) {
    this.#invoker = invoker
  }

  /**
   * The same calls with the repository bound. Sends nothing.
   * @throws BlobwireError `invalid_argument` for a name no repository can have
   */
  repository(name: string): Repository {
    const problem = typeof name === 'string' ? repositoryNameProblem(name) : 'must be a string'
    if (problem !== undefined) throw invalidArgument('repository', problem)
    return new Repository(name, this.#invoker)
  }

  /** One page of the repositories that the caller may read, by name. */
  listRepositories(input: ListInput = {}, options?: CallOptions): Promise<Messages['ListRepositoriesResponse']> {
    return this.#invoker.invoke(methods.listRepositories, input, options)
  }

  /** All repositories that the caller may read, by name, fetched page by page as they are wanted. */
  repositories(input: ListInput = {}, options?: CallOptions): AsyncGenerator<Messages['Repository'], void> {
    return allItems(async (page) => {
      const { repositories, nextPageToken } = await this.listRepositories({ ...input, ...page }, options)
      return { items: repositories, nextPageToken }
    })
  }

  /** What the server can do, where its transports listen, and its limits. Asked for once. */
  getCapabilities(options?: CallOptions): Promise<Messages['GetCapabilitiesResponse']> {
    return this.#invoker.capabilities(options)
  }

  /** Opens the connection and learns the server's limits, so that the first call finds both. */
  async warmUp(options?: CallOptions): Promise<void> {
    await this.#invoker.capabilities(options)
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

  /** See `Repository.createRepository`. */
  async createRepository(repository: string, ...rest: Arguments<'createRepository'>) {
    return this.repository(repository).createRepository(...rest)
  }

  /** See `Repository.getRepository`. */
  async getRepository(repository: string, ...rest: Arguments<'getRepository'>) {
    return this.repository(repository).getRepository(...rest)
  }

  /** See `Repository.deleteRepository`. */
  async deleteRepository(repository: string, ...rest: Arguments<'deleteRepository'>) {
    return this.repository(repository).deleteRepository(...rest)
  }

  /** See `Repository.storeBlob`. */
  async storeBlob(repository: string, ...rest: Arguments<'storeBlob'>) {
    return this.repository(repository).storeBlob(...rest)
  }

  /** See `Repository.getBlob`. */
  async getBlob(repository: string, ...rest: Arguments<'getBlob'>) {
    return this.repository(repository).getBlob(...rest)
  }

  /** See `Repository.findMissing`. */
  async findMissing(repository: string, ...rest: Arguments<'findMissing'>) {
    return this.repository(repository).findMissing(...rest)
  }

  /** See `Repository.storeTree`. */
  async storeTree(repository: string, ...rest: Arguments<'storeTree'>) {
    return this.repository(repository).storeTree(...rest)
  }

  /** See `Repository.getTree`. */
  async getTree(repository: string, ...rest: Arguments<'getTree'>) {
    return this.repository(repository).getTree(...rest)
  }

  /** See `Repository.storeCommit`. */
  async storeCommit(repository: string, ...rest: Arguments<'storeCommit'>) {
    return this.repository(repository).storeCommit(...rest)
  }

  /** See `Repository.getCommit`. */
  async getCommit(repository: string, ...rest: Arguments<'getCommit'>) {
    return this.repository(repository).getCommit(...rest)
  }

  /** See `Repository.listCommits`. */
  async listCommits(repository: string, ...rest: Arguments<'listCommits'>) {
    return this.repository(repository).listCommits(...rest)
  }

  /** See `Repository.commitFiles`. */
  async commitFiles(repository: string, ...rest: Arguments<'commitFiles'>) {
    return this.repository(repository).commitFiles(...rest)
  }

  /** See `Repository.listRefs`. */
  async listRefs(repository: string, ...rest: Arguments<'listRefs'>) {
    return this.repository(repository).listRefs(...rest)
  }

  /** See `Repository.updateRefs`. */
  async updateRefs(repository: string, ...rest: Arguments<'updateRefs'>) {
    return this.repository(repository).updateRefs(...rest)
  }

  /** See `Repository.compare`. */
  async compare(repository: string, ...rest: Arguments<'compare'>) {
    return this.repository(repository).compare(...rest)
  }

  /** See `Repository.batch`. */
  async batch(repository: string, ...rest: Arguments<'batch'>) {
    return this.repository(repository).batch(...rest)
  }
}

/**
 * Makes a client. Nothing is sent until the first call.
 * @throws BlobwireError `invalid_argument` naming the option, the value and what is allowed
 * @example
 * const client = createClient({ endpoint: 'http://127.0.0.1:4100', transport: 'msgpack' })
 */
export function createClient(options: ClientOptions): Client {
  return new Client(new CallInvoker(resolveOptions(options)))
}
