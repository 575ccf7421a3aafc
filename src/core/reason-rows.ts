/**
 * The one table of error reasons: the code of each reason, the client's reaction and an explanation for users.
 * `reasons.ts` answers questions about it.
 */
import type { Code } from './code.ts'
import type { ErrorRule } from './error-rule.ts'
import { hostRows } from './host-reasons.ts'
import { runtimeRows } from './runtime-reasons.ts'
import { webhookRows } from './webhook-reasons.ts'

/** One reason: its code, an explanation for users, and the rules that differ from those of its code. */
export interface ReasonRow extends Partial<ErrorRule> {
  /** Absent where the code is that of another error, such as the last attempt's. */
  readonly code?: Code
  readonly text: string
}

/** Something is wrong with one operation or one repository. */
export const ofOne = { breaker: 'answer' } as const
/** The service itself answered, so that transport and session work. */
export const answered = { transportFallback: false, sessionFallback: false } as const

export const rows = {
  // The call
  queue_full: {
    code: 'resource_exhausted',
    text: 'The queue is full: more calls wait than `concurrency` or `batch` allow.',
    refusal: true
  },
  shed: {
    code: 'resource_exhausted',
    text: 'The queue is full, and this call is of background priority: it makes room for interactive calls.',
    refusal: true
  },
  client_closed: { code: 'cancelled', text: 'The application closed the client.', refusal: true },
  attempt_timeout: {
    code: 'deadline_exceeded',
    text: 'The server did not answer an attempt within `attemptTimeoutMs`.',
    retryable: true
  },
  circuit_open: {
    code: 'unavailable',
    text: 'The circuit breakers of all endpoints are open; `details.retryAfterMs` is the time until the next probe.',
    refusal: true,
    breaker: 'none',
    transportFallback: false
  },
  retry_budget_exhausted: {
    text: 'The retry budget of the client is spent; the code is that of the last attempt.',
    refusal: true
  },
  hedge_lost: {
    code: 'cancelled',
    text: 'The server answered another attempt of a hedged read first. Callers never see this reason.'
  },
  interceptor: {
    code: 'unknown',
    text: 'An interceptor threw an exception, which `cause` holds, or returned nothing.',
    ...answered
  },
  internal_error: {
    code: 'internal',
    text: 'An exception inside the client ended the call: a bug; `cause` holds the exception.',
    ...answered
  },
  content_gone: {
    code: 'invalid_argument',
    text: 'The buffer of a content was transferred or shrank before the call had settled.'
  },
  token_source: { code: 'unauthenticated', text: 'The `token` function failed or returned no bearer token.' },
  signing: {
    code: 'failed_precondition',
    text: 'The `sign` function failed; `cause` holds what it threw.',
    ...answered
  },
  atomic_too_large: { code: 'resource_exhausted', text: 'The atomic batch does not fit into one request.' },
  // The network
  connect_timeout: { code: 'unavailable', text: 'The client could not connect within `connection.connectTimeoutMs`.' },
  connection_dead: { code: 'unavailable', text: 'The connection is dead: no data arrived after a PING.' },
  tls: {
    code: 'unavailable',
    text: 'The TLS handshake failed, or the client does not trust the certificate.',
    retryable: false,
    transportFallback: false
  },
  network_denied: {
    code: 'permission_denied',
    text: 'Node runs with `--permission` and denies the network; `--allow-net` allows it.',
    ...answered,
    breaker: 'none'
  },
  proxy: { code: 'unavailable', text: 'The HTTP proxy refused the tunnel or did not answer.' },
  refused: { code: 'unavailable', text: 'The server refused the request without processing it.', breaker: 'refusal' },
  protocol_error: {
    code: 'unavailable',
    text: 'The server violated the HTTP/2 protocol.',
    retryable: false,
    sessionFallback: true
  },
  not_http2: { code: 'unimplemented', text: 'The server or a proxy supports HTTP/1.1 only.' },
  session_silent: {
    code: 'unimplemented',
    text: 'The server did not greet the session in time: a proxy buffers streams.'
  },
  no_http_form: {
    code: 'unimplemented',
    text: 'The server does not speak the HTTP form on this port; it may be its gRPC port.'
  },
  no_grpc: { code: 'unimplemented', text: 'The server does not serve gRPC.' },
  grpc_js_missing: {
    code: 'failed_precondition',
    text: 'The client could not load the package `@grpc/grpc-js`; the message tells what to install.',
    ...answered,
    breaker: 'none'
  },
  ...hostRows,
  redirect_refused: {
    code: 'failed_precondition',
    text: 'The server answered with a redirect; the client does not follow it.'
  },
  request_too_large: {
    code: 'resource_exhausted',
    text: 'A proxy refused the request because of its size.',
    split: true,
    sessionFallback: true
  },
  response_too_large: {
    code: 'resource_exhausted',
    text: 'The response is larger than `maxResponseBytes`, or has more values than any full batch.',
    split: true
  },
  message_too_large: {
    code: 'resource_exhausted',
    text: 'A message is larger, or has more values, than its receiver allows.',
    split: true
  },
  malformed_response: {
    code: 'internal',
    text: 'The response violates the protocol.'
  },
  malformed: { code: 'invalid_argument', text: 'The message is not valid in its encoding.' },
  // The answer
  integrity: { code: 'data_loss', text: 'The bytes of an object do not match its oid.' },
  no_token: { code: 'unauthenticated', text: 'The server requires a bearer token.' },
  bad_token: { code: 'unauthenticated', text: 'The server does not know the token.' },
  expired_token: { code: 'unauthenticated', text: 'The token has expired.' },
  repository: { code: 'not_found', text: 'The repository does not exist, or the token does not permit reading it.' },
  object: { code: 'not_found', text: 'The object is not in the repository.' },
  revision: { code: 'not_found', text: 'The revision does not exist.' },
  path: { code: 'not_found', text: 'The path does not exist in the revision.' },
  object_format: { code: 'already_exists', text: 'The repository exists with the other object format.' },
  ref_mismatch: {
    code: 'aborted',
    text: 'A ref does not point to the expected oid; `details.refMismatches` has name, expected and found oid.'
  },
  path_mismatch: {
    code: 'aborted',
    text: 'A path is not as a guard expected it; `details.pathMismatches` tells path, expected and found oid.'
  },
  upload: {
    code: 'not_found',
    text: 'The server has no such upload: it was never begun, was cancelled, or nobody went on with it in time.'
  },
  upload_offset: {
    code: 'failed_precondition',
    text: 'The upload does not go on at this offset; the server holds more or fewer bytes.'
  },
  upload_taken_over: {
    code: 'aborted',
    text: 'Another stream goes on with the same upload; this one has ended.',
    retryable: false
  },
  upload_quota: {
    code: 'resource_exhausted',
    text: 'Uploads that are not complete hold `maxUploadBytes`.',
    ...answered
  },
  source_failed: {
    code: 'aborted',
    text: 'The source of an upload failed; `cause` holds what it threw.',
    ...answered,
    breaker: 'none'
  },
  source_used_up: {
    code: 'unavailable',
    text: 'The upload was cut, and its source cannot be read again from the offset at which it would go on.',
    retryable: false,
    refusal: true
  },
  sink_failed: {
    code: 'aborted',
    text: 'The file or stream that a download goes to failed; `cause` holds what it threw.',
    ...answered,
    breaker: 'none'
  },
  unwritable_paths: {
    code: 'failed_precondition',
    text: 'A checkout cannot write some paths, which `details.violations` lists; it has written nothing.',
    ...answered,
    breaker: 'none'
  },
  stalled: {
    code: 'deadline_exceeded',
    text: 'No byte of a transfer moved for `stallTimeoutMs`.',
    retryable: true
  },
  request_key_reused: {
    code: 'invalid_argument',
    text: 'The request key was used for another request; a key belongs to one request and its repetitions.'
  },
  no_request_keys: {
    code: 'unimplemented',
    text: 'The server is older than request keys, without which the client sends no write.',
    ...answered
  },
  no_such_method: {
    code: 'unimplemented',
    text: 'The server is older than this call, and does not know it.',
    ...answered
  },
  batch_aborted: { code: 'aborted', text: 'Another ref change of the same atomic batch failed.' },
  ref_conflict: {
    code: 'failed_precondition',
    text: 'The names of two refs conflict: one would be a directory of the other.'
  },
  equal_names: {
    code: 'failed_precondition',
    text: 'The file system of the server holds the new name equal to one that is there: in another case, for instance.'
  },
  ref_refused: {
    code: 'failed_precondition',
    text: "Git refuses to move the ref, for example because the ref's file is damaged; the message has Git's words."
  },
  unsupported_repository: {
    code: 'failed_precondition',
    text: 'The repository is of a form that the server cannot serve, such as one with a work tree; the message says which.',
    ...ofOne
  },
  missing_object: {
    code: 'failed_precondition',
    text: 'The request refers to objects that are not in the repository; `details.missingOids` lists them.'
  },
  wrong_kind: { code: 'failed_precondition', text: 'The object is of the wrong kind.' },
  path_not_found: { code: 'failed_precondition', text: 'A path to remove or move does not exist.' },
  path_conflict: { code: 'failed_precondition', text: 'A file is in the place of a directory, or the reverse.' },
  batch_response_full: {
    code: 'resource_exhausted',
    text: 'The response of a batch had no room for this result; the client sends the operation again.',
    retryable: true,
    split: true
  },
  server_full: {
    code: 'resource_exhausted',
    text: 'Requests in flight hold `maxInFlightBytes`.',
    retryable: true,
    breaker: 'refusal'
  },
  connection_full: { code: 'resource_exhausted', text: 'The same of one connection.', retryable: true },
  too_many_watches: {
    code: 'resource_exhausted',
    text: 'The server, or the session, has as many watches as it takes.',
    retryable: true,
    ...answered
  },
  watch_moved: {
    code: 'unavailable',
    text: 'The stream of a watch has ended in good order; it goes on at another.',
    ...answered
  },
  // Failures inside the server
  storage: { code: 'unavailable', text: 'The disk of the server failed; the write is not acknowledged.', ...ofOne },
  store_closed: { code: 'unavailable', text: 'The server is shutting down.' },
  repository_closed: { code: 'unavailable', text: 'The server closed the repository during the call.', ...ofOne },
  ref_locked: { code: 'unavailable', text: 'Another process on the server holds the lock of a ref.', ...ofOne },
  git_unavailable: { code: 'unavailable', text: 'The server cannot start `git`.', ...ofOne },
  git_died: { code: 'unavailable', text: 'A `git` process of the server ended by a signal.', ...ofOne },
  git_failed: { code: 'internal', text: 'A `git` process of the server failed.', ...ofOne, ...answered },
  git_version: { code: 'failed_precondition', text: 'The `git` of the server is too old; the server does not start.' },
  directory_in_use: {
    code: 'failed_precondition',
    text: 'Another server uses the data directory; this one does not start.'
  },
  database_unavailable: {
    code: 'unavailable',
    text: 'The database of the server does not answer, or not in time; a write may have been carried out.'
  },
  database_refused: {
    code: 'failed_precondition',
    text: 'The server cannot use its database, such as one that does not sync to disk; the server does not start.'
  },
  data_format: {
    code: 'failed_precondition',
    text: 'The data directory or the database of the server has a format that it cannot read; the server does not start.'
  },
  journal_damaged: { code: 'data_loss', text: 'A record of request keys is damaged; the write is not carried out.' },
  fault: { text: 'A fault rule fired (docs/testing.md); the code is that of the rule.', ...answered },
  ...runtimeRows,
  ...webhookRows
} as const satisfies Readonly<Record<string, ReasonRow>>
