/** The calls of one repository. */
import type { CallOptions } from '../call/call-options.ts'
import type {
  Commit,
  CommitFilesResponse,
  CompareResponse,
  FindMissingResponse,
  GetBlobResponse,
  GetCommitResponse,
  ListCommitsResponse,
  ListRefsResponse,
  PathChange,
  Ref,
  RepositoryInfo,
  StoreBlobResponse,
  StoreCommitResponse,
  StoreTreeResponse,
  UpdateRefsResponse
} from '../schema/messages.ts'
import type { CallInvoker } from './call-invoker.ts'
import { RepositoryCalls } from './calls.ts'
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
  RefUpdateInput,
  StoreCommitInput
} from './inputs.ts'
import { allItems } from './paging.ts'
import type { BatchOperations, BatchResults, Tree } from './results.ts'

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
  readonly #calls: RepositoryCalls

  /** @internal */
  constructor(name: string, invoker: CallInvoker) {
    this.name = name
    this.#calls = new RepositoryCalls(name, invoker, invoker.interception)
  }

  /**
   * Creates the repository. One that is there with the same object format is success.
   * @throws BlobwireError `already_exists` where it is there with the other object format
   */
  async createRepository(options: CreateRepositoryInput & CallOptions = {}): Promise<RepositoryInfo> {
    const { objectFormat, ...callOptions } = options
    return this.#calls.compose('createRepository', { objectFormat }, callOptions)
  }

  /** Tells the repository's object format and default branch. */
  getRepository(options: CallOptions = {}): Promise<RepositoryInfo> {
    return this.#calls.compose('getRepository', {}, options)
  }

  /** Deletes the repository with everything in it. Nothing to delete is success. */
  deleteRepository(options: CallOptions = {}): Promise<void> {
    return this.#calls.compose('deleteRepository', {}, options)
  }

  /**
   * Stores a blob of at most `maxInlineBytes` (1 MiB).
   * @throws BlobwireError `resource_exhausted` above that
   */
  storeBlob(content: Bytes, options?: CallOptions): Promise<StoreBlobResponse> {
    return this.#calls.run('storeBlob', { content }, options)
  }

  /** Reads a blob by its oid, or by revision and path. */
  getBlob(address: string | BlobAddress, options?: CallOptions): Promise<GetBlobResponse> {
    return this.#calls.run('getBlob', typeof address === 'string' ? { oid: address } : address, options)
  }

  /** Tells which of these objects the repository lacks, in the order asked, each once. */
  findMissing(oids: readonly string[], options?: CallOptions): Promise<FindMissingResponse> {
    return this.#calls.run('findMissing', { oids }, options)
  }

  /**
   * Stores a tree, with the subtrees its paths need. With `baseTree`, the entries change that tree. The entries of a
   * listing can be stored as they are; of a recursive one, without its directories, which follow from the paths:
   * `entries.filter(({ mode }) => mode !== '040000')`.
   * @throws BlobwireError `failed_precondition`, reason `missing_object` or `wrong_kind`, where an entry's object is not
   * there or is of another kind than its mode says
   */
  storeTree(
    entries: readonly NewTreeEntry[],
    options: { baseTree?: string | undefined } & CallOptions = {}
  ): Promise<StoreTreeResponse> {
    const { baseTree, ...callOptions } = options
    return this.#calls.run('storeTree', { entries, baseTree }, callOptions)
  }

  /** Lists a tree, all pages of it, sorted as Git sorts. */
  getTree(input: GetTreeInput = {}, options: CallOptions = {}): Promise<Tree> {
    return this.#calls.compose('getTree', input, options)
  }

  /**
   * Stores a commit whose tree and parents are there. No ref moves.
   * @throws BlobwireError `failed_precondition`, reason `missing_object` or `wrong_kind`
   */
  storeCommit(input: StoreCommitInput, options?: CallOptions): Promise<StoreCommitResponse> {
    return this.#calls.run('storeCommit', input, options)
  }

  /** Reads the commit at a revision (default `HEAD`). */
  getCommit(revision?: string, options?: CallOptions): Promise<GetCommitResponse> {
    return this.#calls.run('getCommit', { revision }, options)
  }

  /** One page of the commits reachable from a revision, newest first. `commits` walks all pages. */
  listCommits(input: ListCommitsInput = {}, options?: CallOptions): Promise<ListCommitsResponse> {
    return this.#calls.run('listCommits', input, options)
  }

  /** All commits reachable from a revision, newest first, fetched page by page as they are wanted. */
  commits(input: ListCommitsInput = {}, options?: CallOptions): AsyncGenerator<Commit, void> {
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
  commitFiles(input: CommitFilesInput, options: CallOptions = {}): Promise<CommitFilesResponse> {
    return this.#calls.compose('commitFiles', input, options)
  }

  /** One page of the refs, by name, without `HEAD`. `refs` walks all pages. */
  listRefs(input: ListInput = {}, options?: CallOptions): Promise<ListRefsResponse> {
    return this.#calls.run('listRefs', input, options)
  }

  /** All refs, by name, fetched page by page as they are wanted. */
  refs(input: ListInput = {}, options?: CallOptions): AsyncGenerator<Ref, void> {
    return allItems(async (page) => {
      const { refs, nextPageToken } = await this.listRefs({ ...input, ...page }, options)
      return { items: refs, nextPageToken }
    })
  }

  /**
   * Moves refs by compare-and-swap, all of them or none. A ref that is already where it shall go counts as moved.
   * @throws BlobwireError `aborted`, reason `ref_mismatch`, with `details.refMismatches`
   */
  updateRefs(updates: readonly RefUpdateInput[], options: CallOptions = {}): Promise<UpdateRefsResponse> {
    return this.#calls.compose('updateRefs', { updates }, options)
  }

  /** One page of the paths that differ between two commits or trees. `changes` walks all pages. */
  compare(input: CompareInput, options?: CallOptions): Promise<CompareResponse> {
    return this.#calls.run('compare', input, options)
  }

  /** All paths that differ between two commits or trees, fetched page by page as they are wanted. */
  changes(input: CompareInput, options?: CallOptions): AsyncGenerator<PathChange, void> {
    return allItems(async (page) => {
      const { changes, nextPageToken } = await this.compare({ ...input, ...page }, options)
      return { items: changes, nextPageToken }
    })
  }

  /**
   * Carries out operations in order, in as few requests as the server's limits allow. Each result is at the position of
   * its operation: `{ ok: true, value }` or `{ ok: false, error }`; with a literal list, each has the type of its own
   * operation. With `atomic`, every ref change in it happens or none does, and it has to fit into one request.
   * @throws BlobwireError where a whole request failed; the operations before it may have been done
   * @example
   * const [stored, read] = await repo.batch([{ storeBlob: { content: 'hello\n' } }, { getBlob: { oid } }])
   * if (stored.ok) console.log(stored.value.oid)
   * if (!read.ok) console.log(read.error.code)
   */
  async batch<const Given extends readonly Operation[]>(
    operations: BatchOperations<Given>,
    options: { atomic?: boolean | undefined } & CallOptions = {}
  ): Promise<BatchResults<Given>> {
    const { atomic, ...callOptions } = options
    return this.#calls.compose('batch', { operations, atomic }, callOptions) as Promise<BatchResults<Given>>
  }
}
