// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run
// `npm run generate`.
import type { Field } from './descriptor.ts'
import type { Messages } from './messages.ts'

/** The fields of every message, as the codecs walk them. */
export const messageDescriptors: Readonly<Record<keyof Messages, readonly Field[]>> = {
  Repository: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'objectFormat', number: 2, kind: 'string' },
    { name: 'defaultBranch', number: 3, kind: 'string' }
  ],
  CreateRepositoryRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'objectFormat', number: 2, kind: 'string' },
    { name: 'defaultBranch', number: 3, kind: 'string' }
  ],
  CreateRepositoryResponse: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'objectFormat', number: 2, kind: 'string' },
    { name: 'defaultBranch', number: 3, kind: 'string' },
    { name: 'created', number: 4, kind: 'bool' }
  ],
  GetRepositoryRequest: [{ name: 'repository', number: 1, kind: 'string' }],
  GetRepositoryResponse: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'objectFormat', number: 2, kind: 'string' },
    { name: 'defaultBranch', number: 3, kind: 'string' }
  ],
  ListRepositoriesRequest: [
    { name: 'prefix', number: 1, kind: 'string' },
    { name: 'pageSize', number: 2, kind: 'uint32' },
    { name: 'pageToken', number: 3, kind: 'string' }
  ],
  ListRepositoriesResponse: [
    { name: 'repositories', number: 1, kind: 'message', type: 'Repository', repeated: true },
    { name: 'nextPageToken', number: 2, kind: 'string' }
  ],
  UpdateRepositoryRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'defaultBranch', number: 2, kind: 'string' }
  ],
  UpdateRepositoryResponse: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'objectFormat', number: 2, kind: 'string' },
    { name: 'defaultBranch', number: 3, kind: 'string' }
  ],
  DeleteRepositoryRequest: [{ name: 'repository', number: 1, kind: 'string' }],
  DeleteRepositoryResponse: [{ name: 'deleted', number: 1, kind: 'bool' }],
  StoreBlobRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'content', number: 2, kind: 'bytes' }
  ],
  StoreBlobResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'size', number: 2, kind: 'uint64' }
  ],
  GetBlobRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'oid', number: 2, kind: 'string' },
    { name: 'revision', number: 3, kind: 'string' },
    { name: 'path', number: 4, kind: 'string' },
    { name: 'rawPath', number: 5, kind: 'bytes' },
    { name: 'acceptDeflated', number: 6, kind: 'bool' }
  ],
  GetBlobResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'size', number: 2, kind: 'uint64' },
    { name: 'content', number: 3, kind: 'bytes' },
    { name: 'deflated', number: 4, kind: 'bytes', oneof: '_deflated' }
  ],
  FindMissingRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'oids', number: 2, kind: 'string', repeated: true }
  ],
  FindMissingResponse: [{ name: 'missing', number: 1, kind: 'string', repeated: true }],
  TreeEntry: [
    { name: 'path', number: 1, kind: 'string' },
    { name: 'mode', number: 2, kind: 'string' },
    { name: 'oid', number: 3, kind: 'string' },
    { name: 'rawPath', number: 4, kind: 'bytes' },
    { name: 'rawMode', number: 5, kind: 'string' }
  ],
  StoreTreeRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'entries', number: 2, kind: 'message', type: 'TreeEntry', repeated: true },
    { name: 'baseTree', number: 3, kind: 'string' }
  ],
  StoreTreeResponse: [{ name: 'oid', number: 1, kind: 'string' }],
  GetTreeRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'revision', number: 2, kind: 'string' },
    { name: 'path', number: 3, kind: 'string' },
    { name: 'recursive', number: 4, kind: 'bool' },
    { name: 'pageSize', number: 5, kind: 'uint32' },
    { name: 'pageToken', number: 6, kind: 'string' },
    { name: 'rawPath', number: 7, kind: 'bytes' }
  ],
  GetTreeResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'entries', number: 2, kind: 'message', type: 'TreeEntry', repeated: true },
    { name: 'nextPageToken', number: 3, kind: 'string' }
  ],
  Signature: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'email', number: 2, kind: 'string' },
    { name: 'timeSeconds', number: 3, kind: 'int64' },
    { name: 'zone', number: 4, kind: 'string' }
  ],
  Commit: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'tree', number: 2, kind: 'string' },
    { name: 'parents', number: 3, kind: 'string', repeated: true },
    { name: 'author', number: 4, kind: 'message', type: 'Signature' },
    { name: 'committer', number: 5, kind: 'message', type: 'Signature' },
    { name: 'message', number: 6, kind: 'string' },
    { name: 'raw', number: 7, kind: 'bytes' },
    { name: 'encoding', number: 8, kind: 'string' }
  ],
  StoreCommitRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'tree', number: 2, kind: 'string' },
    { name: 'parents', number: 3, kind: 'string', repeated: true },
    { name: 'author', number: 4, kind: 'message', type: 'Signature' },
    { name: 'committer', number: 5, kind: 'message', type: 'Signature' },
    { name: 'message', number: 6, kind: 'string' }
  ],
  StoreCommitResponse: [{ name: 'oid', number: 1, kind: 'string' }],
  GetCommitRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'revision', number: 2, kind: 'string' }
  ],
  GetCommitResponse: [{ name: 'commit', number: 1, kind: 'message', type: 'Commit' }],
  ListCommitsRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'revision', number: 2, kind: 'string' },
    { name: 'path', number: 3, kind: 'string' },
    { name: 'pageSize', number: 4, kind: 'uint32' },
    { name: 'pageToken', number: 5, kind: 'string' },
    { name: 'rawPath', number: 6, kind: 'bytes' }
  ],
  ListCommitsResponse: [
    { name: 'commits', number: 1, kind: 'message', type: 'Commit', repeated: true },
    { name: 'nextPageToken', number: 2, kind: 'string' }
  ],
  ObjectWarning: [
    { name: 'id', number: 1, kind: 'string' },
    { name: 'message', number: 2, kind: 'string' }
  ],
  StoreObjectRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'kind', number: 2, kind: 'string' },
    { name: 'content', number: 3, kind: 'bytes' },
    { name: 'check', number: 4, kind: 'string' }
  ],
  StoreObjectResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'size', number: 2, kind: 'uint64' },
    { name: 'warnings', number: 3, kind: 'message', type: 'ObjectWarning', repeated: true }
  ],
  GetObjectRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'oid', number: 2, kind: 'string' },
    { name: 'revision', number: 3, kind: 'string' },
    { name: 'path', number: 4, kind: 'string' },
    { name: 'rawPath', number: 5, kind: 'bytes' }
  ],
  GetObjectResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'kind', number: 2, kind: 'string' },
    { name: 'size', number: 3, kind: 'uint64' },
    { name: 'content', number: 4, kind: 'bytes' }
  ],
  Tag: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'object', number: 2, kind: 'string' },
    { name: 'kind', number: 3, kind: 'string' },
    { name: 'name', number: 4, kind: 'string' },
    { name: 'tagger', number: 5, kind: 'message', type: 'Signature' },
    { name: 'message', number: 6, kind: 'string' },
    { name: 'raw', number: 7, kind: 'bytes' }
  ],
  StoreTagRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'object', number: 2, kind: 'string' },
    { name: 'kind', number: 3, kind: 'string' },
    { name: 'name', number: 4, kind: 'string' },
    { name: 'tagger', number: 5, kind: 'message', type: 'Signature' },
    { name: 'message', number: 6, kind: 'string' }
  ],
  StoreTagResponse: [{ name: 'oid', number: 1, kind: 'string' }],
  GetTagRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'revision', number: 2, kind: 'string' }
  ],
  GetTagResponse: [{ name: 'tag', number: 1, kind: 'message', type: 'Tag' }],
  FileChange: [
    { name: 'path', number: 1, kind: 'string' },
    { name: 'mode', number: 2, kind: 'string' },
    { name: 'content', number: 3, kind: 'bytes', oneof: 'change' },
    { name: 'oid', number: 4, kind: 'string', oneof: 'change' },
    { name: 'delete', number: 5, kind: 'bool', oneof: 'change' },
    { name: 'moveFrom', number: 6, kind: 'string', oneof: 'change' },
    { name: 'guarded', number: 7, kind: 'message', type: 'GuardedChange', oneof: 'change' },
    { name: 'guard', number: 8, kind: 'string', oneof: 'change' },
    { name: 'rawMoveFrom', number: 10, kind: 'bytes', oneof: 'change' },
    { name: 'rawPath', number: 9, kind: 'bytes' }
  ],
  GuardedChange: [
    { name: 'expectedOid', number: 1, kind: 'string' },
    { name: 'content', number: 2, kind: 'bytes', oneof: 'change' },
    { name: 'oid', number: 3, kind: 'string', oneof: 'change' },
    { name: 'delete', number: 4, kind: 'bool', oneof: 'change' },
    { name: 'moveFrom', number: 5, kind: 'string', oneof: 'change' },
    { name: 'rawMoveFrom', number: 6, kind: 'bytes', oneof: 'change' }
  ],
  NewSignature: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'email', number: 2, kind: 'string' },
    { name: 'timeSeconds', number: 3, kind: 'int64', oneof: '_timeSeconds' },
    { name: 'zone', number: 4, kind: 'string' }
  ],
  CommitFilesRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'branch', number: 2, kind: 'string' },
    { name: 'expectedHead', number: 3, kind: 'string' },
    { name: 'changes', number: 4, kind: 'message', type: 'FileChange', repeated: true },
    { name: 'author', number: 5, kind: 'message', type: 'NewSignature' },
    { name: 'committer', number: 6, kind: 'message', type: 'NewSignature' },
    { name: 'message', number: 7, kind: 'string' },
    { name: 'baseTree', number: 8, kind: 'string' },
    { name: 'inputDigest', number: 9, kind: 'string' },
    { name: 'prepare', number: 10, kind: 'bool' },
    { name: 'commitObject', number: 11, kind: 'bytes' }
  ],
  CommitFilesResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'tree', number: 2, kind: 'string' },
    { name: 'parents', number: 3, kind: 'string', repeated: true },
    { name: 'ref', number: 4, kind: 'string' },
    { name: 'result', number: 5, kind: 'string' },
    { name: 'timeSeconds', number: 6, kind: 'int64' }
  ],
  Ref: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'oid', number: 2, kind: 'string' },
    { name: 'rawName', number: 3, kind: 'bytes', oneof: '_rawName' }
  ],
  ListRefsRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'prefix', number: 2, kind: 'string' },
    { name: 'pageSize', number: 3, kind: 'uint32' },
    { name: 'pageToken', number: 4, kind: 'string' }
  ],
  ListRefsResponse: [
    { name: 'refs', number: 1, kind: 'message', type: 'Ref', repeated: true },
    { name: 'nextPageToken', number: 2, kind: 'string' }
  ],
  RefUpdate: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'expectedOid', number: 2, kind: 'string' },
    { name: 'newOid', number: 3, kind: 'string' },
    { name: 'rawName', number: 4, kind: 'bytes', oneof: '_rawName' }
  ],
  UpdateRefsRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'updates', number: 2, kind: 'message', type: 'RefUpdate', repeated: true }
  ],
  UpdateRefsResponse: [
    { name: 'refs', number: 1, kind: 'message', type: 'Ref', repeated: true },
    { name: 'results', number: 2, kind: 'string', repeated: true }
  ],
  CompareRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'base', number: 2, kind: 'string' },
    { name: 'head', number: 3, kind: 'string' },
    { name: 'pageSize', number: 4, kind: 'uint32' },
    { name: 'pageToken', number: 5, kind: 'string' }
  ],
  PathChange: [
    { name: 'path', number: 1, kind: 'string' },
    { name: 'status', number: 2, kind: 'string' },
    { name: 'oldMode', number: 3, kind: 'string' },
    { name: 'oldOid', number: 4, kind: 'string' },
    { name: 'newMode', number: 5, kind: 'string' },
    { name: 'newOid', number: 6, kind: 'string' },
    { name: 'rawPath', number: 7, kind: 'bytes' }
  ],
  CompareResponse: [
    { name: 'changes', number: 1, kind: 'message', type: 'PathChange', repeated: true },
    { name: 'nextPageToken', number: 2, kind: 'string' }
  ],
  Operation: [
    { name: 'storeBlob', number: 1, kind: 'message', type: 'StoreBlobRequest', oneof: 'operation' },
    { name: 'getBlob', number: 2, kind: 'message', type: 'GetBlobRequest', oneof: 'operation' },
    { name: 'findMissing', number: 3, kind: 'message', type: 'FindMissingRequest', oneof: 'operation' },
    { name: 'storeTree', number: 4, kind: 'message', type: 'StoreTreeRequest', oneof: 'operation' },
    { name: 'getTree', number: 5, kind: 'message', type: 'GetTreeRequest', oneof: 'operation' },
    { name: 'storeCommit', number: 6, kind: 'message', type: 'StoreCommitRequest', oneof: 'operation' },
    { name: 'getCommit', number: 7, kind: 'message', type: 'GetCommitRequest', oneof: 'operation' },
    { name: 'listCommits', number: 8, kind: 'message', type: 'ListCommitsRequest', oneof: 'operation' },
    { name: 'commitFiles', number: 9, kind: 'message', type: 'CommitFilesRequest', oneof: 'operation' },
    { name: 'listRefs', number: 10, kind: 'message', type: 'ListRefsRequest', oneof: 'operation' },
    { name: 'updateRefs', number: 11, kind: 'message', type: 'UpdateRefsRequest', oneof: 'operation' },
    { name: 'compare', number: 12, kind: 'message', type: 'CompareRequest', oneof: 'operation' },
    { name: 'getRepository', number: 13, kind: 'message', type: 'GetRepositoryRequest', oneof: 'operation' },
    { name: 'apply', number: 14, kind: 'message', type: 'KeyedOperation', oneof: 'operation' },
    { name: 'storeObject', number: 15, kind: 'message', type: 'StoreObjectRequest', oneof: 'operation' },
    { name: 'getObject', number: 16, kind: 'message', type: 'GetObjectRequest', oneof: 'operation' },
    { name: 'storeTag', number: 17, kind: 'message', type: 'StoreTagRequest', oneof: 'operation' },
    { name: 'getTag', number: 18, kind: 'message', type: 'GetTagRequest', oneof: 'operation' }
  ],
  KeyedOperation: [
    { name: 'requestKey', number: 1, kind: 'string' },
    { name: 'timeoutMs', number: 2, kind: 'uint32' },
    { name: 'commitFiles', number: 3, kind: 'message', type: 'CommitFilesRequest', oneof: 'operation' },
    { name: 'updateRefs', number: 4, kind: 'message', type: 'UpdateRefsRequest', oneof: 'operation' }
  ],
  KeyedResult: [
    { name: 'commitFiles', number: 3, kind: 'message', type: 'CommitFilesResponse', oneof: 'result' },
    { name: 'updateRefs', number: 4, kind: 'message', type: 'UpdateRefsResponse', oneof: 'result' }
  ],
  OperationResult: [
    { name: 'storeBlob', number: 1, kind: 'message', type: 'StoreBlobResponse', oneof: 'result' },
    { name: 'getBlob', number: 2, kind: 'message', type: 'GetBlobResponse', oneof: 'result' },
    { name: 'findMissing', number: 3, kind: 'message', type: 'FindMissingResponse', oneof: 'result' },
    { name: 'storeTree', number: 4, kind: 'message', type: 'StoreTreeResponse', oneof: 'result' },
    { name: 'getTree', number: 5, kind: 'message', type: 'GetTreeResponse', oneof: 'result' },
    { name: 'storeCommit', number: 6, kind: 'message', type: 'StoreCommitResponse', oneof: 'result' },
    { name: 'getCommit', number: 7, kind: 'message', type: 'GetCommitResponse', oneof: 'result' },
    { name: 'listCommits', number: 8, kind: 'message', type: 'ListCommitsResponse', oneof: 'result' },
    { name: 'commitFiles', number: 9, kind: 'message', type: 'CommitFilesResponse', oneof: 'result' },
    { name: 'listRefs', number: 10, kind: 'message', type: 'ListRefsResponse', oneof: 'result' },
    { name: 'updateRefs', number: 11, kind: 'message', type: 'UpdateRefsResponse', oneof: 'result' },
    { name: 'compare', number: 12, kind: 'message', type: 'CompareResponse', oneof: 'result' },
    { name: 'getRepository', number: 13, kind: 'message', type: 'GetRepositoryResponse', oneof: 'result' },
    { name: 'apply', number: 14, kind: 'message', type: 'KeyedResult', oneof: 'result' },
    { name: 'storeObject', number: 15, kind: 'message', type: 'StoreObjectResponse', oneof: 'result' },
    { name: 'getObject', number: 16, kind: 'message', type: 'GetObjectResponse', oneof: 'result' },
    { name: 'storeTag', number: 17, kind: 'message', type: 'StoreTagResponse', oneof: 'result' },
    { name: 'getTag', number: 18, kind: 'message', type: 'GetTagResponse', oneof: 'result' },
    { name: 'error', number: 100, kind: 'message', type: 'OperationError', oneof: 'result' }
  ],
  BatchOperationsRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'operations', number: 2, kind: 'message', type: 'Operation', repeated: true },
    { name: 'atomic', number: 3, kind: 'bool' }
  ],
  BatchOperationsResponse: [{ name: 'results', number: 1, kind: 'message', type: 'OperationResult', repeated: true }],
  ApplyRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'requestKey', number: 2, kind: 'string' },
    { name: 'commitFiles', number: 3, kind: 'message', type: 'CommitFilesRequest', oneof: 'write' },
    { name: 'updateRefs', number: 4, kind: 'message', type: 'UpdateRefsRequest', oneof: 'write' },
    { name: 'createRepository', number: 5, kind: 'message', type: 'CreateRepositoryRequest', oneof: 'write' },
    { name: 'deleteRepository', number: 6, kind: 'message', type: 'DeleteRepositoryRequest', oneof: 'write' },
    { name: 'batch', number: 7, kind: 'message', type: 'BatchOperationsRequest', oneof: 'write' },
    { name: 'updateRepository', number: 8, kind: 'message', type: 'UpdateRepositoryRequest', oneof: 'write' }
  ],
  ApplyResponse: [
    { name: 'commitFiles', number: 3, kind: 'message', type: 'CommitFilesResponse', oneof: 'result' },
    { name: 'updateRefs', number: 4, kind: 'message', type: 'UpdateRefsResponse', oneof: 'result' },
    { name: 'createRepository', number: 5, kind: 'message', type: 'CreateRepositoryResponse', oneof: 'result' },
    { name: 'deleteRepository', number: 6, kind: 'message', type: 'DeleteRepositoryResponse', oneof: 'result' },
    { name: 'batch', number: 7, kind: 'message', type: 'BatchOperationsResponse', oneof: 'result' },
    { name: 'updateRepository', number: 8, kind: 'message', type: 'UpdateRepositoryResponse', oneof: 'result' }
  ],
  WatchRefsRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'prefix', number: 2, kind: 'string' },
    { name: 'cursor', number: 3, kind: 'string' },
    { name: 'snapshot', number: 4, kind: 'bool' }
  ],
  WatchRefsResponse: [
    { name: 'cursor', number: 1, kind: 'string' },
    { name: 'events', number: 2, kind: 'message', type: 'RefEvent', repeated: true },
    { name: 'page', number: 3, kind: 'message', type: 'RefPage' },
    { name: 'gap', number: 4, kind: 'bool' }
  ],
  RefEvent: [
    { name: 'requestId', number: 1, kind: 'string' },
    { name: 'timeMs', number: 2, kind: 'int64' },
    { name: 'moves', number: 3, kind: 'message', type: 'MovedRef', repeated: true },
    { name: 'cursor', number: 4, kind: 'string' }
  ],
  MovedRef: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'oldOid', number: 2, kind: 'string' },
    { name: 'newOid', number: 3, kind: 'string' },
    { name: 'rawName', number: 4, kind: 'bytes', oneof: '_rawName' }
  ],
  RefPage: [
    { name: 'refs', number: 1, kind: 'message', type: 'Ref', repeated: true },
    { name: 'last', number: 2, kind: 'bool' }
  ],
  SessionBatch: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'firstId', number: 2, kind: 'uint64' },
    { name: 'operations', number: 3, kind: 'message', type: 'Operation', repeated: true },
    { name: 'headerLists', number: 4, kind: 'uint32', repeated: true }
  ],
  Header: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'value', number: 2, kind: 'string' }
  ],
  HeaderList: [{ name: 'headers', number: 1, kind: 'message', type: 'Header', repeated: true }],
  SessionBatches: [
    { name: 'headerLists', number: 1, kind: 'message', type: 'HeaderList', repeated: true },
    { name: 'batches', number: 2, kind: 'message', type: 'SessionBatch', repeated: true }
  ],
  SessionCancel: [{ name: 'ids', number: 1, kind: 'uint64', repeated: true }],
  SessionRequest: [
    { name: 'batch', number: 1, kind: 'message', type: 'SessionBatch', oneof: 'frame' },
    { name: 'cancel', number: 2, kind: 'message', type: 'SessionCancel', oneof: 'frame' },
    { name: 'batches', number: 3, kind: 'message', type: 'SessionBatches', oneof: 'frame' },
    { name: 'watch', number: 4, kind: 'message', type: 'SessionWatch', oneof: 'frame' }
  ],
  SessionWatch: [
    { name: 'id', number: 1, kind: 'uint64' },
    { name: 'request', number: 2, kind: 'message', type: 'WatchRefsRequest' }
  ],
  SessionUpdate: [
    { name: 'ids', number: 1, kind: 'uint64', repeated: true },
    { name: 'update', number: 2, kind: 'message', type: 'WatchRefsResponse' },
    { name: 'error', number: 3, kind: 'message', type: 'OperationError' }
  ],
  SessionResult: [
    { name: 'id', number: 1, kind: 'uint64' },
    { name: 'result', number: 2, kind: 'message', type: 'OperationResult' }
  ],
  SessionResponse: [
    { name: 'results', number: 1, kind: 'message', type: 'SessionResult', repeated: true },
    { name: 'updates', number: 2, kind: 'message', type: 'SessionUpdate', repeated: true }
  ],
  UploadBlobRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'uploadId', number: 2, kind: 'string' },
    { name: 'size', number: 3, kind: 'uint64', oneof: '_size' },
    { name: 'offset', number: 4, kind: 'uint64' },
    { name: 'chunk', number: 5, kind: 'bytes' },
    { name: 'complete', number: 6, kind: 'bool' },
    { name: 'oid', number: 7, kind: 'string' },
    { name: 'sha256', number: 8, kind: 'bytes' }
  ],
  UploadBlobResponse: [
    { name: 'oid', number: 1, kind: 'string' },
    { name: 'size', number: 2, kind: 'uint64' },
    { name: 'offset', number: 3, kind: 'uint64' },
    { name: 'complete', number: 4, kind: 'bool' }
  ],
  DownloadBlobRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'oid', number: 2, kind: 'string' },
    { name: 'offset', number: 3, kind: 'uint64' },
    { name: 'length', number: 4, kind: 'uint64' },
    { name: 'revision', number: 5, kind: 'string' },
    { name: 'path', number: 6, kind: 'string' },
    { name: 'rawPath', number: 7, kind: 'bytes' },
    { name: 'digestFrom', number: 8, kind: 'uint64', oneof: '_digestFrom' }
  ],
  DownloadBlobResponse: [
    { name: 'offset', number: 1, kind: 'uint64' },
    { name: 'size', number: 2, kind: 'uint64' },
    { name: 'chunk', number: 3, kind: 'bytes' },
    { name: 'oid', number: 4, kind: 'string' },
    { name: 'sha256', number: 5, kind: 'bytes' }
  ],
  QueryUploadRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'uploadId', number: 2, kind: 'string' }
  ],
  QueryUploadResponse: [
    { name: 'offset', number: 1, kind: 'uint64' },
    { name: 'complete', number: 2, kind: 'bool' },
    { name: 'oid', number: 3, kind: 'string' },
    { name: 'size', number: 4, kind: 'uint64', oneof: '_size' }
  ],
  CancelUploadRequest: [
    { name: 'repository', number: 1, kind: 'string' },
    { name: 'uploadId', number: 2, kind: 'string' }
  ],
  CancelUploadResponse: [{ name: 'cancelled', number: 1, kind: 'bool' }],
  GetCapabilitiesRequest: [],
  TransportEndpoint: [
    { name: 'transport', number: 1, kind: 'string' },
    { name: 'url', number: 2, kind: 'string' }
  ],
  Limits: [
    { name: 'maxInlineBytes', number: 1, kind: 'uint64' },
    { name: 'maxBatchOperations', number: 2, kind: 'uint32' },
    { name: 'maxBatchBytes', number: 3, kind: 'uint64' },
    { name: 'chunkBytes', number: 4, kind: 'uint64' },
    { name: 'maxBlobBytes', number: 5, kind: 'uint64' },
    { name: 'maxInFlightBytes', number: 6, kind: 'uint64' },
    { name: 'maxConnectionInFlightBytes', number: 7, kind: 'uint64' },
    { name: 'maxUploadBytes', number: 8, kind: 'uint64' },
    { name: 'uploadIdleSeconds', number: 9, kind: 'uint32' }
  ],
  GetCapabilitiesResponse: [
    { name: 'serverVersion', number: 1, kind: 'string' },
    { name: 'transports', number: 2, kind: 'message', type: 'TransportEndpoint', repeated: true },
    { name: 'limits', number: 3, kind: 'message', type: 'Limits' },
    { name: 'codecs', number: 4, kind: 'string', repeated: true },
    { name: 'compressors', number: 5, kind: 'string', repeated: true },
    { name: 'objectFormats', number: 6, kind: 'string', repeated: true },
    { name: 'atomic', number: 7, kind: 'bool' },
    { name: 'resume', number: 8, kind: 'bool' },
    { name: 'session', number: 9, kind: 'bool' },
    { name: 'requestKeySeconds', number: 10, kind: 'uint32' },
    { name: 'watch', number: 11, kind: 'bool' }
  ],
  OperationError: [
    { name: 'code', number: 1, kind: 'string' },
    { name: 'message', number: 2, kind: 'string' },
    { name: 'detail', number: 3, kind: 'message', type: 'ErrorDetail' }
  ],
  ErrorDetail: [
    { name: 'reason', number: 1, kind: 'string' },
    { name: 'retryable', number: 2, kind: 'bool' },
    { name: 'requestId', number: 3, kind: 'string' },
    { name: 'refMismatches', number: 4, kind: 'message', type: 'RefMismatch', repeated: true },
    { name: 'limit', number: 5, kind: 'message', type: 'LimitExceeded' },
    { name: 'violations', number: 6, kind: 'message', type: 'FieldViolation', repeated: true },
    { name: 'missingOids', number: 7, kind: 'string', repeated: true },
    { name: 'retryAfterMs', number: 8, kind: 'uint32' },
    { name: 'pathMismatches', number: 9, kind: 'message', type: 'PathMismatch', repeated: true }
  ],
  RefMismatch: [
    { name: 'name', number: 1, kind: 'string' },
    { name: 'expectedOid', number: 2, kind: 'string' },
    { name: 'foundOid', number: 3, kind: 'string' }
  ],
  PathMismatch: [
    { name: 'path', number: 1, kind: 'string' },
    { name: 'expectedOid', number: 2, kind: 'string' },
    { name: 'foundOid', number: 3, kind: 'string' },
    { name: 'rawPath', number: 4, kind: 'bytes' }
  ],
  LimitExceeded: [
    { name: 'limit', number: 1, kind: 'string' },
    { name: 'maximum', number: 2, kind: 'uint64' },
    { name: 'actual', number: 3, kind: 'uint64' },
    { name: 'oid', number: 4, kind: 'string', oneof: '_oid' }
  ],
  FieldViolation: [
    { name: 'field', number: 1, kind: 'string' },
    { name: 'description', number: 2, kind: 'string' }
  ]
}

/** google.rpc.Status, with the details of an error in gRPC. */
export const statusDescriptors: Readonly<Record<'Status' | 'Any', readonly Field<'Any'>[]>> = {
  Status: [
    { name: 'code', number: 1, kind: 'int32' },
    { name: 'message', number: 2, kind: 'string' },
    { name: 'details', number: 3, kind: 'message', type: 'Any', repeated: true }
  ],
  Any: [
    { name: 'typeUrl', number: 1, kind: 'string' },
    { name: 'value', number: 2, kind: 'bytes' }
  ]
}
