// Generated from proto/blobwire/v1/vcs.proto by scripts/generate-schema.ts. Change the proto, then run
// `npm run generate`.
import { type Field, type MessageName, readDescriptors } from './descriptor.ts'

/** The fields of every message, as the codecs walk them. */
export const messageDescriptors: Readonly<Record<MessageName, readonly Field[]>> = readDescriptors({
  Repository: 'repository, objectFormat, defaultBranch',
  CreateRepositoryRequest: 'repository, objectFormat, defaultBranch',
  CreateRepositoryResponse: 'repository, objectFormat, defaultBranch, created bool',
  GetRepositoryRequest: 'repository',
  GetRepositoryResponse: 'repository, objectFormat, defaultBranch',
  ListRepositoriesRequest: 'prefix, pageSize uint32, pageToken',
  ListRepositoriesResponse: 'repositories Repository[], nextPageToken',
  UpdateRepositoryRequest: 'repository, defaultBranch',
  UpdateRepositoryResponse: 'repository, objectFormat, defaultBranch',
  DeleteRepositoryRequest: 'repository',
  DeleteRepositoryResponse: 'deleted bool',
  StoreBlobRequest: 'repository, content bytes',
  StoreBlobResponse: 'oid, size uint64',
  GetBlobRequest: 'repository, oid, revision, path, rawPath bytes, acceptDeflated bool',
  GetBlobResponse: 'oid, size uint64, content bytes, deflated bytes _deflated',
  FindMissingRequest: 'repository, oids string[]',
  FindMissingResponse: 'missing string[]',
  TreeEntry: 'path, mode, oid, rawPath bytes, rawMode',
  StoreTreeRequest: 'repository, entries TreeEntry[], baseTree',
  StoreTreeResponse: 'oid',
  GetTreeRequest: 'repository, revision, path, recursive bool, pageSize uint32, pageToken, rawPath bytes',
  GetTreeResponse: 'oid, entries TreeEntry[], nextPageToken',
  Signature: 'name, email, timeSeconds int64, zone',
  Commit: 'oid, tree, parents string[], author Signature, committer Signature, message, raw bytes, encoding',
  StoreCommitRequest: 'repository, tree, parents string[], author Signature, committer Signature, message',
  StoreCommitResponse: 'oid',
  GetCommitRequest: 'repository, revision',
  GetCommitResponse: 'commit Commit',
  ListCommitsRequest: 'repository, revision, path, pageSize uint32, pageToken, rawPath bytes',
  ListCommitsResponse: 'commits Commit[], nextPageToken',
  ObjectWarning: 'id, message',
  StoreObjectRequest: 'repository, kind, content bytes, check',
  StoreObjectResponse: 'oid, size uint64, warnings ObjectWarning[]',
  GetObjectRequest: 'repository, oid, revision, path, rawPath bytes',
  GetObjectResponse: 'oid, kind, size uint64, content bytes',
  Tag: 'oid, object, kind, name, tagger Signature, message, raw bytes',
  StoreTagRequest: 'repository, object, kind, name, tagger Signature, message',
  StoreTagResponse: 'oid',
  GetTagRequest: 'repository, revision',
  GetTagResponse: 'tag Tag',
  FileChange:
    'path, mode, content bytes change, oid string change, delete bool change, moveFrom string change, guarded GuardedChange change, guard string change, rawMoveFrom=10 bytes change, rawPath=9 bytes',
  GuardedChange:
    'expectedOid, content bytes change, oid string change, delete bool change, moveFrom string change, rawMoveFrom bytes change',
  NewSignature: 'name, email, timeSeconds int64 _timeSeconds, zone',
  CommitFilesRequest:
    'repository, branch, expectedHead, changes FileChange[], author NewSignature, committer NewSignature, message, baseTree, inputDigest, prepare bool, commitObject bytes',
  CommitFilesResponse: 'oid, tree, parents string[], ref, result, timeSeconds int64',
  Ref: 'name, oid, rawName bytes _rawName',
  ListRefsRequest: 'repository, prefix, pageSize uint32, pageToken',
  ListRefsResponse: 'refs Ref[], nextPageToken',
  RefUpdate: 'name, expectedOid, newOid, rawName bytes _rawName',
  UpdateRefsRequest: 'repository, updates RefUpdate[]',
  UpdateRefsResponse: 'refs Ref[], results string[]',
  CompareRequest: 'repository, base, head, pageSize uint32, pageToken',
  PathChange: 'path, status, oldMode, oldOid, newMode, newOid, rawPath bytes',
  CompareResponse: 'changes PathChange[], nextPageToken',
  Operation:
    'storeBlob StoreBlobRequest operation, getBlob GetBlobRequest operation, findMissing FindMissingRequest operation, storeTree StoreTreeRequest operation, getTree GetTreeRequest operation, storeCommit StoreCommitRequest operation, getCommit GetCommitRequest operation, listCommits ListCommitsRequest operation, commitFiles CommitFilesRequest operation, listRefs ListRefsRequest operation, updateRefs UpdateRefsRequest operation, compare CompareRequest operation, getRepository GetRepositoryRequest operation, apply KeyedOperation operation, storeObject StoreObjectRequest operation, getObject GetObjectRequest operation, storeTag StoreTagRequest operation, getTag GetTagRequest operation',
  KeyedOperation:
    'requestKey, timeoutMs uint32, commitFiles CommitFilesRequest operation, updateRefs UpdateRefsRequest operation',
  KeyedResult: 'commitFiles=3 CommitFilesResponse result, updateRefs UpdateRefsResponse result',
  OperationResult:
    'storeBlob StoreBlobResponse result, getBlob GetBlobResponse result, findMissing FindMissingResponse result, storeTree StoreTreeResponse result, getTree GetTreeResponse result, storeCommit StoreCommitResponse result, getCommit GetCommitResponse result, listCommits ListCommitsResponse result, commitFiles CommitFilesResponse result, listRefs ListRefsResponse result, updateRefs UpdateRefsResponse result, compare CompareResponse result, getRepository GetRepositoryResponse result, apply KeyedResult result, storeObject StoreObjectResponse result, getObject GetObjectResponse result, storeTag StoreTagResponse result, getTag GetTagResponse result, error=100 OperationError result',
  BatchOperationsRequest: 'repository, operations Operation[], atomic bool',
  BatchOperationsResponse: 'results OperationResult[]',
  ApplyRequest:
    'repository, requestKey, commitFiles CommitFilesRequest write, updateRefs UpdateRefsRequest write, createRepository CreateRepositoryRequest write, deleteRepository DeleteRepositoryRequest write, batch BatchOperationsRequest write, updateRepository UpdateRepositoryRequest write',
  ApplyResponse:
    'commitFiles=3 CommitFilesResponse result, updateRefs UpdateRefsResponse result, createRepository CreateRepositoryResponse result, deleteRepository DeleteRepositoryResponse result, batch BatchOperationsResponse result, updateRepository UpdateRepositoryResponse result',
  WatchRefsRequest: 'repository, prefix, cursor, snapshot bool',
  WatchRefsResponse: 'cursor, events RefEvent[], page RefPage, gap bool',
  RefEvent: 'requestId, timeMs int64, moves MovedRef[], cursor',
  MovedRef: 'name, oldOid, newOid, rawName bytes _rawName',
  RefPage: 'refs Ref[], last bool',
  SessionBatch: 'repository, firstId uint64, operations Operation[], headerLists uint32[]',
  Header: 'name, value',
  HeaderList: 'headers Header[]',
  SessionBatches: 'headerLists HeaderList[], batches SessionBatch[]',
  SessionCancel: 'ids uint64[]',
  SessionRequest:
    'batch SessionBatch frame, cancel SessionCancel frame, batches SessionBatches frame, watch SessionWatch frame',
  SessionWatch: 'id uint64, request WatchRefsRequest',
  SessionUpdate: 'ids uint64[], update WatchRefsResponse, error OperationError',
  SessionResult: 'id uint64, result OperationResult',
  SessionResponse: 'results SessionResult[], updates SessionUpdate[]',
  UploadBlobRequest:
    'repository, uploadId, size uint64 _size, offset uint64, chunk bytes, complete bool, oid, sha256 bytes',
  UploadBlobResponse: 'oid, size uint64, offset uint64, complete bool',
  DownloadBlobRequest:
    'repository, oid, offset uint64, length uint64, revision, path, rawPath bytes, digestFrom uint64 _digestFrom',
  DownloadBlobResponse: 'offset uint64, size uint64, chunk bytes, oid, sha256 bytes',
  QueryUploadRequest: 'repository, uploadId',
  QueryUploadResponse: 'offset uint64, complete bool, oid, size uint64 _size',
  CancelUploadRequest: 'repository, uploadId',
  CancelUploadResponse: 'cancelled bool',
  GetCapabilitiesRequest: '',
  TransportEndpoint: 'transport, url',
  Limits:
    'maxInlineBytes uint64, maxBatchOperations uint32, maxBatchBytes uint64, chunkBytes uint64, maxBlobBytes uint64, maxInFlightBytes uint64, maxConnectionInFlightBytes uint64, maxUploadBytes uint64, uploadIdleSeconds uint32',
  GetCapabilitiesResponse:
    'serverVersion, transports TransportEndpoint[], limits Limits, codecs string[], compressors string[], objectFormats string[], atomic bool, resume bool, session bool, requestKeySeconds uint32, watch bool',
  OperationError: 'code, message, detail ErrorDetail',
  ErrorDetail:
    'reason, retryable bool, requestId, refMismatches RefMismatch[], limit LimitExceeded, violations FieldViolation[], missingOids string[], retryAfterMs uint32, pathMismatches PathMismatch[]',
  RefMismatch: 'name, expectedOid, foundOid',
  PathMismatch: 'path, expectedOid, foundOid, rawPath bytes',
  LimitExceeded: 'limit, maximum uint64, actual uint64, oid string _oid',
  FieldViolation: 'field, description'
})

/** google.rpc.Status, with the details of an error in gRPC. */
export const statusDescriptors: Readonly<Record<'Status' | 'Any', readonly Field<'Any'>[]>> = readDescriptors({
  Status: 'code int32, message, details Any[]',
  Any: 'typeUrl, value bytes'
})
