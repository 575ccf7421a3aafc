/** The calls of one repository. */
import type { CallOptions } from '../call/call-options.ts'
import { forCaller } from '../call/caller.ts'
import { asBlobwireError } from '../core/error.ts'
import type {
  Commit,
  CommitFilesResponse,
  CompareResponse,
  CreateRepositoryResponse,
  DeleteRepositoryResponse,
  FindMissingResponse,
  GetBlobResponse,
  GetCommitResponse,
  GetObjectResponse,
  GetTagResponse,
  ListCommitsResponse,
  ListRefsResponse,
  PathChange,
  Ref,
  RepositoryInfo,
  StoreBlobResponse,
  StoreCommitResponse,
  StoreObjectResponse,
  StoreTagResponse,
  StoreTreeResponse,
  UpdateRefsResponse
} from '../schema/messages.ts'
import type { Download, DownloadOptions } from '../transfer/download-types.ts'
import type { UploadOptions } from '../transfer/options.ts'
import type { UploadSource } from '../transfer/source-kinds.ts'
import type { UploadResult } from '../transfer/upload.ts'
import type { CallInvoker } from './call-invoker.ts'
import { RepositoryCalls } from './calls.ts'
import type { CommitFilesOptions } from './commit-options.ts'
import { download } from './download.ts'
import { TreeMethods } from './files/tree-methods.ts'
import { type GitEnvironment, gitEnvironment, remoteUrl } from './git-remote.ts'
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
  ObjectAddress,
  RefUpdateInput,
  StoreCommitInput,
  StoreObjectInput,
  StoreTagInput,
  UpdateRepositoryInput
} from './inputs.ts'
import type { Operation } from './operations.ts'
import { allItems } from './paging.ts'
import type { WriteOptions } from './request-key.ts'
import type { BatchOperations, BatchResults, Tree } from './results.ts'
import type { Signable } from './sign.ts'
import { watch } from './watch.ts'
import type { WatchOptions, WatchUpdate } from './watch-types.ts'

/**
 * The calls of one repository. `client.repository(name)` returns it; nothing is sent to the server before the first
 * call.
 *
 * Every call takes `CallOptions` (`signal`, `timeoutMs`, `headers`, `token`, `transport`) and is safe to repeat: a call that
 * moves refs, or creates or deletes a repository, has a key under which the server carries it out once (`WriteOptions`).
 * Arguments are checked and read when the call is made, and are the caller's again when it has returned its promise; only
 * the bytes of contents must stay as they are until it has settled. Unknown keys are `invalid_argument`. A call that
 * fails throws a `BlobwireError` with one of the codes `not_found` (reason `repository`, `object`, `revision` or
 * `path`), `invalid_argument`, `permission_denied`, `unauthenticated`, `unavailable`, `deadline_exceeded` and
 * `cancelled`. Reads also throw `data_loss`, reason `integrity`, where the answer does not match its oid.
 */
export class Repository extends TreeMethods {
  /** Name of the repository. */
  readonly name: string
  readonly #calls: RepositoryCalls

  /** @internal */
  constructor(name: string, invoker: CallInvoker) {
    const calls = new RepositoryCalls(name, invoker, invoker.interception)
    super(calls)
    this.name = name
    this.#calls = calls
  }

  /**
   * Creates the repository. The call succeeds where the repository exists with the same object format; `created` tells
   * whether this call created it.
   * @throws BlobwireError `already_exists` where the repository exists with the other object format
   */
  createRepository(options: CreateRepositoryInput & WriteOptions = {}): Promise<CreateRepositoryResponse> {
    const { objectFormat, defaultBranch } = options ?? {}
    return this.#calls.compose('createRepository', { objectFormat, defaultBranch }, options)
  }

  /** Returns the repository's object format and default branch. */
  getRepository(options: CallOptions = {}): Promise<RepositoryInfo> {
    return this.#calls.compose('getRepository', {}, options)
  }

  /**
   * Changes the default branch, which `HEAD` names from then on. The branch need not exist.
   * @example
   * await repo.updateRepository({ defaultBranch: 'trunk' })
   */
  updateRepository(input: UpdateRepositoryInput, options: WriteOptions = {}): Promise<RepositoryInfo> {
    return this.#calls.compose('updateRepository', input, options)
  }

