// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run
// `npm run generate`.
import type { Mode } from '../git/mode.ts'
import type { ObjectFormat, ObjectKind } from '../git/oid.ts'

/** A repository. */
export interface RepositoryInfo {
  /** Name: segments of [A-Za-z0-9._-]+ joined by "/", at most 200 characters. A segment is not ".", ".." or
   * "__proto__" and does not end in ".git" or ".lock". */
  repository: string
  /** "sha1" or "sha256". */
  objectFormat: ObjectFormat
  /** The ref HEAD names now, as a full name; it need not exist. Empty = HEAD is detached: it holds an oid. */
  defaultBranch: string
}

export interface CreateRepositoryRequest {
  repository: string
  /** "sha1" (also when empty) or "sha256". */
  objectFormat: ObjectFormat
  /** The branch that HEAD names: "trunk" or "refs/heads/trunk". Empty = "main", and the first branch
   * that is made takes its place. A repository that exists keeps its own. */
  defaultBranch: string
}

export interface CreateRepositoryResponse {
  repository: string
  objectFormat: ObjectFormat
  defaultBranch: string
  /** This call made it; false = it was there. */
  created: boolean
}

export interface GetRepositoryRequest {
  repository: string
}

export interface GetRepositoryResponse {
  repository: string
  objectFormat: ObjectFormat
  defaultBranch: string
}

export interface ListRepositoriesRequest {
  /** Only names that begin with this. */
  prefix: string
  /** At most this many; 0 = 100, the most is 1000. */
  pageSize: number
  /** The next_page_token of the page before; empty = from the start. */
  pageToken: string
}

export interface ListRepositoriesResponse {
  repositories: RepositoryInfo[]
  /** Empty on the last page. */
  nextPageToken: string
}

export interface UpdateRepositoryRequest {
  repository: string
  /** The branch that HEAD names from now on: "trunk" or "refs/heads/trunk". It need not exist. */
  defaultBranch: string
}

export interface UpdateRepositoryResponse {
  repository: string
  objectFormat: ObjectFormat
  defaultBranch: string
}

export interface DeleteRepositoryRequest {
  repository: string
}

export interface DeleteRepositoryResponse {
  /** This call removed it; false = there was none. */
  deleted: boolean
}

export interface StoreBlobRequest {
  repository: string
  /** At most max_inline_bytes. */
  content: Uint8Array
}

export interface StoreBlobResponse {
  oid: string
  /** In bytes. */
  size: number
}

/** By `oid`, or by `revision` and `path`. */
export interface GetBlobRequest {
  repository: string
  oid: string
  revision: string
  path: string
  /** In place of `path` where that is not UTF-8: its bytes. */
  rawPath: Uint8Array
  /** The client takes `deflated` in place of `content`. */
  acceptDeflated: boolean
}

export interface GetBlobResponse {
  oid: string
  /** Of the content, in bytes. */
  size: number
  content: Uint8Array
  /** The content as a zlib stream (RFC 1950), as the store has it. Only where the client takes it, and where the store
   * has it so; `content` is empty then. */
  deflated?: Uint8Array | undefined
}

export interface FindMissingRequest {
  repository: string
  oids: string[]
}

export interface FindMissingResponse {
  /** In the order asked, each once. */
  missing: string[]
}

/** An entry of a tree. */
export interface TreeEntry {
  /** Path from the tree, with "/" between the segments. */
  path: string
  /** Git's mode in octal, as `git ls-tree` shows it: "100644" file, "100755" executable, "120000" symbolic link,
   * "040000" tree, "160000" commit of a submodule. */
  mode: Mode
  /** In StoreTree with a base_tree, an empty or all-zero oid removes the path. */
  oid: string
  /** Only where the path is not UTF-8: its bytes. In answers, `path` then has U+FFFD in it; in requests, it has no
   * meaning. */
  rawPath: Uint8Array
  /** Only in answers, and only where the tree has the mode in another text than Git writes, such as "100664" in old
   * history: that text. `mode` is as Git reads it. */
  rawMode: string
}

