import type { CallOptions } from '../call/call-options.ts'
import type { ObjectFormat } from '../git/oid.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { runBatch } from './batch.ts'
import { type CallInvoker, remember } from './call-invoker.ts'
import { commitFiles } from './commit-files.ts'
import type {
  BlobAddress,
  Bytes,
  CommitFilesInput,
  CompareInput,
  CreateRepositoryInput,
  GetTreeInput,
  ListCommitsInput,
  ListInput,
  NewTreeEntry,
  Operation,
  OperationInputs,
  OperationName,
  OperationResult,
  RefUpdateInput,
  StoreCommitInput
} from './inputs.ts'
import { allItems } from './paging.ts'
import { prepare, type Request, type RequestDefaults } from './to-request.ts'
import { verifyResponse } from './verify/answers.ts'
import { wholeTree } from './whole-tree.ts'

/**
 * One repository: every call of `Client` with the repository bound. It holds nothing but its name; making one sends
 * nothing.
 *
 * All calls take `{ signal, timeoutMs, headers }`, are safe to repeat, and throw `BlobwireError`: `not_found` (reason
 * `repository`, `object`, `revision` or `path`), `invalid_argument`, `permission_denied`, `unauthenticated`,
 * `unavailable`, `deadline_exceeded`, `cancelled`; reads also `data_loss`, reason `integrity`, when the answer does not
 * hash to its oid.
 */
export class Repository {
  /** The repository's name. */
  readonly name: string
  readonly #invoker: CallInvoker
  readonly #defaults: RequestDefaults

