/**
 * Observers: the one seam through which tracing, `onCall`, the logger and `diagnostics_channel` see a client's calls.
 *
 * How they are called, for one call:
 *
 *     callStarted(call)                        in the caller's own (asynchronous) context, before anything else happens;
 *       │                                      a CallObserver = tell me more, undefined = this call does not interest me
 *       │ event('queued'), event('admitted')   only where the call has to wait; events of the call go to CallObserver.event
 *       │ attemptStarted(attempt)              once for each attempt; in any context. An AttemptObserver may give `headers`,
 *       │   │                                  which travel with this attempt: beside its operation in a frame, or as the
 *       │   │                                  headers (gRPC: metadata) of its request
 *       │   │ event('encoded'), event('sent')… events of the attempt go to AttemptObserver.event
 *       │   └ ended(outcome)                   once for each attempt
 *       │ event('retry', …)                    between two attempts
 *       └ ended(outcome)                       once, when the caller gets the answer or the error
 *
 * A call is one RPC as the client's pipeline sends it: `batch` and `commitFiles` are as many as they send, and a large blob
 * is an `uploadBlob` or a `downloadBlob`. With `hedge`, two attempts may be under way at the same time. Times are those of
 * the client's clock, `performance.now()`.
 *
 * An observer that throws is reported once and breaks nothing. Observers are asked synchronously, on the way of the call:
 * they must be fast. Nothing here costs a client without observers more than one comparison for each call.
 */
import type { BlobwireError, Sent, TransportName } from '../core/error.ts'

/** Sees the calls of a client; see `ClientOptions.observers` and docs/observing.md. */
export interface Observer {
  /** A call begins. Undefined = nothing more of this call is told. */
  callStarted?: (call: StartedCall) => CallObserver | undefined
}

/** A call as it begins. */
export interface StartedCall {
  /** Name of the RPC as the client's methods are named, such as `storeBlob`, `batchOperations` or `uploadBlob`. */
  readonly method: string
  /** Full name of the RPC: `blobwire.v1.VcsService/StoreBlob`. */
  readonly rpc: string
  /** Repository of the call; undefined = the call is about none. Not to be used as a label of metrics. */
  readonly repository: string | undefined
  /** Number of operations in it: those of a batch, otherwise 1. */
  readonly operations: number
  /** Time for the whole call, in milliseconds; undefined = a transfer that may take as long as bytes move. */
  readonly timeoutMs: number | undefined
  /** On the client's clock. */
  readonly startedAtMs: number
}

/** Sees one call. */
export interface CallObserver {
  /** An attempt begins. Undefined = nothing more of this attempt is told. */
  attemptStarted?(attempt: StartedAttempt): AttemptObserver | undefined
  /** Something happened to the call outside of its attempts. */
  event?(name: CallEventName, atMs: number, facts: EventFacts): void
  /** The call is over. Called once. */
  ended?(outcome: CallOutcome): void
}

/** An attempt as it begins. */
export interface StartedAttempt {
  /** 1 = the first one. */
  readonly number: number
  /** Endpoint as the option `endpoint` names it. */
  readonly endpoint: string
  readonly transport: TransportName
  readonly startedAtMs: number
}

/** Sees one attempt. */
export interface AttemptObserver {
  /**
   * Headers that travel with the attempt, such as `traceparent`. Read once, when the attempt begins. A header that the
   * caller gave has precedence.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Something happened to the attempt. */
  event?(name: AttemptEventName, atMs: number, facts: EventFacts): void
  /** The attempt is over. Called once. */
  ended?(outcome: AttemptOutcome): void
}

/**
 * Events of a call outside of its attempts: it waits because `concurrency.maxCalls` are under way (`queued`, `admitted`); it
 * waits for a circuit breaker (`blocked`); another attempt follows in `delayMs` (`retry`).
 */
export type CallEventName = 'queued' | 'admitted' | 'blocked' | 'retry'

/**
 * Events of an attempt: it has a connection (`connected`); its message, or its frame, is encoded (`encoded`), compressed
 * (`compressed`) and given to the connection (`sent`); the answer begins (`answered`) and is decoded (`decoded`). An
 * operation whose session broke may be sent more than once.
 */
export type AttemptEventName = 'connected' | 'encoded' | 'compressed' | 'sent' | 'answered' | 'decoded'

/** Facts about an event, as far as they are known. */
export interface EventFacts {
  /** Size of the message or frame after this step, in bytes. */
  readonly bytes?: number | undefined
  /** Number of operations in the frame. */
  readonly operations?: number | undefined
  /** Id of the request or of the session, under which the server logs it. */
  readonly requestId?: string | undefined
  /** Time until the next attempt, in milliseconds. */
  readonly delayMs?: number | undefined
  /** Time that the server says it took, in milliseconds. */
  readonly serverMs?: number | undefined
  /** The failure that led to this. */
  readonly error?: BlobwireError | undefined
}

/** The end of an attempt. */
export interface AttemptOutcome {
  readonly atMs: number
  /** Undefined = the attempt was answered. */
  readonly error: BlobwireError | undefined
}

/** The end of a call. */
export interface CallOutcome extends AttemptOutcome {
  readonly durationMs: number
  /** How often it was sent, as `BlobwireError.attempts` counts. */
  readonly attempts: number
  readonly sent: Sent
  /** Of the last attempt; undefined = there was none. */
  readonly endpoint: string | undefined
  readonly transport: TransportName | undefined
  /** Undefined = none is known. */
  readonly requestId: string | undefined
}
