// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run
// `npm run generate`.
import { method } from './descriptor.ts'
import type { Messages } from './messages.ts'

/** Full name of the service, as it stands in paths and in gRPC. */
export const serviceName = 'blobwire.v1.VcsService'

/** Every RPC, by its name in lower camel case. */
export const methods = {
  /** Creates a repository. Creating one that exists with the same object format is success. */
  createRepository: method<Messages['CreateRepositoryRequest'], Messages['CreateRepositoryResponse']>({
    name: 'CreateRepository',
    request: 'CreateRepositoryRequest',
    response: 'CreateRepositoryResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Tells what a repository is. */
  getRepository: method<Messages['GetRepositoryRequest'], Messages['GetRepositoryResponse']>({
    name: 'GetRepository',
    request: 'GetRepositoryRequest',
    response: 'GetRepositoryResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Lists the repositories the caller may read, by name. */
  listRepositories: method<Messages['ListRepositoriesRequest'], Messages['ListRepositoriesResponse']>({
    name: 'ListRepositories',
    request: 'ListRepositoriesRequest',
    response: 'ListRepositoriesResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Changes the default branch of a repository: HEAD names it from then on, whether it exists yet or not. */
  updateRepository: method<Messages['UpdateRepositoryRequest'], Messages['UpdateRepositoryResponse']>({
    name: 'UpdateRepository',
    request: 'UpdateRepositoryRequest',
    response: 'UpdateRepositoryResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Deletes a repository with all its objects and refs. Deleting what is not there is success. */
  deleteRepository: method<Messages['DeleteRepositoryRequest'], Messages['DeleteRepositoryResponse']>({
    name: 'DeleteRepository',
    request: 'DeleteRepositoryRequest',
    response: 'DeleteRepositoryResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Stores one blob of at most max_inline_bytes. */
  storeBlob: method<Messages['StoreBlobRequest'], Messages['StoreBlobResponse']>({
    name: 'StoreBlob',
    request: 'StoreBlobRequest',
    response: 'StoreBlobResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Reads one blob of at most max_inline_bytes, by oid or by revision and path. */
  getBlob: method<Messages['GetBlobRequest'], Messages['GetBlobResponse']>({
    name: 'GetBlob',
    request: 'GetBlobRequest',
    response: 'GetBlobResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Of the given oids, tells which the repository lacks. */
  findMissing: method<Messages['FindMissingRequest'], Messages['FindMissingResponse']>({
    name: 'FindMissing',
    request: 'FindMissingRequest',
    response: 'FindMissingResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Stores a tree, with the subtrees its paths need. */
  storeTree: method<Messages['StoreTreeRequest'], Messages['StoreTreeResponse']>({
    name: 'StoreTree',
    request: 'StoreTreeRequest',
    response: 'StoreTreeResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Lists a tree, or with `recursive` all trees and files below it. */
  getTree: method<Messages['GetTreeRequest'], Messages['GetTreeResponse']>({
    name: 'GetTree',
    request: 'GetTreeRequest',
    response: 'GetTreeResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Stores a commit. Its tree and parents must be there. */
  storeCommit: method<Messages['StoreCommitRequest'], Messages['StoreCommitResponse']>({
    name: 'StoreCommit',
    request: 'StoreCommitRequest',
    response: 'StoreCommitResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Reads one commit. */
  getCommit: method<Messages['GetCommitRequest'], Messages['GetCommitResponse']>({
    name: 'GetCommit',
    request: 'GetCommitRequest',
    response: 'GetCommitResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Stores an object of any kind by its bytes, checked as `git fsck --strict` would. */
  storeObject: method<Messages['StoreObjectRequest'], Messages['StoreObjectResponse']>({
    name: 'StoreObject',
    request: 'StoreObjectRequest',
    response: 'StoreObjectResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Reads an object of any kind, with its bytes as they are stored. */
  getObject: method<Messages['GetObjectRequest'], Messages['GetObjectResponse']>({
    name: 'GetObject',
    request: 'GetObjectRequest',
    response: 'GetObjectResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Stores an annotated tag, and moves no ref. Its object must be there. */
  storeTag: method<Messages['StoreTagRequest'], Messages['StoreTagResponse']>({
    name: 'StoreTag',
    request: 'StoreTagRequest',
    response: 'StoreTagResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Reads one annotated tag. */
  getTag: method<Messages['GetTagRequest'], Messages['GetTagResponse']>({
    name: 'GetTag',
    request: 'GetTagRequest',
    response: 'GetTagResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Lists the commits reachable from a revision, newest first, as `git log` does. */
  listCommits: method<Messages['ListCommitsRequest'], Messages['ListCommitsResponse']>({
    name: 'ListCommits',
    request: 'ListCommitsRequest',
    response: 'ListCommitsResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Changes files on a branch: one new commit and the moved ref, all or nothing. */
  commitFiles: method<Messages['CommitFilesRequest'], Messages['CommitFilesResponse']>({
    name: 'CommitFiles',
    request: 'CommitFilesRequest',
    response: 'CommitFilesResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Lists refs by name. */
  listRefs: method<Messages['ListRefsRequest'], Messages['ListRefsResponse']>({
    name: 'ListRefs',
    request: 'ListRefsRequest',
    response: 'ListRefsResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Moves refs by compare-and-swap, all of them or none. */
  updateRefs: method<Messages['UpdateRefsRequest'], Messages['UpdateRefsResponse']>({
    name: 'UpdateRefs',
    request: 'UpdateRefsRequest',
    response: 'UpdateRefsResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Lists the paths that differ between two revisions. */
  compare: method<Messages['CompareRequest'], Messages['CompareResponse']>({
    name: 'Compare',
    request: 'CompareRequest',
    response: 'CompareResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Does up to max_batch_operations operations of one repository, in order; one result each. */
  batchOperations: method<Messages['BatchOperationsRequest'], Messages['BatchOperationsResponse']>({
    name: 'BatchOperations',
    request: 'BatchOperationsRequest',
    response: 'BatchOperationsResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Carries out one write under a key. The server remembers the key with the outcome, for request_key_seconds at least:
   * the same key with the same write has the first answer again, and changes nothing; with another write it is
   * refused, reason "request_key_reused". */
  apply: method<Messages['ApplyRequest'], Messages['ApplyResponse']>({
    name: 'Apply',
    request: 'ApplyRequest',
    response: 'ApplyResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Carries batches one way and results the other on one long-lived stream. */
  session: method<Messages['SessionRequest'], Messages['SessionResponse']>({
    name: 'Session',
    request: 'SessionRequest',
    response: 'SessionResponse',
    kind: 'bidi_streaming',
    readOnly: false
  }),
  /** Tells every move of a repository's refs, in order, from now or from a cursor on. The stream has no end of its own. */
  watchRefs: method<Messages['WatchRefsRequest'], Messages['WatchRefsResponse']>({
    name: 'WatchRefs',
    request: 'WatchRefsRequest',
    response: 'WatchRefsResponse',
    kind: 'server_streaming',
    readOnly: false
  }),
  /** Stores a blob of any size, in chunks. After a cut the same upload goes on from the offset that QueryUpload tells. */
  uploadBlob: method<Messages['UploadBlobRequest'], Messages['UploadBlobResponse']>({
    name: 'UploadBlob',
    request: 'UploadBlobRequest',
    response: 'UploadBlobResponse',
    kind: 'client_streaming',
    readOnly: false
  }),
  /** Reads a blob, or a range of it, in chunks. */
  downloadBlob: method<Messages['DownloadBlobRequest'], Messages['DownloadBlobResponse']>({
    name: 'DownloadBlob',
    request: 'DownloadBlobRequest',
    response: 'DownloadBlobResponse',
    kind: 'server_streaming',
    readOnly: false
  }),
  /** Tells how many bytes of an upload the server holds. */
  queryUpload: method<Messages['QueryUploadRequest'], Messages['QueryUploadResponse']>({
    name: 'QueryUpload',
    request: 'QueryUploadRequest',
    response: 'QueryUploadResponse',
    kind: 'unary',
    readOnly: true
  }),
  /** Ends an upload that is not complete, and frees its room. */
  cancelUpload: method<Messages['CancelUploadRequest'], Messages['CancelUploadResponse']>({
    name: 'CancelUpload',
    request: 'CancelUploadRequest',
    response: 'CancelUploadResponse',
    kind: 'unary',
    readOnly: false
  }),
  /** Tells what the server can do, where its transports listen, and its limits. */
  getCapabilities: method<Messages['GetCapabilitiesRequest'], Messages['GetCapabilitiesResponse']>({
    name: 'GetCapabilities',
    request: 'GetCapabilitiesRequest',
    response: 'GetCapabilitiesResponse',
    kind: 'unary',
    readOnly: true
  })
} as const
