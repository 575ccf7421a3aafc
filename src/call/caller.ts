/**
 * Errors as callers see them: with the method that was called, the endpoint, and the caller's line in the stack.
 *
 * V8 continues the stack of an error that is made in the reaction of a promise with the async functions that wait for
 * this promise ("Zero-cost async stack traces", v8.dev/docs/stack-trace-api). It finds them by walking from promise to
 * promise, so that a call that succeeds pays nothing: only a failure is passed on by an async function, which makes the
 * stack when its caller waits.
 */
import { BlobwireError, framesOf, withFrames } from '../core/error.ts'

/** The facts about a call that its error tells. */
export interface CalledMethod {
  readonly method: string
  readonly endpoint: string | undefined
}

/** Frames of Node's own event loop say nothing. */
const ofNode = /\n {4}at [^\n]*\(node:internal\/[^\n]*/g

const maxShown = 3

/** The endpoints of a client, for messages: a few of them by name. */
export function endpointsInWords(endpoints: readonly string[]): string {
  const shown = endpoints.slice(0, maxShown).join(', ')
  return endpoints.length > maxShown ? `${shown} and ${endpoints.length - maxShown} more` : shown
}

/** The frames below a function, up to the callers that wait; empty = V8 finds none. */
function callerFrames(below: (...values: never[]) => unknown): string {
  const found = new Error()
  Error.captureStackTrace?.(found, below)
  return framesOf(found).replaceAll(ofNode, '')
}

/** The frames that errors of applications had, which may be thrown again. */
const ownFrames = new WeakMap<BlobwireError, string>()

/**
 * The error for the caller. Where interceptors may have thrown it (`keepsFrames`), the caller's line comes below theirs;
 * an error of a class of the application stays the same object.
 */
export function forCaller(
  error: BlobwireError,
  called: CalledMethod,
  { below, keepsFrames = false }: { below: (...values: never[]) => unknown; keepsFrames?: boolean }
): BlobwireError {
  const frames = callerFrames(below)
  const { method, endpoint = error.endpoint } = called
  if (error.constructor === BlobwireError) {
    if (frames !== '' && !keepsFrames) return error.withFrames({ method, endpoint }, frames)
    const found = error.with({ method, endpoint })
    found.stack += frames
    return found
  }
  const own = ownFrames.get(error) ?? framesOf(error)
  ownFrames.set(error, own)
  error.stack = withFrames(error, own + frames)
  return error
}

/**
 * Rejects with the error for the caller. A promise that is resolved with this one leads V8 to whoever waits for it; that
 * takes two turns of the queue of microtasks.
 */
export async function rejection(
  error: BlobwireError,
  called: CalledMethod,
  keepsFrames: boolean = false
): Promise<never> {
  await undefined
  await undefined
  throw forCaller(error, called, { below: rejection, keepsFrames })
}