  /** @internal */
  constructor(name: string, invoker: CallInvoker) {
    this.name = name
    this.#invoker = invoker
    const { clock, caches } = invoker
    this.#defaults = {
      clock,
      get objectFormat() {
        return caches.formats.get(name) ?? 'sha1'
      }
    }
  }

  /**
   * Creates the repository. One that is there with the same object format is success.
   * @throws BlobwireError `already_exists` where it is there with the other object format
   */
  async createRepository(options: CreateRepositoryInput & CallOptions = {}): Promise<Messages['Repository']> {
    const { objectFormat = 'sha1', ...callOptions } = options
    const request = { repository: this.name, objectFormat }
    return this.#learn(await this.#invoker.invoke(methods.createRepository, request, callOptions))
  }

  /** Tells the repository's object format and default branch. */
  async getRepository(options: CallOptions = {}): Promise<Messages['Repository']> {
    return this.#learn(await this.#run('getRepository', {}, options))
  }

  /** Deletes the repository with everything in it. Nothing to delete is success. */
  async deleteRepository(options: CallOptions = {}): Promise<void> {
    await this.#invoker.invoke(methods.deleteRepository, { repository: this.name }, options)
    this.#invoker.forget(this.name)
  }

  /**
   * Stores a blob of at most `maxInlineBytes` (1 MiB).
   * @throws BlobwireError `resource_exhausted` above that
   */
  storeBlob(content: Bytes, options?: CallOptions): Promise<Messages['StoreBlobResponse']> {
    return this.#run('storeBlob', { content }, options)
  }

  /** Reads a blob by its oid, or by revision and path. */
  getBlob(address: string | BlobAddress, options?: CallOptions): Promise<Messages['GetBlobResponse']> {
    return this.#run('getBlob', typeof address === 'string' ? { oid: address } : address, options)
  }

  /** Tells which of these objects the repository lacks, in the order asked, each once. */
  findMissing(oids: readonly string[], options?: CallOptions): Promise<Messages['FindMissingResponse']> {
    return this.#run('findMissing', { oids }, options)
  }

  /**
   * Stores a tree, with the subtrees its paths need. With `baseTree`, the entries change that tree.
   * @throws BlobwireError `failed_precondition`, reason `missing_object` or `wrong_kind`, where an entry's object is not
   * there or is of another kind than its mode says
   */
  storeTree(
    entries: readonly NewTreeEntry[],
    options: { baseTree?: string | undefined } & CallOptions = {}
  ): Promise<Messages['StoreTreeResponse']> {
    const { baseTree, ...callOptions } = options
    return this.#run('storeTree', { entries, baseTree }, callOptions)
  }

  /** Lists a tree, all pages of it, sorted as Git sorts. */
  async getTree(
    input: GetTreeInput = {},
    options: CallOptions = {}
  ): Promise<Omit<Messages['GetTreeResponse'], 'nextPageToken'>> {
    const remaining = this.#invoker.shared(options)
    const listing = await wholeTree((page) => this.#run('getTree', { ...input, ...page }, remaining()))
    if (listing.pages > 1 && this.#invoker.options.verify)
      verifyResponse('getTree', { recursive: input.recursive }, listing)
    return { oid: listing.oid, entries: listing.entries }
  }

  /**
   * Stores a commit whose tree and parents are there. No ref moves.
   * @throws BlobwireError `failed_precondition`, reason `missing_object` or `wrong_kind`
   */
  storeCommit(input: StoreCommitInput, options?: CallOptions): Promise<Messages['StoreCommitResponse']> {
    return this.#run('storeCommit', input, options)
  }

  /** Reads the commit at a revision (default `HEAD`). */
  getCommit(revision?: string, options?: CallOptions): Promise<Messages['GetCommitResponse']> {
    return this.#run('getCommit', { revision }, options)
  }

  /** One page of the commits reachable from a revision, newest first. `commits` walks all pages. */
  listCommits(input: ListCommitsInput = {}, options?: CallOptions): Promise<Messages['ListCommitsResponse']> {
    return this.#run('listCommits', input, options)
  }

  /** All commits reachable from a revision, newest first, fetched page by page as they are wanted. */
  commits(input: ListCommitsInput = {}, options?: CallOptions): AsyncGenerator<Messages['Commit'], void> {
    return allItems(async (page) => {
      const { commits, nextPageToken } = await this.listCommits({ ...input, ...page }, options)
      return { items: commits, nextPageToken }
    })
  }

  /**
   * Changes files on a branch: one new commit and the moved branch, all or nothing. Contents that the server has are not
   * sent, the rest goes in as few requests as its limits allow.
   * @throws BlobwireError `aborted`, reason `ref_mismatch`, where the branch is not at `expectedHead`;
   * `failed_precondition`, reason `path_not_found` (removing or moving what is not there), `path_conflict` (a file where
   * a directory is, or the other way round) or `missing_object`; `resource_exhausted` for a file above `maxInlineBytes`
   * @example
   * await repo.commitFiles({
   *   branch: 'main',
   *   changes: { 'a.txt': 'hello\n', 'bin/run': { content: script, mode: '100755' }, 'old.txt': null },
   *   message: 'Say hello\n',
   *   author: { name: 'Ada', email: 'ada@example.org' }
   * })
   */
  async commitFiles(input: CommitFilesInput, options: CallOptions = {}): Promise<Messages['CommitFilesResponse']> {
    const remaining = this.#invoker.shared(options)
    return commitFiles(await this.#context(remaining()), input, remaining())
  }

  /** One page of the refs, by name, without `HEAD`. `refs` walks all pages. */
  listRefs(input: ListInput = {}, options?: CallOptions): Promise<Messages['ListRefsResponse']> {
    return this.#run('listRefs', input, options)
  }

  /** All refs, by name, fetched page by page as they are wanted. */
  refs(input: ListInput = {}, options?: CallOptions): AsyncGenerator<Messages['Ref'], void> {
    return allItems(async (page) => {
      const { refs, nextPageToken } = await this.listRefs({ ...input, ...page }, options)
      return { items: refs, nextPageToken }
    })
  }

  /**
   * Moves refs by compare-and-swap, all of them or none. A ref that is already where it shall go counts as moved.
   * @throws BlobwireError `aborted`, reason `ref_mismatch`, with `details.refMismatches`
   */
  async updateRefs(
    updates: readonly RefUpdateInput[],
    options: CallOptions = {}
  ): Promise<Messages['UpdateRefsResponse']> {
    const remaining = this.#invoker.shared(options)
    // `null` is a zero oid, whose length is the format's.
    await this.#context(remaining())
    return this.#run('updateRefs', { updates }, remaining())
  }

  /** One page of the paths that differ between two commits or trees. `changes` walks all pages. */
  compare(input: CompareInput, options?: CallOptions): Promise<Messages['CompareResponse']> {
    return this.#run('compare', input, options)
  }

  /** All paths that differ between two commits or trees, fetched page by page as they are wanted. */
  changes(input: CompareInput, options?: CallOptions): AsyncGenerator<Messages['PathChange'], void> {
    return allItems(async (page) => {
      const { changes, nextPageToken } = await this.compare({ ...input, ...page }, options)
      return { items: changes, nextPageToken }
    })
  }

  /**
   * Carries out operations in order, in as few requests as the server's limits allow; one result each: the response
   * under the operation's name, or `error`. With `atomic`, every ref change in it happens or none does, and it has to
   * fit into one request.
   * @throws BlobwireError where a whole request failed; the operations before it may have been done
   * @example
   * const [stored, read] = await repo.batch([{ storeBlob: { content: 'hello\n' } }, { getBlob: { oid } }])
   */
  async batch(
    operations: readonly Operation[],
    options: { atomic?: boolean | undefined } & CallOptions = {}
  ): Promise<OperationResult[]> {
    const { atomic, ...callOptions } = options
    const remaining = this.#invoker.shared(callOptions)
    return runBatch(await this.#context(remaining()), operations, { ...remaining(), atomic })
  }

  /** For what needs the object format beforehand: asked of the server where no answer has told it yet. */
  async #context(options: CallOptions) {
    const { formats } = this.#invoker.caches
    if (!formats.has(this.name)) await this.getRepository(options)
    return { invoker: this.#invoker, repository: this.name, defaults: this.#defaults }
  }

  #learn(repository: Messages['Repository']): Messages['Repository'] {
    remember(this.#invoker.caches.formats, this.name, repository.objectFormat as ObjectFormat)
    return repository
  }

  #run<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options?: CallOptions
  ): Promise<NonNullable<OperationResult[Name]>> {
    try {
      const request = prepare(name, input, this.#defaults) as Request<Name> & { repository: string }
      request.repository = this.name
      return this.#invoker.operation(name, request, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
