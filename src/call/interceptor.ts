import type { UnaryCall } from '../transport/transport.ts'
import type { Call, Sink } from './call.ts'

/** The rest of the way to the server. */
export type Next = (call: Call) => Promise<object>

/** The way of what is a request of its own. */
export type UnaryInvoker = (call: UnaryCall) => Promise<object>

/**
 * One layer of the pipeline, and what an application hooks in with the option `interceptors`: it sees each call on its
 * way out and the response message, or the error, on its way back. It may change the call (`{ ...call, headers }`), but
 * not its signal. It runs inside the call's deadline.
 *
 * @example
 * const log: Interceptor = async (call, next) => {
 *   const response = await next({ ...call, headers: { ...call.headers, 'x-team': 'docs' } })
 *   console.log(call.method.name, 'done')
 *   return response
 * }
 */
export type Interceptor = (call: Call, next: Next) => Promise<object>

/** One function out of layers; the first is outermost. Built once for each client. */
export function compose(layers: readonly Interceptor[], innermost: Next): Next {
  return layers.reduceRight<Next>((next, layer) => (call) => layer(call, next), innermost)
}

/** Hands the outcome of a promise on. */
export function forward(outcome: Promise<object>, sink: Sink): void {
  outcome.then(
    (response) => sink.succeed(response),
    (error) => sink.fail(error)
  )
}