export interface StoreTreeRequest {
  repository: string
  /** Each path once, in any order. Every object named must be there, of the kind its mode says. */
  entries: TreeEntry[]
  /** Oid of the tree that the entries change; empty = start from the empty tree. */
  baseTree: string
}

export interface StoreTreeResponse {
  oid: string
}

export interface GetTreeRequest {
  repository: string
  /** A commit or tree: oid, ref, short branch or tag name, "HEAD", each with any number of ~N and ^N. */
  revision: string
  /** Of a directory; empty = the root. */
  path: string
  /** Also all that is below, parents before children, as `git ls-tree -r -t`. */
  recursive: boolean
  /** At most this many; 0 = 1000, the most is 10000. */
  pageSize: number
  pageToken: string
  /** In place of `path` where that is not UTF-8: its bytes. */
  rawPath: Uint8Array
}

export interface GetTreeResponse {
  /** Of the tree that is listed. */
  oid: string
  /** Paths are relative to the tree that is listed. */
  entries: TreeEntry[]
  nextPageToken: string
}

/** Who did something, and when. */
export interface Signature {
  name: string
  email: string
  /** Seconds since 1970-01-01T00:00:00Z. */
  timeSeconds: number
  /** Offset from UTC as Git writes it: "+0000" (also when empty), "-0330". */
  zone: string
}

/** A commit. */
export interface Commit {
  oid: string
  tree: string
  parents: string[]
  author: Signature
  committer: Signature
  message: string
  /** The commit object as stored. Only where the fields above do not make up all of it (signed commits,
   * extra headers, author lines that are not exact, texts that are not UTF-8). */
  raw: Uint8Array
  /** The header `encoding` as the commit has it; empty = none, which means UTF-8. Names and message are decoded where the
   * server knows the encoding; other bytes that are not UTF-8 are U+FFFD in them. */
  encoding: string
}

export interface StoreCommitRequest {
  repository: string
  tree: string
  parents: string[]
  author?: Signature | undefined
  /** Absent = the author. */
  committer?: Signature | undefined
  /** Stored as it is: no newline is added. */
  message: string
}

export interface StoreCommitResponse {
  oid: string
}

export interface GetCommitRequest {
  repository: string
  revision: string
}

export interface GetCommitResponse {
  commit: Commit
}

export interface ListCommitsRequest {
  repository: string
  /** Empty = HEAD. */
  revision: string
  /** Only commits that change this path. */
  path: string
  /** At most this many; 0 = 100, the most is 2500. */
  pageSize: number
  pageToken: string
  /** In place of `path` where that is not UTF-8: its bytes. */
  rawPath: Uint8Array
}

export interface ListCommitsResponse {
  commits: Commit[]
  nextPageToken: string
}

/** Something that `git fsck --strict` reports about an object. */
export interface ObjectWarning {
  /** Git's name of the problem, such as "zeroPaddedFilemode". */
  id: string
  message: string
}

export interface StoreObjectRequest {
  repository: string
  /** "blob", "tree", "commit" or "tag". */
  kind: ObjectKind
  /** Without Git's header. A blob has at most max_inline_bytes, other objects at most max_batch_bytes. */
  content: Uint8Array
  /** "strict" (also when empty) refuses what `git fsck --strict` reports. "lenient" takes every object that Git can read,
   * as `git push` does by default, and answers with warnings. The objects that it names must be there in both. */
  check: '' | 'strict' | 'lenient'
}

export interface StoreObjectResponse {
  oid: string
  /** In bytes. */
  size: number
  /** Only of a lenient check. */
  warnings: ObjectWarning[]
}

/** By `oid`, or by `revision` with or without a `path`. */
export interface GetObjectRequest {
  repository: string
  oid: string
  /** As in GetTree, but the name of an annotated tag stands for the tag itself. */
  revision: string
  path: string
  /** In place of `path` where that is not UTF-8: its bytes. */
  rawPath: Uint8Array
}

export interface GetObjectResponse {
  oid: string
  kind: ObjectKind
  /** In bytes. */
  size: number
  /** Without Git's header. A blob has at most max_inline_bytes, other objects at most max_batch_bytes. */
  content: Uint8Array
}