  /**
   * Deletes the repository with all its content. The call succeeds where the repository does not exist; `deleted` tells
   * whether this call deleted it.
   */
  deleteRepository(options: WriteOptions = {}): Promise<DeleteRepositoryResponse> {
    return this.#calls.compose('deleteRepository', {}, options)
  }

  /**
   * Stores a blob: in a message up to `maxInlineBytes` (1 MiB by default), as an upload above; see `upload`. The bytes are
   * not copied: do not change, transfer or resize them before the call has settled.
   * @throws BlobwireError `resource_exhausted` above `maxBlobBytes`, and above `maxInlineBytes` where the server is older
   * than uploads
   */
  storeBlob(content: Bytes, options?: CallOptions): Promise<StoreBlobResponse> {
    return this.#calls.run('storeBlob', { content }, options)
  }

  /**
   * Stores a content of any size, as a stream where it is too large for a message. A cut upload goes on from the bytes
   * that the server holds. Content that the repository has is not sent where its oid is known before, and what is stored
   * is held against the oid of the bytes that were read. The source is read to its end, and ended where the upload fails.
   * @throws BlobwireError `aborted`, reason `source_failed`, where the source fails; `unavailable`, reason
   * `source_used_up`, where a plain stream would have to be read again; `resource_exhausted` above `maxBlobBytes`, and
   * where the server's uploads hold `maxUploadBytes` (reason `upload_quota`); `aborted`, reason `upload_taken_over`, where
   * another process goes on with the upload; `data_loss`, reason `integrity`; `unimplemented` from older servers
   * @example
   * const { oid } = await repo.upload({ file: import.meta.filename }, { onProgress: ({ files }) => console.log(files) })
   */
  upload(source: UploadSource, options: UploadOptions = {}): Promise<UploadResult> {
    return this.#calls.compose('upload', { source }, options)
  }

  /**
   * Reads a blob by its oid, or by revision and path. The content is the caller's: no other shares its buffer. A blob that
   * is too large for an answer (`maxInlineBytes`) is downloaded, for as long as bytes move or `timeoutMs` of the call allows.
   * @throws BlobwireError `resource_exhausted` where the blob does not fit into one `Uint8Array`; see `download`
   */
  getBlob(address: string | BlobAddress, options?: CallOptions): Promise<GetBlobResponse> {
    return this.#calls.run('getBlob', typeof address === 'string' ? { oid: address } : address, options)
  }

