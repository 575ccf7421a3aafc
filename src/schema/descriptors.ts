// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run
// `npm run generate`.
import type { Field } from './descriptor.ts'
import type { Messages } from './messages.ts'

/** The fields of every message, as the codecs walk them. */
export const messageDescriptors: Readonly<Record<keyof Messages, readonly Field[]>> = {
  Repository: [
    { name: 'repository', kind: 'string' },
    { name: 'objectFormat', kind: 'string' },
    { name: 'defaultBranch', kind: 'string' }
  ],
  CreateRepositoryRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'objectFormat', kind: 'string' }
  ],
  CreateRepositoryResponse: [
    { name: 'repository', kind: 'string' },
    { name: 'objectFormat', kind: 'string' },
    { name: 'defaultBranch', kind: 'string' },
    { name: 'created', kind: 'bool' }
  ],
  GetRepositoryRequest: [{ name: 'repository', kind: 'string' }],
  GetRepositoryResponse: [
    { name: 'repository', kind: 'string' },
    { name: 'objectFormat', kind: 'string' },
    { name: 'defaultBranch', kind: 'string' }
  ],
  ListRepositoriesRequest: [
    { name: 'prefix', kind: 'string' },
    { name: 'pageSize', kind: 'uint32' },
    { name: 'pageToken', kind: 'string' }
  ],
  ListRepositoriesResponse: [
    { name: 'repositories', kind: 'message', type: 'Repository', repeated: true },
    { name: 'nextPageToken', kind: 'string' }
  ],
  DeleteRepositoryRequest: [{ name: 'repository', kind: 'string' }],
  DeleteRepositoryResponse: [{ name: 'deleted', kind: 'bool' }],
  StoreBlobRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'content', kind: 'bytes' }
  ],
  StoreBlobResponse: [
    { name: 'oid', kind: 'string' },
    { name: 'size', kind: 'uint64' }
  ],
  GetBlobRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'oid', kind: 'string' },
    { name: 'revision', kind: 'string' },
    { name: 'path', kind: 'string' }
  ],
  GetBlobResponse: [
    { name: 'oid', kind: 'string' },
    { name: 'size', kind: 'uint64' },
    { name: 'content', kind: 'bytes' }
  ],
  FindMissingRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'oids', kind: 'string', repeated: true }
  ],
  FindMissingResponse: [{ name: 'missing', kind: 'string', repeated: true }],
  TreeEntry: [
    { name: 'path', kind: 'string' },
    { name: 'mode', kind: 'string' },
    { name: 'oid', kind: 'string' },
    { name: 'rawPath', kind: 'bytes' }
  ],
  StoreTreeRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'entries', kind: 'message', type: 'TreeEntry', repeated: true },
    { name: 'baseTree', kind: 'string' }
  ],
  StoreTreeResponse: [{ name: 'oid', kind: 'string' }],
  GetTreeRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'revision', kind: 'string' },
    { name: 'path', kind: 'string' },
    { name: 'recursive', kind: 'bool' },
    { name: 'pageSize', kind: 'uint32' },
    { name: 'pageToken', kind: 'string' }
  ],
  GetTreeResponse: [
    { name: 'oid', kind: 'string' },
    { name: 'entries', kind: 'message', type: 'TreeEntry', repeated: true },
    { name: 'nextPageToken', kind: 'string' }
  ],
  Signature: [
    { name: 'name', kind: 'string' },
    { name: 'email', kind: 'string' },
    { name: 'timeSeconds', kind: 'int64' },
    { name: 'zone', kind: 'string' }
  ],
  Commit: [
    { name: 'oid', kind: 'string' },
    { name: 'tree', kind: 'string' },
    { name: 'parents', kind: 'string', repeated: true },
    { name: 'author', kind: 'message', type: 'Signature' },
    { name: 'committer', kind: 'message', type: 'Signature' },
    { name: 'message', kind: 'string' },
    { name: 'raw', kind: 'bytes' }
  ],
  StoreCommitRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'tree', kind: 'string' },
    { name: 'parents', kind: 'string', repeated: true },
    { name: 'author', kind: 'message', type: 'Signature' },
    { name: 'committer', kind: 'message', type: 'Signature' },
    { name: 'message', kind: 'string' }
  ],
  StoreCommitResponse: [{ name: 'oid', kind: 'string' }],
  GetCommitRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'revision', kind: 'string' }
  ],
  GetCommitResponse: [{ name: 'commit', kind: 'message', type: 'Commit' }],
  ListCommitsRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'revision', kind: 'string' },
    { name: 'path', kind: 'string' },
    { name: 'pageSize', kind: 'uint32' },
    { name: 'pageToken', kind: 'string' }
  ],
  ListCommitsResponse: [
    { name: 'commits', kind: 'message', type: 'Commit', repeated: true },
    { name: 'nextPageToken', kind: 'string' }
  ],
  FileChange: [
    { name: 'path', kind: 'string' },
    { name: 'mode', kind: 'string' },
    { name: 'content', kind: 'bytes', oneof: 'change' },
    { name: 'oid', kind: 'string', oneof: 'change' },
    { name: 'delete', kind: 'bool', oneof: 'change' },
    { name: 'moveFrom', kind: 'string', oneof: 'change' },
    { name: 'guarded', kind: 'message', type: 'GuardedChange', oneof: 'change' },
    { name: 'guard', kind: 'string', oneof: 'change' }
  ],
  GuardedChange: [
    { name: 'expectedOid', kind: 'string' },
    { name: 'content', kind: 'bytes', oneof: 'change' },
    { name: 'oid', kind: 'string', oneof: 'change' },
    { name: 'delete', kind: 'bool', oneof: 'change' },
    { name: 'moveFrom', kind: 'string', oneof: 'change' }
  ],
  NewSignature: [
    { name: 'name', kind: 'string' },
    { name: 'email', kind: 'string' },
    { name: 'timeSeconds', kind: 'int64', oneof: '_timeSeconds' },
    { name: 'zone', kind: 'string' }
  ],
  CommitFilesRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'branch', kind: 'string' },
    { name: 'expectedHead', kind: 'string' },
    { name: 'changes', kind: 'message', type: 'FileChange', repeated: true },
    { name: 'author', kind: 'message', type: 'NewSignature' },
    { name: 'committer', kind: 'message', type: 'NewSignature' },
    { name: 'message', kind: 'string' },
    { name: 'baseTree', kind: 'string' }
  ],
  CommitFilesResponse: [
    { name: 'oid', kind: 'string' },
    { name: 'tree', kind: 'string' },
    { name: 'parents', kind: 'string', repeated: true },
    { name: 'ref', kind: 'string' },
    { name: 'result', kind: 'string' },
    { name: 'timeSeconds', kind: 'int64' }
  ],
  Ref: [
    { name: 'name', kind: 'string' },
    { name: 'oid', kind: 'string' }
  ],
  ListRefsRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'prefix', kind: 'string' },
    { name: 'pageSize', kind: 'uint32' },
    { name: 'pageToken', kind: 'string' }
  ],
  ListRefsResponse: [
    { name: 'refs', kind: 'message', type: 'Ref', repeated: true },
    { name: 'nextPageToken', kind: 'string' }
  ],
  RefUpdate: [
    { name: 'name', kind: 'string' },
    { name: 'expectedOid', kind: 'string' },
    { name: 'newOid', kind: 'string' }
  ],
  UpdateRefsRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'updates', kind: 'message', type: 'RefUpdate', repeated: true }
  ],
  UpdateRefsResponse: [
    { name: 'refs', kind: 'message', type: 'Ref', repeated: true },
    { name: 'results', kind: 'string', repeated: true }
  ],
  CompareRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'base', kind: 'string' },
    { name: 'head', kind: 'string' },
    { name: 'pageSize', kind: 'uint32' },
    { name: 'pageToken', kind: 'string' }
  ],
  PathChange: [
    { name: 'path', kind: 'string' },
    { name: 'status', kind: 'string' },
    { name: 'oldMode', kind: 'string' },
    { name: 'oldOid', kind: 'string' },
    { name: 'newMode', kind: 'string' },
    { name: 'newOid', kind: 'string' },
    { name: 'rawPath', kind: 'bytes' }
  ],
  CompareResponse: [
    { name: 'changes', kind: 'message', type: 'PathChange', repeated: true },
    { name: 'nextPageToken', kind: 'string' }
  ],
  Operation: [
    { name: 'storeBlob', kind: 'message', type: 'StoreBlobRequest', oneof: 'operation' },
    { name: 'getBlob', kind: 'message', type: 'GetBlobRequest', oneof: 'operation' },
    { name: 'findMissing', kind: 'message', type: 'FindMissingRequest', oneof: 'operation' },
    { name: 'storeTree', kind: 'message', type: 'StoreTreeRequest', oneof: 'operation' },
    { name: 'getTree', kind: 'message', type: 'GetTreeRequest', oneof: 'operation' },
    { name: 'storeCommit', kind: 'message', type: 'StoreCommitRequest', oneof: 'operation' },
    { name: 'getCommit', kind: 'message', type: 'GetCommitRequest', oneof: 'operation' },
    { name: 'listCommits', kind: 'message', type: 'ListCommitsRequest', oneof: 'operation' },
    { name: 'commitFiles', kind: 'message', type: 'CommitFilesRequest', oneof: 'operation' },
    { name: 'listRefs', kind: 'message', type: 'ListRefsRequest', oneof: 'operation' },
    { name: 'updateRefs', kind: 'message', type: 'UpdateRefsRequest', oneof: 'operation' },
    { name: 'compare', kind: 'message', type: 'CompareRequest', oneof: 'operation' },
    { name: 'getRepository', kind: 'message', type: 'GetRepositoryRequest', oneof: 'operation' },
    { name: 'apply', kind: 'message', type: 'KeyedOperation', oneof: 'operation' }
  ],
  KeyedOperation: [
    { name: 'requestKey', kind: 'string' },
    { name: 'timeoutMs', kind: 'uint32' },
    { name: 'commitFiles', kind: 'message', type: 'CommitFilesRequest', oneof: 'operation' },
    { name: 'updateRefs', kind: 'message', type: 'UpdateRefsRequest', oneof: 'operation' }
  ],
  KeyedResult: [
    { name: 'commitFiles', kind: 'message', type: 'CommitFilesResponse', oneof: 'result' },
    { name: 'updateRefs', kind: 'message', type: 'UpdateRefsResponse', oneof: 'result' }
  ],
  OperationResult: [
    { name: 'storeBlob', kind: 'message', type: 'StoreBlobResponse', oneof: 'result' },
    { name: 'getBlob', kind: 'message', type: 'GetBlobResponse', oneof: 'result' },
    { name: 'findMissing', kind: 'message', type: 'FindMissingResponse', oneof: 'result' },
    { name: 'storeTree', kind: 'message', type: 'StoreTreeResponse', oneof: 'result' },
    { name: 'getTree', kind: 'message', type: 'GetTreeResponse', oneof: 'result' },
    { name: 'storeCommit', kind: 'message', type: 'StoreCommitResponse', oneof: 'result' },
    { name: 'getCommit', kind: 'message', type: 'GetCommitResponse', oneof: 'result' },
    { name: 'listCommits', kind: 'message', type: 'ListCommitsResponse', oneof: 'result' },
    { name: 'commitFiles', kind: 'message', type: 'CommitFilesResponse', oneof: 'result' },
    { name: 'listRefs', kind: 'message', type: 'ListRefsResponse', oneof: 'result' },
    { name: 'updateRefs', kind: 'message', type: 'UpdateRefsResponse', oneof: 'result' },
    { name: 'compare', kind: 'message', type: 'CompareResponse', oneof: 'result' },
    { name: 'getRepository', kind: 'message', type: 'GetRepositoryResponse', oneof: 'result' },
    { name: 'apply', kind: 'message', type: 'KeyedResult', oneof: 'result' },
    { name: 'error', kind: 'message', type: 'OperationError', oneof: 'result' }
  ],
  BatchOperationsRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'operations', kind: 'message', type: 'Operation', repeated: true },
    { name: 'atomic', kind: 'bool' }
  ],
  BatchOperationsResponse: [{ name: 'results', kind: 'message', type: 'OperationResult', repeated: true }],
  ApplyRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'requestKey', kind: 'string' },
    { name: 'commitFiles', kind: 'message', type: 'CommitFilesRequest', oneof: 'write' },
    { name: 'updateRefs', kind: 'message', type: 'UpdateRefsRequest', oneof: 'write' },
    { name: 'createRepository', kind: 'message', type: 'CreateRepositoryRequest', oneof: 'write' },
    { name: 'deleteRepository', kind: 'message', type: 'DeleteRepositoryRequest', oneof: 'write' },
    { name: 'batch', kind: 'message', type: 'BatchOperationsRequest', oneof: 'write' }
  ],
  ApplyResponse: [
    { name: 'commitFiles', kind: 'message', type: 'CommitFilesResponse', oneof: 'result' },
    { name: 'updateRefs', kind: 'message', type: 'UpdateRefsResponse', oneof: 'result' },
    { name: 'createRepository', kind: 'message', type: 'CreateRepositoryResponse', oneof: 'result' },
    { name: 'deleteRepository', kind: 'message', type: 'DeleteRepositoryResponse', oneof: 'result' },
    { name: 'batch', kind: 'message', type: 'BatchOperationsResponse', oneof: 'result' }
  ],
  SessionBatch: [
    { name: 'repository', kind: 'string' },
    { name: 'firstId', kind: 'uint64' },
    { name: 'operations', kind: 'message', type: 'Operation', repeated: true },
    { name: 'headerLists', kind: 'uint32', repeated: true }
  ],
  Header: [
    { name: 'name', kind: 'string' },
    { name: 'value', kind: 'string' }
  ],
  HeaderList: [{ name: 'headers', kind: 'message', type: 'Header', repeated: true }],
  SessionBatches: [
    { name: 'headerLists', kind: 'message', type: 'HeaderList', repeated: true },
    { name: 'batches', kind: 'message', type: 'SessionBatch', repeated: true }
  ],
  SessionCancel: [{ name: 'ids', kind: 'uint64', repeated: true }],
  SessionRequest: [
    { name: 'batch', kind: 'message', type: 'SessionBatch', oneof: 'frame' },
    { name: 'cancel', kind: 'message', type: 'SessionCancel', oneof: 'frame' },
    { name: 'batches', kind: 'message', type: 'SessionBatches', oneof: 'frame' }
  ],
  SessionResult: [
    { name: 'id', kind: 'uint64' },
    { name: 'result', kind: 'message', type: 'OperationResult' }
  ],
  SessionResponse: [{ name: 'results', kind: 'message', type: 'SessionResult', repeated: true }],
  UploadBlobRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'uploadId', kind: 'string' },
    { name: 'size', kind: 'uint64' },
    { name: 'offset', kind: 'uint64' },
    { name: 'chunk', kind: 'bytes' }
  ],
  UploadBlobResponse: [
    { name: 'oid', kind: 'string' },
    { name: 'size', kind: 'uint64' }
  ],
  DownloadBlobRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'oid', kind: 'string' },
    { name: 'offset', kind: 'uint64' },
    { name: 'length', kind: 'uint64' }
  ],
  DownloadBlobResponse: [
    { name: 'offset', kind: 'uint64' },
    { name: 'size', kind: 'uint64' },
    { name: 'chunk', kind: 'bytes' }
  ],
  QueryUploadRequest: [
    { name: 'repository', kind: 'string' },
    { name: 'uploadId', kind: 'string' }
  ],
  QueryUploadResponse: [
    { name: 'offset', kind: 'uint64' },
    { name: 'complete', kind: 'bool' }
  ],
  GetCapabilitiesRequest: [],
  TransportEndpoint: [
    { name: 'transport', kind: 'string' },
    { name: 'url', kind: 'string' }
  ],
  Limits: [
    { name: 'maxInlineBytes', kind: 'uint64' },
    { name: 'maxBatchOperations', kind: 'uint32' },
    { name: 'maxBatchBytes', kind: 'uint64' },
    { name: 'chunkBytes', kind: 'uint64' },
    { name: 'maxBlobBytes', kind: 'uint64' }
  ],
  GetCapabilitiesResponse: [
    { name: 'serverVersion', kind: 'string' },
    { name: 'transports', kind: 'message', type: 'TransportEndpoint', repeated: true },
    { name: 'limits', kind: 'message', type: 'Limits' },
    { name: 'codecs', kind: 'string', repeated: true },
    { name: 'compressors', kind: 'string', repeated: true },
    { name: 'objectFormats', kind: 'string', repeated: true },
    { name: 'atomic', kind: 'bool' },
    { name: 'resume', kind: 'bool' },
    { name: 'session', kind: 'bool' },
    { name: 'requestKeySeconds', kind: 'uint32' }
  ],
  OperationError: [
    { name: 'code', kind: 'string' },
    { name: 'message', kind: 'string' },
    { name: 'detail', kind: 'message', type: 'ErrorDetail' }
  ],
  ErrorDetail: [
    { name: 'reason', kind: 'string' },
    { name: 'retryable', kind: 'bool' },
    { name: 'requestId', kind: 'string' },
    { name: 'refMismatches', kind: 'message', type: 'RefMismatch', repeated: true },
    { name: 'limit', kind: 'message', type: 'LimitExceeded' },
    { name: 'violations', kind: 'message', type: 'FieldViolation', repeated: true },
    { name: 'missingOids', kind: 'string', repeated: true },
    { name: 'retryAfterMs', kind: 'uint32' },
    { name: 'pathMismatches', kind: 'message', type: 'PathMismatch', repeated: true }
  ],
  RefMismatch: [
    { name: 'name', kind: 'string' },
    { name: 'expectedOid', kind: 'string' },
    { name: 'foundOid', kind: 'string' }
  ],
  PathMismatch: [
    { name: 'path', kind: 'string' },
    { name: 'expectedOid', kind: 'string' },
    { name: 'foundOid', kind: 'string' }
  ],
  LimitExceeded: [
    { name: 'limit', kind: 'string' },
    { name: 'maximum', kind: 'uint64' },
    { name: 'actual', kind: 'uint64' }
  ],
  FieldViolation: [
    { name: 'field', kind: 'string' },
    { name: 'description', kind: 'string' }
  ]
}