/** An annotated tag. */
export interface Tag {
  oid: string
  /** Oid of the tagged object. */
  object: string
  /** Of the tagged object: "blob", "tree", "commit" or "tag". */
  kind: ObjectKind
  /** Such as "v1.0". The ref that points to the tag may have another. */
  name: string
  /** Absent in tags without one, which early versions of Git made. */
  tagger?: Signature | undefined
  /** With the signature of a signed tag, which follows it. */
  message: string
  /** The tag object as stored. Only where the fields above do not make up all of it (extra headers, text that is not
   * UTF-8), and of signed tags. */
  raw: Uint8Array
}

export interface StoreTagRequest {
  repository: string
  /** Oid of the object to tag. */
  object: string
  /** Kind that the object must have; empty = the kind that it has. */
  kind: ObjectKind | ''
  /** Such as "v1.0". */
  name: string
  /** Required. */
  tagger?: Signature | undefined
  /** Stored as it is: no newline is added. */
  message: string
}

export interface StoreTagResponse {
  oid: string
}

export interface GetTagRequest {
  repository: string
  /** Oid of a tag object, or a ref, short tag name or branch that points to one. A tag of a tag is not followed. */
  revision: string
}

export interface GetTagResponse {
  tag: Tag
}

/** One change of CommitFiles. */
export interface FileChange {
  path: string
  /** Empty = "100644"; for move_from, the mode of the source. */
  mode: Mode | ''
  /** Put these bytes. */
  content?: Uint8Array | undefined
  /** Put an object that is there: a blob, or with mode "040000" a tree. */
  oid?: string | undefined
  /** Remove the file or directory; it must be there. */
  delete?: boolean | undefined
  /** Move the file or directory at this path of the head that the commit is made on. */
  moveFrom?: string | undefined
  /** A change such as those above, if the path is still as the caller saw it. */
  guarded?: GuardedChange | undefined
  /** Change nothing: the oid that must be at `path`; all zeros = nothing must be there. */
  guard?: string | undefined
  /** As move_from, where that is not UTF-8: its bytes. */
  rawMoveFrom?: Uint8Array | undefined
  /** In place of `path` where that is not UTF-8: its bytes. */
  rawPath: Uint8Array
}

/** A change of a path that must be as the caller saw it. */
export interface GuardedChange {
  /** Oid that must be at the path, for move_from at its source; all zeros = nothing must be there. */
  expectedOid: string
  content?: Uint8Array | undefined
  oid?: string | undefined
  delete?: boolean | undefined
  moveFrom?: string | undefined
  rawMoveFrom?: Uint8Array | undefined
}

/** Who makes a commit. */
export interface NewSignature {
  name: string
  email: string
  /** Seconds since 1970-01-01T00:00:00Z. Absent = the server's clock. */
  timeSeconds?: number | undefined
  /** Offset from UTC as Git writes it: "+0000" (also when empty), "-0330". */
  zone: string
}

export interface CommitFilesRequest {
  repository: string
  /** "main" or "refs/heads/main". */
  branch: string
  /** Oid the branch must be at; all zeros = the branch must not exist. Empty = whatever it is at when the call is
   * carried out; calls of one branch are carried out in the order in which they came. */
  expectedHead: string
  /** Each path once. */
  changes: FileChange[]
  author?: NewSignature | undefined
  /** Absent = the author. */
  committer?: NewSignature | undefined
  message: string
  /** Oid of the tree that puts and deletes change, where that is not the head's: change lists too long for
   * one request are stored with StoreTree first. Moves and guards are still read from the head. Only with an
   * expected_head. */
  baseTree: string
  /** Under a request key: a digest, by the caller, of all that was asked for, where the changes are too long for one
   * request. Two requests with the same one are the same, whatever head, tree and changes are left to send. Empty = the
   * server makes the digest of the request. */
  inputDigest: string
  /** Store the tree that the changes make, and answer it with the head and the time; make no commit and move nothing.
   * For a caller that makes the commit itself, because it signs it. Author, committer, message and key are left out. */
  prepare: boolean
  /** The commit object, made and signed by the caller on the tree and the head of a prepared answer. Only with an
   * expected_head, and without changes, author, committer, message and base_tree. */
  commitObject: Uint8Array
}

