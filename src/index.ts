// Evaluated before everything else.
import './check-node.cts'

export type { HealthCheckResult } from './balance/health-check.ts'
export type { ReliabilitySummary, ReliabilityWindow } from './balance/reliability.ts'
export type { CallOptions } from './call/call-options.ts'
export type { Token } from './call/credentials.ts'
export type {
  InterceptedRequest,
  NextRequest,
  RequestInterceptor,
  RequestMethod,
  RequestOf,
  ResponseMessage
} from './call/interceptor.ts'
export type { Client } from './client/client.ts'
export { createClient } from './client/client.ts'
export type { ClientOptions, PolicyOptions } from './client/client-options.ts'
export type { CommitFilesOptions } from './client/commit-options.ts'
export type { Explanation } from './client/explain.ts'
export type {
  ArchiveInput,
  CheckoutInput,
  CheckoutResult,
  FilesInput,
  GlobPattern,
  RepositoryFile
} from './client/files/inputs.ts'
export type { GitEnvironment } from './client/git-remote.ts'
export type { ClientHealth, EndpointHealth, HealthStatus } from './client/health.ts'
export type {
  Author,
  BlobAddress,
  Bytes,
  Change,
  Changes,
  CommitFilesInput,
  CompareInput,
  CreateRepositoryInput,
  GetTreeInput,
  Guarded,
  Guards,
  KeyedInput,
  ListCommitsInput,
  ListInput,
  NewTreeEntry,
  ObjectAddress,
  PageInput,
  Path,
  RefUpdateInput,
  StoreCommitInput,
  StoreObjectInput,
  StoreTagInput,
  StoreTreeInput,
  UpdateRepositoryInput,
  UploadInput
} from './client/inputs.ts'
export type {
  Call,
  CallInterceptor,
  CallMessages,
  CallOf,
  CallResults,
  Interceptor,
  Method,
  NextCall
} from './client/interceptor.ts'
export type { DatedAuthor, DatedCommit, DatedTag, OidOptions, TreeFile } from './client/offline.ts'
export { blobOid, commitOid, objectOid, tagOid, treeOid } from './client/offline.ts'
export type { Operation, OperationInputs, OperationName } from './client/operations.ts'
export type { PoolUse } from './client/pool-use.ts'
export type { ClientConfig, LoadConfigOptions, RegistryConfig, TlsConfig } from './client/registry/config.ts'
export { Config, loadConfig } from './client/registry/config.ts'
export type { ClientRegistry, RegistryHealth, RegistryOptions } from './client/registry/registry.ts'
export { createClientRegistry, defaultClient } from './client/registry/registry.ts'
export type { RegistryStats, StatsTotals } from './client/registry/registry-stats.ts'
export type { Repository } from './client/repository.ts'
export type { WriteOptions } from './client/request-key.ts'
export type { BatchOperations, BatchResults, OperationResult, OperationValues, Tree } from './client/results.ts'
export type { ClientUpdate } from './client/runtime-control.ts'
export type { Sign, Signable } from './client/sign.ts'
export type { AddressStats, BatchStats, ClientStats, EndpointStats } from './client/stats.ts'
export type { WatchOptions, WatchState, WatchUpdate } from './client/watch-types.ts'
export type { ConnectionStats } from './connection/stats.ts'
export type { Code } from './core/code.ts'
export type {
  BlobwireErrorInit,
  ErrorDetails,
  ErrorReport,
  FieldViolation,
  LimitExceeded,
  RefMismatch,
  Sent,
  TransportName
} from './core/error.ts'
export { BlobwireError } from './core/error.ts'
export type { FailureCount } from './core/failure-counts.ts'
export type { LatencySummary } from './core/latency.ts'
export type { LatencyBuckets } from './core/latency-histogram.ts'
export type { Mode } from './git/mode.ts'
export type { ObjectFormat, ObjectKind } from './git/oid.ts'
export type { Pem } from './options/pem.ts'
export type { EnvironmentName, Preset, ProfileName } from './options/presets.ts'
export { environments, profiles } from './options/presets.ts'
export type { Duration, Size } from './options/quantity.ts'
export type {
  AdaptiveOptions,
  BatchOptions,
  BreakerOptions,
  ConcurrencyOptions,
  ConnectionOptions,
  EndpointOptions,
  HealthCheckOptions,
  HedgeOptions,
  RetryOptions,
  TlsOptions
} from './options/types.ts'
export type {
  Capabilities,
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
  GetTreeResponse,
  Limits,
  ListCommitsResponse,
  ListRefsResponse,
  ListRepositoriesResponse,
  MovedRef,
  ObjectWarning,
  PathChange,
  Ref,
  RepositoryInfo,
  Signature,
  StoreBlobResponse,
  StoreCommitResponse,
  StoreObjectResponse,
  StoreTagResponse,
  StoreTreeResponse,
  Tag,
  TransportEndpoint,
  TreeEntry,
  UpdateRefsResponse
} from './schema/messages.ts'
export type { CallListener, CallTimeline, TimelineStep } from './telemetry/call-timeline.ts'
export type { ClientEvent, ClientEventFacts, ClientEventName } from './telemetry/client-event.ts'
export type { Logger } from './telemetry/logger.ts'
export type { MethodStats } from './telemetry/method-counts.ts'
export type {
  AttemptEventName,
  AttemptObserver,
  AttemptOutcome,
  CallEventName,
  CallObserver,
  CallOutcome,
  EventFacts,
  Observer,
  StartedAttempt,
  StartedCall
} from './telemetry/observer.ts'
export type { Download, DownloadInfo, DownloadOptions, NodeReadable } from './transfer/download-types.ts'
export type { TransferOptions, UploadOptions } from './transfer/options.ts'
export type { ProgressListener, ProgressPhase, TransferProgress } from './transfer/progress.ts'
export type { BlobLike, ByteChunks, ByteStream, FileUrl, UploadSource } from './transfer/source-kinds.ts'
export type { UploadResult } from './transfer/upload.ts'
