/** Interceptors, and how something passes through a list of them: the first is outermost. */

import { BlobwireError, moreSent, type Sent } from '../core/error.ts'
import type { Init, Method } from '../schema/descriptor.ts'
import { methods } from '../schema/methods.ts'
import type { KeyedCall, Sink } from './call.ts'

/**
 * Sends a call as a request of its own.
 * @internal
 */
export type UnaryInvoker = (call: KeyedCall) => Promise<object>

/** Name of an RPC that the client sends as a request or as an operation of a frame. */
export type RequestMethod = Exclude<keyof typeof methods, 'session' | 'uploadBlob' | 'downloadBlob'>

/** The response message of an RPC. */
export type ResponseMessage<Name extends RequestMethod> =
  (typeof methods)[Name] extends Method<infer _, infer Response> ? Response : never

/** The properties that calls and requests have in common for interceptors. */
export interface Intercepted {
  /** Headers (gRPC: metadata) by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Aborts when the call has ended and nobody waits for the result any more. */
  readonly signal: AbortSignal
  /** Time left until the call's deadline, in milliseconds. */
  remainingMs(): number
}

/** A request of one RPC, as a request interceptor sees it. */
export interface RequestOf<Name extends RequestMethod> extends Intercepted {
  readonly method: Name
  /** Request message. Fields that have their proto3 default may be absent. */
  readonly message: (typeof methods)[Name] extends Method<infer Request, infer _> ? Init<Request> : never
}

/** A request, as a request interceptor sees it. `request.method === 'getTree'` narrows `request.message`. */
export type InterceptedRequest = { [Name in RequestMethod]: RequestOf<Name> }[RequestMethod]

/** Passes the request on to the next interceptor, or to the server, and returns the response. */
export type NextRequest = <Name extends RequestMethod>(
  request: Pick<RequestOf<Name>, 'method' | 'message' | 'headers'>
) => Promise<ResponseMessage<Name>>

/**
 * A function around every request that a call makes. `getTree` makes one request for each page, `batch` one for each
 * part, and `commitFiles` several. The interceptor sees a request once, also when the client retries the request.
 */
export type RequestInterceptor = (
  request: InterceptedRequest,
  next: NextRequest
) => Promise<ResponseMessage<RequestMethod>>

/**
 * What an interceptor may change.
 * @internal
 */
export interface Changeable {
  readonly message: object
  readonly headers: Readonly<Record<string, string>>
}

/** An interceptor without the types of messages. */
type Layer = (seen: object, next: (changed: Changeable) => Promise<unknown>) => Promise<unknown>

/**
 * How something passes through interceptors.
 * @internal
 */
export interface Passage<Changed extends Changeable> {
  /** What an interceptor sees: plain properties, because it may spread them. */
  show(changed: Changed): object
  /** Below the last interceptor. */
  innermost(changed: Changed): Promise<unknown>
}

/**
 * Sends something through interceptors; each may send it on once, several times or not at all.
 * @internal
 */
export function passThrough<Changed extends Changeable>(
  layers: readonly unknown[],
  start: Changed,
  passage: Passage<Changed>
): Promise<unknown> {
  const step = (index: number, changed: Changed): Promise<unknown> => {
    if (index === layers.length) return passage.innermost(changed)
    return (layers[index] as Layer)(passage.show(changed), (further) => step(index + 1, further as Changed))
  }
  return step(0, start)
}

/**
 * The interceptor, with an error that tells its position where it forgets an argument or to return.
 * @internal
 */
export function checked<Interceptor>(interceptor: Interceptor, index: number): Interceptor {
  const layer = interceptor as Layer
  const checking: Layer = async (seen, next) => {
    let sent: Sent = 'never'
    const failed = (what: string) =>
      new BlobwireError({
        reason: 'interceptor',
        message: `interceptors[${index}] ${what}`,
        sent,
        attempts: sent === 'never' ? 0 : 1
      })
    const result: unknown = await layer(seen, async (changed?: Changeable) => {
      if (!changed) throw failed('called next() without the call; use next(call)')
      sent = moreSent(sent, 'maybe')
      const answer = await next(changed)
      sent = 'processed'
      return answer
    })
    if (result === undefined || result === null) throw failed('returned nothing; is a return missing?')
    return result
  }
  return checking as Interceptor
}

const names = new Map<Method, string>(Object.entries(methods).map(([name, method]) => [method as Method, name]))

/**
 * The name of an RPC as interceptors see it.
 * @internal
 */
export function methodName(method: Method): string {
  return names.get(method) ?? method.name
}

/**
 * Hands the outcome of a promise on.
 * @internal
 */
export function forward(outcome: Promise<object>, sink: Sink): void {
  outcome.then(
    (response) => sink.succeed(response),
    (error) => sink.fail(error)
  )
}