export interface CommitFilesResponse {
  /** Of the commit; empty where it was only prepared. */
  oid: string
  tree: string
  parents: string[]
  /** Full name of the ref that points to the commit. */
  ref: string
  /** "moved" or, where the commit began the branch, "created"; "prepared" where nothing was moved. */
  result: 'moved' | 'created' | 'prepared'
  /** The server's clock, in seconds since 1970-01-01T00:00:00Z: the date of each signature that came without one. With a
   * commit_object, the date of its committer. */
  timeSeconds: number
}

/** A ref. */
export interface Ref {
  name: string
  oid: string
  /** Only where the name is not UTF-8: its bytes. `name` then has U+FFFD in it. */
  rawName?: Uint8Array | undefined
}

export interface ListRefsRequest {
  repository: string
  /** Only names that begin with this, such as "refs/heads/". */
  prefix: string
  /** At most this many; 0 = 100, the most is 10000. */
  pageSize: number
  pageToken: string
}

export interface ListRefsResponse {
  refs: Ref[]
  nextPageToken: string
}

/** One move of a ref. */
export interface RefUpdate {
  /** Full name, such as "refs/heads/main". */
  name: string
  /** All zeros = the ref must not exist. */
  expectedOid: string
  /** All zeros = delete the ref. */
  newOid: string
  /** The bytes of a name that is not UTF-8, instead of `name`. */
  rawName?: Uint8Array | undefined
}

export interface UpdateRefsRequest {
  repository: string
  /** Each name once. */
  updates: RefUpdate[]
}

export interface UpdateRefsResponse {
  /** The refs as they were left, in the order of the updates, without the deleted ones. */
  refs: Ref[]
  /** "moved", "created" or "deleted", one for each update. */
  results: ('moved' | 'created' | 'deleted')[]
}

export interface CompareRequest {
  repository: string
  /** A commit or tree. */
  base: string
  head: string
  /** At most this many; 0 = 1000, the most is 10000. */
  pageSize: number
  pageToken: string
}

/** A path that differs, as `git diff-tree -r --no-renames` tells it. */
export interface PathChange {
  path: string
  /** "added", "deleted", "modified" or "type_changed". */
  status: 'added' | 'deleted' | 'modified' | 'type_changed'
  /** Empty where there was, or is, nothing. */
  oldMode: Mode | ''
  oldOid: string
  newMode: Mode | ''
  newOid: string
  /** As TreeEntry.raw_path. */
  rawPath: Uint8Array
}

export interface CompareResponse {
  changes: PathChange[]
  nextPageToken: string
}

/** One operation; `repository` inside it stays empty. */
export interface Operation {
  storeBlob?: StoreBlobRequest | undefined
  getBlob?: GetBlobRequest | undefined
  findMissing?: FindMissingRequest | undefined
  storeTree?: StoreTreeRequest | undefined
  getTree?: GetTreeRequest | undefined
  storeCommit?: StoreCommitRequest | undefined
  getCommit?: GetCommitRequest | undefined
  listCommits?: ListCommitsRequest | undefined
  commitFiles?: CommitFilesRequest | undefined
  listRefs?: ListRefsRequest | undefined
  updateRefs?: UpdateRefsRequest | undefined
  compare?: CompareRequest | undefined
  getRepository?: GetRepositoryRequest | undefined
  apply?: KeyedOperation | undefined
  storeObject?: StoreObjectRequest | undefined
  getObject?: GetObjectRequest | undefined
  storeTag?: StoreTagRequest | undefined
  getTag?: GetTagRequest | undefined
}

/** An operation that moves refs, under a key; see Apply. */
export interface KeyedOperation {
  /** Made by the caller: 1 to 64 of [A-Za-z0-9_-]. */
  requestKey: string
  /** Milliseconds that the caller still waits, when this is sent; the operation is not begun later. 0 = no limit. */
  timeoutMs: number
  commitFiles?: CommitFilesRequest | undefined
  updateRefs?: UpdateRefsRequest | undefined
}

/** What came of it. */
export interface KeyedResult {
  commitFiles?: CommitFilesResponse | undefined
  updateRefs?: UpdateRefsResponse | undefined
}