  /**
   * Returns a blob of any size, or a range of it, by its oid, or by revision and path: an async iterable of its bytes that
   * is also a stream, or a file. Nothing is sent before it is read. See `Download`, and docs/transfers.md.
   * @throws BlobwireError `invalid_argument`, at once; reading throws the others, also `out_of_range`
   * @example
   * const whole = await repo.download({ revision: 'main', path: 'old.txt' }).bytes()
   * for await (const chunk of repo.download(blobOid(whole), { start: 0, end: 1_000_000 })) console.log(chunk.length)
   */
  download(address: string | BlobAddress, options?: DownloadOptions): Download {
    return download(this.#calls, address, options)
  }

  /**
   * Returns the URL of the repository for Git, `http(s)://host:port/{repository}.git`, at the client's first endpoint and
   * without a token. Nothing is sent to the server.
   * @throws BlobwireError `failed_precondition` where all endpoints of the client are of gRPC, which Git does not speak
   * @example
   * const env = { ...process.env, ...(await repo.gitEnvironment()) }
   * console.log('git', 'clone', repo.remoteUrl(), Object.keys(env).length)
   */
  remoteUrl(): string {
    try {
      return remoteUrl(this.#calls)
    } catch (error) {
      throw forCaller(asBlobwireError(error), this.#calls.called('remoteUrl'), { below: this.remoteUrl })
    }
  }

  /**
   * Returns the environment variables with which Git sends the client's token to this remote, and to no other one:
   * `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_0` and `GIT_CONFIG_VALUE_0` (git-config(1), Git 2.31 or newer), and
   * `GIT_TERMINAL_PROMPT=0`. A token function is called once; call this again for a new token. Variables are seen by the
   * process and its children, and not by other users, as arguments are. Empty where the client has no token.
   * @throws BlobwireError `unauthenticated`, reason `token_source` where the token function fails; `failed_precondition` as
   * `remoteUrl`
   */
  async gitEnvironment(): Promise<GitEnvironment> {
    try {
      return await gitEnvironment(this.#calls)
    } catch (error) {
      throw forCaller(asBlobwireError(error), this.#calls.called('gitEnvironment'), { below: this.gitEnvironment })
    }
  }

  /** Returns those of the oids that the repository does not contain, in the given order, without duplicates. */
  findMissing(oids: readonly string[], options?: CallOptions): Promise<FindMissingResponse> {
    return this.#calls.run('findMissing', { oids }, options)
  }

  /**
   * Stores a tree and the subtrees that its paths need. With `baseTree`, the entries are applied to that tree. The
   * entries of a `getTree` listing are valid input; for a recursive listing, leave out the directories:
   * `entries.filter(({ mode }) => mode !== '040000')`.
   * @throws BlobwireError `failed_precondition`, reason `missing_object` where the object of an entry does not exist,
   * or `wrong_kind` where its kind does not match the entry's mode
   */
  storeTree(
    entries: readonly NewTreeEntry[],
    options: { baseTree?: string | undefined } & CallOptions = {}
  ): Promise<StoreTreeResponse> {
    return this.#calls.run('storeTree', { entries, baseTree: options?.baseTree }, options)
  }

  /**
   * Lists a tree completely, in Git's order. The client fetches all pages.
   * @throws BlobwireError `resource_exhausted` for a recursive listing of more than 1,000,000 entries
   */
  getTree(input: GetTreeInput = {}, options: CallOptions = {}): Promise<Tree> {
    return this.#calls.compose('getTree', input, options)
  }

  /**
   * Stores a commit. Its tree and parents must exist. The call changes no ref. With `sign`, the client makes the commit,
   * has it signed, and stores its bytes.
   * @throws BlobwireError `failed_precondition`, reason `missing_object`, `wrong_kind`, or `signing` where `sign` fails
   */
  storeCommit(input: StoreCommitInput & Signable, options: CallOptions = {}): Promise<StoreCommitResponse> {
    return this.#calls.compose('storeCommit', input, options)
  }

  /** Reads the commit at a revision, by default `HEAD`. */
  getCommit(revision?: string, options?: CallOptions): Promise<GetCommitResponse> {
    return this.#calls.run('getCommit', { revision }, options)
  }

  /**
   * Stores an object of any kind by its bytes, and thereby without any loss. The server checks it as `git fsck --strict`
   * would; `check: 'lenient'` takes every object that Git can read, with `warnings` in the result. The objects that it
   * names must exist, except the commits of submodules. The call changes no ref.
   * @throws BlobwireError `invalid_argument` with Git's name of the problem; `failed_precondition`, reason
   * `missing_object` or `wrong_kind`; `resource_exhausted` for a blob above `maxInlineBytes` or another object above
   * `maxBatchBytes`
   * @example
   * const { kind, content } = await repo.getObject({ revision: 'main' })
   * await repo.storeObject({ kind, content })
   */
  storeObject(input: StoreObjectInput, options?: CallOptions): Promise<StoreObjectResponse> {
    return this.#calls.run('storeObject', input, options)
  }

  /**
   * Reads an object of any kind with its bytes as they are stored, by its oid, or by revision and path. The name of an
   * annotated tag stands for the tag itself. Large blobs are downloaded, as by `getBlob`.
   * @throws BlobwireError `resource_exhausted` for an object above `maxBatchBytes` that is no blob
   */
  getObject(address: string | ObjectAddress, options?: CallOptions): Promise<GetObjectResponse> {
    return this.#calls.run('getObject', typeof address === 'string' ? { oid: address } : address, options)
  }

  /**
   * Stores an annotated tag, as `git tag --annotate` makes it. Its object must exist. The call changes no ref:
   * `updateRefs` makes the ref that points to the tag. With `sign`, which needs `kind` and a message that ends with a line
   * feed, the client makes the tag, has it signed, and stores its bytes.
   * @throws BlobwireError `failed_precondition`, reason `missing_object`, `wrong_kind` where the object is not of `kind`,
   * or `signing` where `sign` fails
   * @example
   * const { commit } = await repo.getCommit('main')
   * const tagger = { name: 'Ada', email: 'ada@example.org' }
   * const tag = await repo.storeTag({ object: commit.oid, name: 'v1.0', tagger, message: 'Version 1.0\n' })
   * await repo.updateRefs([{ name: 'refs/tags/v1.0', expectedOid: null, newOid: tag.oid }])
   */
  storeTag(input: StoreTagInput & Signable, options: CallOptions = {}): Promise<StoreTagResponse> {
    return this.#calls.compose('storeTag', input, options)
  }

  /**
   * Reads the annotated tag with this oid, or to which this ref points. A tag of a tag is not followed.
   * @throws BlobwireError `failed_precondition`, reason `wrong_kind`, for a lightweight tag and any other object
   */
  getTag(revision: string, options?: CallOptions): Promise<GetTagResponse> {
    return this.#calls.run('getTag', { revision }, options)
  }

  /** Lists one page of the commits reachable from a revision, newest first. `commits` walks all pages. */
  listCommits(input: ListCommitsInput = {}, options?: CallOptions): Promise<ListCommitsResponse> {
    return this.#calls.run('listCommits', input, options)
  }

  /** Iterates over all commits reachable from a revision, newest first. Pages are fetched on demand. */
  commits(input: ListCommitsInput = {}, options?: CallOptions): AsyncGenerator<Commit, void> {
    return allItems('listCommits', { input, options, called: this.#calls.called('commits') }, async (page, rest) => {
      const { commits, nextPageToken } = await this.listCommits(page, rest)
      return { items: commits, nextPageToken }
    })
  }

  /**
   * Commits changes of files on a branch: the server stores one new commit and moves the branch to it, or changes
   * nothing. Without `expectedHead`, the commit goes on top of whatever the branch points to, in order of arrival; with
   * guards (`expectedOid` of a change, `guards`), only where those paths are as the caller saw them.
   *
   * Contents travel with the commit in one request where it fits one (`maxBatchBytes`). The client leaves out contents
   * that it knows the server to have, and asks first before it sends more than 1 MiB (after compression) that may be
   * there. A list of changes too long for one request is committed on the head that the client reads, and again where
   * others move the branch in the meantime; its guards and moves must fit one request.
   *
   * With `sign`, the client makes the commit on the head that it finds, has it signed, and moves the branch from that
   * head; where others move the branch in the meantime, it does so again on the new head. docs/objects.md has an example.
   *
   * A content is bytes, a string, a file (`{ file: path }`), a `Blob`, a stream, or a function that returns one. What is
   * too large for a message is uploaded before the commit, four contents at a time, and each content once; small files
   * are read as they are needed. docs/transfers.md tells how uploads survive cuts. A commit that fails changes nothing;
   * contents that were stored before stay in the repository, where no commit names them.
   *
   * Everything is read when the call is made, but contents are not copied: do not change, transfer or resize their bytes
   * before the call has settled.
   * @throws BlobwireError `aborted`, reason `ref_mismatch`, where the branch is not at `expectedHead`, or `path_mismatch`
   * where a path is not as its guard expects (`details.pathMismatches`); `failed_precondition`, reason `path_not_found`
   * (a path to remove or move does not exist), `path_conflict` (a file takes the place of a directory, or the reverse)
   * or `missing_object`; and the errors of `upload` for contents that are uploaded
   * @example
   * await repo.commitFiles({
   *   branch: 'main',
   *   changes: { 'a.txt': 'hello\n', 'bin/run': { content: script, mode: '100755' }, 'old.txt': null },
   *   message: 'Say hello\n',
   *   author: { name: 'Ada', email: 'ada@example.org' }
   * })
   * // Only if nobody has changed the file since it was read:
   * const seen = await repo.getBlob({ revision: 'main', path: 'a.txt' })
   * const changes = { 'a.txt': { content: 'hello again\n', expectedOid: seen.oid } }
   * await repo.commitFiles({ ...commit, changes })
   */
  commitFiles(input: CommitFilesInput & Signable, options: CommitFilesOptions = {}): Promise<CommitFilesResponse> {
    return this.#calls.compose('commitFiles', input, options)
  }

  /** Lists one page of the refs, sorted by name, without `HEAD`. `refs` walks all pages. */
  listRefs(input: ListInput = {}, options?: CallOptions): Promise<ListRefsResponse> {
    return this.#calls.run('listRefs', input, options)
  }

  /** Iterates over all refs, sorted by name, without `HEAD`. Pages are fetched on demand. */
  refs(input: ListInput = {}, options?: CallOptions): AsyncGenerator<Ref, void> {
    return allItems('listRefs', { input, options, called: this.#calls.called('refs') }, async (page, rest) => {
      const { refs, nextPageToken } = await this.listRefs(page, rest)
      return { items: refs, nextPageToken }
    })
  }

  /**
   * Updates refs by compare-and-swap, all of them or none. A ref that is not at its `expectedOid` is a mismatch, even
   * where it already has its new value. `results` has `moved`, `created` or `deleted` for each update.
   * @throws BlobwireError `aborted`, reason `ref_mismatch`, with `details.refMismatches`
   */
  updateRefs(updates: readonly RefUpdateInput[], options: WriteOptions = {}): Promise<UpdateRefsResponse> {
    return this.#calls.compose('updateRefs', { updates }, options)
  }

  /**
   * Follows the refs of the repository: every move, in order, with those of one call together. The watch goes on by itself
   * at another session or server; after a gap it tells the difference. It begins with the refs as they are (`start`), or
   * where `since` says. Leave the loop, or abort the signal, to end it. docs/watch.md tells more.
   * @throws BlobwireError `invalid_argument`, at once; the loop throws `not_found` where the repository is deleted, and
   * `unimplemented` from older servers and where there are no sessions
   * @example
   * for await (const { kind, moves, cursor } of repo.watch({ prefix: 'refs/heads' })) {
   *   console.log(kind, moves.map(({ name, newOid }) => `${name} ${newOid}`), cursor)
   *   if (isEnough()) break
   * }
   */
  watch(options: WatchOptions = {}): AsyncGenerator<WatchUpdate, void> {
    return watch(this.#calls, options)
  }

  /** Lists one page of the paths that differ between two commits or trees. `changes` walks all pages. */
  compare(input: CompareInput, options?: CallOptions): Promise<CompareResponse> {
    return this.#calls.run('compare', input, options)
  }

  /** Iterates over all paths that differ between two commits or trees. Pages are fetched on demand. */
  changes(input: CompareInput, options?: CallOptions): AsyncGenerator<PathChange, void> {
    return allItems('compare', { input, options, called: this.#calls.called('changes') }, async (page, rest) => {
      const { changes, nextPageToken } = await this.compare(page, rest)
      return { items: changes, nextPageToken }
    })
  }

  /**
   * Carries out operations in order, in as few requests as the server's limits allow. Each result is at the position of
   * its operation: `{ ok: true, value }` or `{ ok: false, error }`. With a literal list, each result has the type of
   * its own operation. With `atomic`, the server makes all ref changes of the batch or none; an atomic batch must fit
   * into one request. An operation that moves refs may have a `requestKey` beside its input; an atomic batch has one for
   * all its operations, in the options. Contents are not copied: do not change, transfer or resize their bytes before the call has settled.
   * @throws BlobwireError where a whole request failed; the server may have carried out the operations before it
   * @example
   * const [stored, read] = await repo.batch([{ storeBlob: { content: 'hello\n' } }, { getBlob: { oid } }])
   * if (stored.ok) console.log(stored.value.oid)
   * if (!read.ok) console.log(read.error.code)
   */
  async batch<const Given extends readonly Operation[]>(
    operations: BatchOperations<Given>,
    options: { atomic?: boolean | undefined } & WriteOptions = {}
  ): Promise<BatchResults<Given>> {
    const input = { operations, atomic: options?.atomic }
    return this.#calls.compose('batch', input, options) as Promise<BatchResults<Given>>
  }
}
