import { type ConnectionStats, connectionStats } from '../connection/stats.ts'
import type { CallOptions } from '../core/call.ts'
import type { Counters } from '../core/counters.ts'
import { invalidArgument, type TransportName } from '../core/error.ts'
import { repositoryNameProblem } from '../git/repository-name.ts'
import type { BatchRoute } from '../pipeline/batch/route.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { Caller } from './caller.ts'
import type { ListInput } from './inputs.ts'
import { type ClientOptions, resolveOptions } from './options.ts'
import { allItems } from './paging.ts'
import { Repository } from './repository.ts'

/** What a client has done so far. */
export interface ClientStats extends Counters {
  /** Connections: opened, open, idle, in use, and what they carry. */
  connections: ConnectionStats
  /** The transport in use. */
  transport: TransportName
  /**
   * How concurrent calls travel: in frames of a `session`, where there is none as `unary` requests of several calls, or
   * (`off`) each as a request of its own.
   */
  batching: BatchRoute | 'off'
  /** Why there is no session: the reason or code of the error that said so; empty otherwise. */
  noSessionReason: string
  /** Operations that wait for their frame. */
  queued: number
  /** Frames that may be in flight at the moment. */
  frameWindow: number
  /** The shortest of the last round trips of frames, in milliseconds; undefined before the first. */
  roundTripMs: number | undefined
}

/** Arguments of a `Repository` method. */
type Arguments<Name extends keyof Repository> = Repository[Name] extends (...values: infer Values) => unknown
  ? Values
  : never

/**
 * A connection to one service. Every call of `Repository` is here too, with the repository's name in front; that class
 * says what they do.
 */
export class Client implements AsyncDisposable {
  readonly #caller: Caller

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller
  }

  /**
   * The same calls with the repository bound. Sends nothing.
   * @throws BlobwireError `invalid_argument` for a name no repository can have
   */
  repository(name: string): Repository {
    const problem = typeof name === 'string' ? repositoryNameProblem(name) : 'must be a string'
    if (problem !== undefined) throw invalidArgument('repository', problem)
    return new Repository(name, this.#caller)
  }

  /** One page of the repositories that the caller may read, by name. */
  listRepositories(input: ListInput = {}, options?: CallOptions): Promise<Messages['ListRepositoriesResponse']> {
    return this.#caller.invoke(methods.listRepositories, input, options)
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
    return this.#caller.capabilities(options)
  }

  /** Opens the connection and learns the server's limits, so that the first call finds both. */
  async warmUp(options?: CallOptions): Promise<void> {
    await this.#caller.capabilities(options)
  }

  /** What the client has done since it was made. */
  stats(): ClientStats {
    const { batcher, counters, options } = this.#caller
    return {
      ...counters,
      connections: connectionStats(counters.connections),
      transport: options.transport,
      batching: batcher?.choice.route ?? 'off',
      noSessionReason: batcher?.choice.reason ?? '',
      queued: batcher?.queued ?? 0,
      frameWindow: batcher?.window.size ?? 0,
      roundTripMs: batcher?.window.roundTripMs
    }
  }

  /**
   * Ends every call under way with `cancelled`, reason `client_closed`, and lets go of the connection. Later calls fail
   * the same way; closing again does nothing.
   */
  close(): Promise<void> {
    return this.#caller.close()
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
  return new Client(new Caller(resolveOptions(options)))
}