/** What came of one operation. */
export interface OperationResult {
  storeBlob?: StoreBlobResponse | undefined
  getBlob?: GetBlobResponse | undefined
  findMissing?: FindMissingResponse | undefined
  storeTree?: StoreTreeResponse | undefined
  getTree?: GetTreeResponse | undefined
  storeCommit?: StoreCommitResponse | undefined
  getCommit?: GetCommitResponse | undefined
  listCommits?: ListCommitsResponse | undefined
  commitFiles?: CommitFilesResponse | undefined
  listRefs?: ListRefsResponse | undefined
  updateRefs?: UpdateRefsResponse | undefined
  compare?: CompareResponse | undefined
  getRepository?: GetRepositoryResponse | undefined
  apply?: KeyedResult | undefined
  storeObject?: StoreObjectResponse | undefined
  getObject?: GetObjectResponse | undefined
  storeTag?: StoreTagResponse | undefined
  getTag?: GetTagResponse | undefined
  error?: OperationError | undefined
}

export interface BatchOperationsRequest {
  repository: string
  operations: Operation[]
  /** Every ref change in the batch happens, or none does. */
  atomic: boolean
}

export interface BatchOperationsResponse {
  /** One for each operation, in order. */
  results: OperationResult[]
}

export interface ApplyRequest {
  repository: string
  /** Made by the caller, once before the first attempt: 1 to 64 of [A-Za-z0-9_-]. */
  requestKey: string
  commitFiles?: CommitFilesRequest | undefined
  updateRefs?: UpdateRefsRequest | undefined
  createRepository?: CreateRepositoryRequest | undefined
  deleteRepository?: DeleteRepositoryRequest | undefined
  /** `atomic` must be true. Its operations have no keys of their own. */
  batch?: BatchOperationsRequest | undefined
  updateRepository?: UpdateRepositoryRequest | undefined
}

export interface ApplyResponse {
  commitFiles?: CommitFilesResponse | undefined
  updateRefs?: UpdateRefsResponse | undefined
  createRepository?: CreateRepositoryResponse | undefined
  deleteRepository?: DeleteRepositoryResponse | undefined
  batch?: BatchOperationsResponse | undefined
  updateRepository?: UpdateRepositoryResponse | undefined
}

export interface WatchRefsRequest {
  repository: string
  /** Only the ref of this name and those below it, by whole segments: "refs/heads" and "refs/heads/" are the same.
   * Empty = all refs. */
  prefix: string
  /** Go on here: the last cursor that was told. Empty = from now on. */
  cursor: string
  /** Pages of all refs come first where there is no cursor, and after a gap. */
  snapshot: boolean
}

/** What is new. A message with a cursor alone tells that nothing is, up to there; the first one comes at once. */
export interface WatchRefsResponse {
  /** Behind everything that was told so far. Empty = the watch cannot go on here: pages are still to come. */
  cursor: string
  /** Oldest first. */
  events: RefEvent[]
  /** Refs as they are now, in byte order of their names; events follow from there on. */
  page?: RefPage | undefined
  /** Moves after the cursor of the request are known no longer, or the repository is another one by now. */
  gap: boolean
}

/** The moves of one call, which happened together; those that the prefix leaves out are not told. */
export interface RefEvent {
  /** Of the call that made them. */
  requestId: string
  /** Milliseconds since 1970-01-01T00:00:00Z, by the server's clock. */
  timeMs: number
  moves: MovedRef[]
  /** Behind this event; empty as in WatchRefsResponse. */
  cursor: string
}

/** A move of a ref that was made; an all-zero oid stands for "no such ref". */
export interface MovedRef {
  name: string
  oldOid: string
  newOid: string
  /** Only where the name is not UTF-8: its bytes. */
  rawName?: Uint8Array | undefined
}

export interface RefPage {
  refs: Ref[]
  /** No page follows. */
  last: boolean
}

/** A batch on a session: operation i has the id first_id + i. */
export interface SessionBatch {
  repository: string
  firstId: number
  operations: Operation[]
  /** Only in SessionBatches: for each operation the number of its header list in the frame, from 1; 0 = it has none.
   * Empty = no operation has one. */
  headerLists: number[]
}

