/** The reactions of the client to errors, by their code; `reasons.ts` has what differs by reason. */
import type { Code } from './code.ts'

/** The reactions of the client to an error. */
export interface ErrorRule {
  /** The same call may succeed when it is sent again, unless the server says otherwise. */
  readonly retryable: boolean
  /**
   * Tells the circuit breaker about the endpoint (`balance/outcome.ts`): `connection` = none could be had, or it broke;
   * `refusal` = a whole request was refused; `silence` = counts where nothing else was answered, either; `answer` = about
   * one operation, repository or request, by a server that works; `none` = nothing.
   */
  readonly breaker: 'connection' | 'refusal' | 'silence' | 'answer' | 'none'
  /** Before a transport has worked once: the next one of `transport: 'auto'` is tried. */
  readonly transportFallback: boolean | 'grpc'
  /** Before a session has worked once: batches go as unary requests. */
  readonly sessionFallback: boolean
  /** The same operations in smaller requests may succeed. */
  readonly split: boolean
  /** An operation goes to another session where its own ended with this. */
  readonly resend: boolean
  /** This client itself refused the call, and would do so again: never retried, whatever `retryable` says. */
  readonly refusal: boolean
}

const none: ErrorRule = {
  retryable: false,
  breaker: 'answer',
  transportFallback: false,
  sessionFallback: false,
  split: false,
  resend: false,
  refusal: false
}

/** The rules of errors without a reason, or with a reason that this version does not know. */
export const ruleOfCode: Readonly<Record<Code, ErrorRule>> = {
  cancelled: none,
  // The answer of a proxy that does not know the protocol has an HTTP status only.
  unknown: { ...none, breaker: 'none', transportFallback: true, sessionFallback: true },
  invalid_argument: none,
  deadline_exceeded: { ...none, breaker: 'silence' },
  not_found: none,
  already_exists: none,
  permission_denied: none,
  resource_exhausted: none,
  failed_precondition: none,
  aborted: none,
  out_of_range: none,
  unimplemented: { ...none, transportFallback: true, sessionFallback: true },
  internal: { ...none, breaker: 'none', transportFallback: true, sessionFallback: true },
  // The gRPC port may be closed where the HTTP port is open; JSON and MessagePack share one port.
  unavailable: { ...none, retryable: true, breaker: 'connection', transportFallback: 'grpc', resend: true },
  data_loss: none,
  unauthenticated: none
}
