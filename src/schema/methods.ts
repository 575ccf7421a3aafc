// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run
// `npm run generate`.
import { method } from './descriptor.ts'
import type { Messages } from './messages.ts'

/** Full name of the service, as it stands in paths and in gRPC. */
export const serviceName = 'blobwire.v1.VcsService'

/** Every RPC, by its name in lower camel case. */
export const methods = {
  /** Creates a repository. Creating one that exists with the same object format is success. */
  createRepository: method<Messages['CreateRepositoryRequest'], Messages['CreateRepositoryResponse']>(
    'CreateRepository'
  ),
  /** Tells what a repository is. */
  getRepository: method<Messages['GetRepositoryRequest'], Messages['GetRepositoryResponse']>('GetRepository', {
    readOnly: true
  }),
  /** Lists the repositories the caller may read, by name. */
  listRepositories: method<Messages['ListRepositoriesRequest'], Messages['ListRepositoriesResponse']>(
    'ListRepositories',
    { readOnly: true }
  ),
  /** Changes the default branch of a repository: HEAD names it from then on, whether it exists yet or not. */
  updateRepository: method<Messages['UpdateRepositoryRequest'], Messages['UpdateRepositoryResponse']>(
    'UpdateRepository'
  ),
  /** Deletes a repository with all its objects and refs. Deleting what is not there is success. */
  deleteRepository: method<Messages['DeleteRepositoryRequest'], Messages['DeleteRepositoryResponse']>(
    'DeleteRepository'
  ),
  /** Stores one blob of at most max_inline_bytes. */
  storeBlob: method<Messages['StoreBlobRequest'], Messages['StoreBlobResponse']>('StoreBlob'),
  /** Reads one blob of at most max_inline_bytes, by oid or by revision and path. */
  getBlob: method<Messages['GetBlobRequest'], Messages['GetBlobResponse']>('GetBlob', { readOnly: true }),
  /** Of the given oids, tells which the repository lacks. */
  findMissing: method<Messages['FindMissingRequest'], Messages['FindMissingResponse']>('FindMissing', {
    readOnly: true
  }),
  /** Stores a tree, with the subtrees its paths need. */
  storeTree: method<Messages['StoreTreeRequest'], Messages['StoreTreeResponse']>('StoreTree'),
  /** Lists a tree, or with `recursive` all trees and files below it. */
  getTree: method<Messages['GetTreeRequest'], Messages['GetTreeResponse']>('GetTree', { readOnly: true }),
  /** Stores a commit. Its tree and parents must be there. */
  storeCommit: method<Messages['StoreCommitRequest'], Messages['StoreCommitResponse']>('StoreCommit'),
  /** Reads one commit. */
  getCommit: method<Messages['GetCommitRequest'], Messages['GetCommitResponse']>('GetCommit', { readOnly: true }),
  /** Stores an object of any kind by its bytes, checked as `git fsck --strict` would. */
  storeObject: method<Messages['StoreObjectRequest'], Messages['StoreObjectResponse']>('StoreObject'),
  /** Reads an object of any kind, with its bytes as they are stored. */
  getObject: method<Messages['GetObjectRequest'], Messages['GetObjectResponse']>('GetObject', { readOnly: true }),
  /** Stores an annotated tag, and moves no ref. Its object must be there. */
  storeTag: method<Messages['StoreTagRequest'], Messages['StoreTagResponse']>('StoreTag'),
  /** Reads one annotated tag. */
  getTag: method<Messages['GetTagRequest'], Messages['GetTagResponse']>('GetTag', { readOnly: true }),
  /** Lists the commits reachable from a revision, newest first, as `git log` does. */
  listCommits: method<Messages['ListCommitsRequest'], Messages['ListCommitsResponse']>('ListCommits', {
    readOnly: true
  }),
  /** Changes files on a branch: one new commit and the moved ref, all or nothing. */
  commitFiles: method<Messages['CommitFilesRequest'], Messages['CommitFilesResponse']>('CommitFiles'),
  /** Lists refs by name. */
  listRefs: method<Messages['ListRefsRequest'], Messages['ListRefsResponse']>('ListRefs', { readOnly: true }),
  /** Moves refs by compare-and-swap, all of them or none. */
  updateRefs: method<Messages['UpdateRefsRequest'], Messages['UpdateRefsResponse']>('UpdateRefs'),
  /** Lists the paths that differ between two revisions. */
  compare: method<Messages['CompareRequest'], Messages['CompareResponse']>('Compare', { readOnly: true }),
  /** Does up to max_batch_operations operations of one repository, in order; one result each. */
  batchOperations: method<Messages['BatchOperationsRequest'], Messages['BatchOperationsResponse']>('BatchOperations'),
  /** Carries out one write under a key. The server remembers the key with the outcome, for request_key_seconds at least:
   * the same key with the same write has the first answer again, and changes nothing; with another write it is
   * refused, reason "request_key_reused". */
  apply: method<Messages['ApplyRequest'], Messages['ApplyResponse']>('Apply'),
  /** Carries batches one way and results the other on one long-lived stream. */
  session: method<Messages['SessionRequest'], Messages['SessionResponse']>('Session', { kind: 'bidi_streaming' }),
  /** Tells every move of a repository's refs, in order, from now or from a cursor on. The stream has no end of its own. */
  watchRefs: method<Messages['WatchRefsRequest'], Messages['WatchRefsResponse']>('WatchRefs', {
    kind: 'server_streaming'
  }),
  /** Stores a blob of any size, in chunks. After a cut the same upload goes on from the offset that QueryUpload tells. */
  uploadBlob: method<Messages['UploadBlobRequest'], Messages['UploadBlobResponse']>('UploadBlob', {
    kind: 'client_streaming'
  }),
  /** Reads a blob, or a range of it, in chunks. */
  downloadBlob: method<Messages['DownloadBlobRequest'], Messages['DownloadBlobResponse']>('DownloadBlob', {
    kind: 'server_streaming'
  }),
  /** Tells how many bytes of an upload the server holds. */
  queryUpload: method<Messages['QueryUploadRequest'], Messages['QueryUploadResponse']>('QueryUpload', {
    readOnly: true
  }),
  /** Ends an upload that is not complete, and frees its room. */
  cancelUpload: method<Messages['CancelUploadRequest'], Messages['CancelUploadResponse']>('CancelUpload'),
  /** Tells what the server can do, where its transports listen, and its limits. */
  getCapabilities: method<Messages['GetCapabilitiesRequest'], Messages['GetCapabilitiesResponse']>('GetCapabilities', {
    readOnly: true
  })
} as const