/** A header that an operation has besides those of its session, as a request of its own would carry it. */
export interface Header {
  /** In lower case; never "authorization". */
  name: string
  value: string
}

export interface HeaderList {
  headers: Header[]
}

/** Batches of several repositories, and operations with headers of their own. The batches are carried out at the same
 * time. */
export interface SessionBatches {
  /** Each list once, however many operations have it. */
  headerLists: HeaderList[]
  batches: SessionBatch[]
}

/** Stops operations whose results are no longer wanted, and watches. */
export interface SessionCancel {
  ids: number[]
}

export interface SessionRequest {
  batch?: SessionBatch | undefined
  cancel?: SessionCancel | undefined
  batches?: SessionBatches | undefined
  watch?: SessionWatch | undefined
}

/** Begins a watch, whose updates come until it is cancelled or ends with an error. */
export interface SessionWatch {
  /** Of no other watch or operation of the session. */
  id: number
  request?: WatchRefsRequest | undefined
}

/** What is new for watches of the session. */
export interface SessionUpdate {
  ids: number[]
  update?: WatchRefsResponse | undefined
  /** These watches have ended. */
  error?: OperationError | undefined
}

/** The result of the operation with this id. */
export interface SessionResult {
  id: number
  result?: OperationResult | undefined
}

export interface SessionResponse {
  results: SessionResult[]
  updates: SessionUpdate[]
}

export interface UploadBlobRequest {
  /** On the first message only. */
  repository: string
  /** Made by the client: 1 to 128 characters of A-Z, a-z, 0-9, "-" and "_", which nobody can guess. The same id goes on
   * with the same upload; a later stream with it ends an earlier one. On the first message only. */
  uploadId: string
  /** Of the whole blob, in bytes; on the first message only. Absent = known at the end alone. */
  size?: number | undefined
  /** Of `chunk` in the blob, in bytes: the bytes that the server holds. A first message with another offset is refused,
   * reason "upload_offset". */
  offset: number
  /** May be empty. At most max_batch_bytes; better chunk_bytes. */
  chunk: Uint8Array
  /** The blob ends with this chunk. A stream that ends without it leaves the upload to be gone on with. */
  complete: boolean
  /** Of the whole blob, as the client computed it, on the first or last message; empty = not told. A blob with another
   * oid is not stored (data_loss, reason "integrity"). */
  oid: string
  /** SHA-256 of the content of the whole blob, on the last message; empty = not told. It serves as `oid` does where the
   * size, with which an oid begins, was not known. */
  sha256: Uint8Array
}

export interface UploadBlobResponse {
  /** Empty until the upload is complete. */
  oid: string
  /** Of the blob; 0 until the upload is complete. */
  size: number
  /** Bytes held; go on from here. */
  offset: number
  complete: boolean
}

export interface DownloadBlobRequest {
  repository: string
  /** Or revision and path. */
  oid: string
  /** In bytes. */
  offset: number
  /** In bytes; 0 = to the end. */
  length: number
  revision: string
  path: string
  /** In place of `path`, for names that are not UTF-8. */
  rawPath: Uint8Array
  /** The digest of the answer begins here, at or before `offset`: for the rest of a range whose beginning is there.
   * Absent = at `offset`. */
  digestFrom?: number | undefined
}

export interface DownloadBlobResponse {
  /** Of `chunk` in the blob, in bytes. */
  offset: number
  /** Of the whole blob, in bytes; on the first message. */
  size: number
  chunk: Uint8Array
  /** On the first message, which may have no chunk. */
  oid: string
  /** SHA-256 of the bytes from digest_from to the end of the range, on the last message. Empty where the range is the
   * whole blob, whose oid tells. */
  sha256: Uint8Array
}

export interface QueryUploadRequest {
  repository: string
  uploadId: string
}

export interface QueryUploadResponse {
  /** Bytes held; go on from here. */
  offset: number
  /** The blob is stored. */
  complete: boolean
  /** Of the blob, once it is stored. */
  oid: string
  /** Of the whole blob, in bytes; absent = not known yet. */
  size?: number | undefined
}

