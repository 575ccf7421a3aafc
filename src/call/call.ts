/** One call on its way through the client, as its layers see it. */
import type { OwnHeaders } from '../batch/own-headers.ts'
import type { BlobwireError, Sent, TransportName } from '../core/error.ts'
import type { ObservedCall, ObserverHeader } from '../telemetry/observed-call.ts'
import type { UnaryCall } from '../transport/transport.ts'
import type { CallPolicy } from './call-policy.ts'

/** How far a call has got. */
export interface Progress {
  readonly sent: Sent
  /** Times it was sent. */
  readonly attempts: number
  /** The transport of the last attempt. */
  readonly transport?: TransportName | undefined
  /** Its endpoint. */
  readonly endpoint?: string | undefined
}

/** A layer's part of a call, which ends with the call. */
export interface Cancellable {
  /** The call has ended before its answer; its caller gets `error`. */
  cancel(error: BlobwireError): void
  progress(): Progress
}

/** A call as a request of its own, with the key that its write has. */
export interface KeyedCall extends UnaryCall {
  /** The same in every attempt; undefined for calls that are no write of refs or repositories. */
  readonly requestKey?: string | undefined
  /** Times that the layers below may send it; undefined = as many as they do by themselves. */
  readonly maxSends?: number | undefined
  /** Calls that it stands for; undefined = 1. */
  readonly callCount?: number
  /** Those that observers add to the attempt; undefined = none. */
  readonly observerHeaders?: readonly ObserverHeader[] | undefined
}

/** A call that has begun: a request with a deadline, which may be cancelled. */
export interface Call extends KeyedCall {
  /** The transport that the caller asked for; undefined = the one that the client uses. */
  readonly transport?: TransportName | undefined
  /** The bearer token of this call; undefined = the client's. */
  readonly token?: string | undefined
  /** The headers that the caller gave, besides the client's; undefined = none, or an interceptor changed them. */
  readonly ownHeaders?: OwnHeaders | undefined
  /** The call yields to others; undefined = false. */
  readonly isBackground?: boolean
  /** What it has otherwise than the client; undefined = nothing. */
  readonly policy?: CallPolicy | undefined
  /** Tells the observers of the call; undefined = it has none. */
  readonly observed?: ObservedCall | undefined
  /** Names the one part that hears of the call's early end; cheaper than `signal`. */
  onCancel(part: Cancellable): void
}

/** Takes the outcome of a call, once. */
export interface Sink {
  succeed(response: object): void
  /** `isResult` = the error is the result of one operation of an answer, so that the endpoint works. */
  fail(error: unknown, isResult?: boolean): void
}