export interface CancelUploadRequest {
  repository: string
  uploadId: string
}

export interface CancelUploadResponse {
  /** False = there was none that was not complete. */
  cancelled: boolean
}

export type GetCapabilitiesRequest = Record<never, never>

/** Where a transport listens. */
export interface TransportEndpoint {
  /** "json", "msgpack" or "grpc". */
  transport: string
  /** http://, https://, grpc:// or grpcs:// with host and port. A host of "" or "0.0.0.0" means the one
   * the capabilities were read from. */
  url: string
}

/** What a server accepts. */
export interface Limits {
  /** Of the content of StoreBlob and GetBlob. */
  maxInlineBytes: number
  maxBatchOperations: number
  /** Of one request message after decompression, of any RPC; and of the contents a batch answers with. */
  maxBatchBytes: number
  chunkBytes: number
  maxBlobBytes: number
  /** Of all requests that the server works on or is receiving, decompressed; 0 = not told. A request without room is
   * refused with resource_exhausted, reason "server_full", before more of it is read. */
  maxInFlightBytes: number
  /** The same of one connection; reason "connection_full". Sessions are not read on before that. */
  maxConnectionInFlightBytes: number
  /** Of all uploads together that are not complete; 0 = not told. More is refused, reason "upload_quota". */
  maxUploadBytes: number
  /** How long an upload is kept after its last byte, in seconds; 0 = not told. */
  uploadIdleSeconds: number
}

/** What a server can do. */
export interface Capabilities {
  serverVersion: string
  transports: TransportEndpoint[]
  limits: Limits
  /** Content types understood on the HTTP form. */
  codecs: string[]
  /** Content encodings understood. */
  compressors: string[]
  objectFormats: ObjectFormat[]
  /** BatchOperations knows `atomic`. */
  atomic: boolean
  /** UploadBlob can be resumed. */
  resume: boolean
  /** Session is served. */
  session: boolean
  /** How long a key of Apply is remembered, in seconds; 0 = Apply is not served. */
  requestKeySeconds: number
  /** WatchRefs is served, also on sessions. */
  watch: boolean
}

/** Why one operation of a batch failed. */
export interface OperationError {
  /** One of gRPC's sixteen names in lower snake case. */
  code: string
  message: string
  detail?: ErrorDetail | undefined
}

/** The typed part of an error: a detail of the Connect error object and of google.rpc.Status. */
export interface ErrorDetail {
  /** Stable finer word, such as "ref_mismatch". */
  reason: string
  /** The same call may succeed when it is sent again. */
  retryable: boolean
  requestId: string
  /** The refs that were not where they were expected. */
  refMismatches: RefMismatch[]
  limit?: LimitExceeded | undefined
  /** The fields that were wrong. */
  violations: FieldViolation[]
  /** Objects that were named and are not there. */
  missingOids: string[]
  /** Milliseconds to wait before the same call is sent again; 0 = the server does not say. */
  retryAfterMs: number
  /** The paths that were not as they were expected. */
  pathMismatches: PathMismatch[]
}

/** A failed compare-and-swap; all-zero oids stand for "no such ref". */
export interface RefMismatch {
  name: string
  expectedOid: string
  foundOid: string
}

/** A guard that failed; all-zero oids stand for "nothing at that path". */
export interface PathMismatch {
  path: string
  expectedOid: string
  foundOid: string
  /** As TreeEntry.raw_path. */
  rawPath: Uint8Array
}

export interface LimitExceeded {
  /** As in Limits: "max_inline_bytes". */
  limit: string
  maximum: number
  /** 0 where the rest was not read. */
  actual: number
  /** Of the object that is too large for an answer; DownloadBlob reads it. */
  oid?: string | undefined
}

export interface FieldViolation {
  /** Path of the field, such as "entries[3].mode". */
  field: string
  description: string
}

/** Every message by its name. */
export interface Messages {
  Repository: RepositoryInfo
  CreateRepositoryRequest: CreateRepositoryRequest
  CreateRepositoryResponse: CreateRepositoryResponse
  GetRepositoryRequest: GetRepositoryRequest
  GetRepositoryResponse: GetRepositoryResponse
  ListRepositoriesRequest: ListRepositoriesRequest
  ListRepositoriesResponse: ListRepositoriesResponse
  UpdateRepositoryRequest: UpdateRepositoryRequest
  UpdateRepositoryResponse: UpdateRepositoryResponse
  DeleteRepositoryRequest: DeleteRepositoryRequest
  DeleteRepositoryResponse: DeleteRepositoryResponse
  StoreBlobRequest: StoreBlobRequest
  StoreBlobResponse: StoreBlobResponse
  GetBlobRequest: GetBlobRequest
  GetBlobResponse: GetBlobResponse
  FindMissingRequest: FindMissingRequest
  FindMissingResponse: FindMissingResponse
  TreeEntry: TreeEntry
  StoreTreeRequest: StoreTreeRequest
  StoreTreeResponse: StoreTreeResponse
  GetTreeRequest: GetTreeRequest
  GetTreeResponse: GetTreeResponse
  Signature: Signature
  Commit: Commit
  StoreCommitRequest: StoreCommitRequest
  StoreCommitResponse: StoreCommitResponse
  GetCommitRequest: GetCommitRequest
  GetCommitResponse: GetCommitResponse
  ListCommitsRequest: ListCommitsRequest
  ListCommitsResponse: ListCommitsResponse
  ObjectWarning: ObjectWarning
  StoreObjectRequest: StoreObjectRequest
  StoreObjectResponse: StoreObjectResponse
  GetObjectRequest: GetObjectRequest
  GetObjectResponse: GetObjectResponse
  Tag: Tag
  StoreTagRequest: StoreTagRequest
  StoreTagResponse: StoreTagResponse
  GetTagRequest: GetTagRequest
  GetTagResponse: GetTagResponse
  FileChange: FileChange
  GuardedChange: GuardedChange
  NewSignature: NewSignature
  CommitFilesRequest: CommitFilesRequest
  CommitFilesResponse: CommitFilesResponse
  Ref: Ref
  ListRefsRequest: ListRefsRequest
  ListRefsResponse: ListRefsResponse
  RefUpdate: RefUpdate
  UpdateRefsRequest: UpdateRefsRequest
  UpdateRefsResponse: UpdateRefsResponse
  CompareRequest: CompareRequest
  PathChange: PathChange
  CompareResponse: CompareResponse
  Operation: Operation
  KeyedOperation: KeyedOperation
  KeyedResult: KeyedResult
  OperationResult: OperationResult
  BatchOperationsRequest: BatchOperationsRequest
  BatchOperationsResponse: BatchOperationsResponse
  ApplyRequest: ApplyRequest
  ApplyResponse: ApplyResponse
  WatchRefsRequest: WatchRefsRequest
  WatchRefsResponse: WatchRefsResponse
  RefEvent: RefEvent
  MovedRef: MovedRef
  RefPage: RefPage
  SessionBatch: SessionBatch
  Header: Header
  HeaderList: HeaderList
  SessionBatches: SessionBatches
  SessionCancel: SessionCancel
  SessionRequest: SessionRequest
  SessionWatch: SessionWatch
  SessionUpdate: SessionUpdate
  SessionResult: SessionResult
  SessionResponse: SessionResponse
  UploadBlobRequest: UploadBlobRequest
  UploadBlobResponse: UploadBlobResponse
  DownloadBlobRequest: DownloadBlobRequest
  DownloadBlobResponse: DownloadBlobResponse
  QueryUploadRequest: QueryUploadRequest
  QueryUploadResponse: QueryUploadResponse
  CancelUploadRequest: CancelUploadRequest
  CancelUploadResponse: CancelUploadResponse
  GetCapabilitiesRequest: GetCapabilitiesRequest
  TransportEndpoint: TransportEndpoint
  Limits: Limits
  GetCapabilitiesResponse: Capabilities
  OperationError: OperationError
  ErrorDetail: ErrorDetail
  RefMismatch: RefMismatch
  PathMismatch: PathMismatch
  LimitExceeded: LimitExceeded
  FieldViolation: FieldViolation
}
