/** The form of the input and the options of every call, which are taken over when the call is made. */
import type { CallOptions } from '../call/call-options.ts'
import { expectedKeys, show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { checkHeaders } from '../core/headers.ts'
import { blobShapes } from './blob-shapes.ts'
import type { CallMessages, Method } from './interceptor.ts'
import { shapeOf } from './other-operations.ts'
import { count, object, type Take, text } from './take.ts'

const shapes: { readonly [Name in Method]?: Take } = {
  ...blobShapes,
  listRepositories: object({ prefix: text, pageSize: count, pageToken: text }),
  getCapabilities: object({})
}

/**
 * The input of a call, checked and copied but for its contents.
 * @throws BlobwireError `invalid_argument` that names the call, the field and what is allowed
 */
export function takeInput<Name extends Method>(method: Name, input: CallMessages[Name]): CallMessages[Name] {
  try {
    return (shapes[method] ?? shapeOf(method))(input) as CallMessages[Name]
  } catch (problem) {
    if (!(problem instanceof FieldProblem)) throw problem
    const { path: key } = problem
    const isOption = key === 'requestKey' ? ownOptions[method]?.includes(key) : optionKeys.includes(key)
    if (!isOption) throw problem.toError(method)
    throw invalidArgument(key, `is no key of the input but an option, in the last argument: { ${key} }`, method)
  }
}

export const optionKeys: readonly string[] = [
  ...['signal', 'timeoutMs', 'headers', 'token', 'transport', 'priority', 'retry', 'attemptTimeoutMs', 'hedge']
]

/** Options of single calls besides those that all have. */
const ownOptions: { readonly [Name in Method]?: readonly string[] } = {
  createRepository: ['objectFormat', 'defaultBranch', 'requestKey'],
  updateRepository: ['requestKey'],
  deleteRepository: ['requestKey'],
  storeTree: ['baseTree'],
  commitFiles: ['requestKey', 'stallTimeoutMs', 'onProgress'],
  updateRefs: ['requestKey'],
  upload: ['size', 'oid', 'stallTimeoutMs', 'onProgress', 'resume', 'onResumeToken'],
  batch: ['atomic', 'requestKey']
}

/** Name of a method that takes options: also of those that make several calls. */
type CalledName = Method | 'readFiles' | 'archive' | 'checkout'

/** @throws BlobwireError `invalid_argument` for options that the call does not have */
export function checkCallOptions(method: CalledName, options: CallOptions | undefined): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const hint = method === 'getBlob' && typeof options === 'string' ? '; by path: getBlob({ revision, path })' : ''
    throw invalidArgument('options', `must be an object of options, not ${show(options)}${hint}`)
  }
  for (const key in options) {
    const own = ownOptions[method as Method] ?? []
    if (optionKeys.includes(key) || own.includes(key)) continue
    const description = `unknown option; ${expectedKeys(key, [...optionKeys, ...own])}`
    throw invalidArgument(key, description, method)
  }
}

/** The options of a call, checked and copied. */
export function takeOptions(method: CalledName, options: CallOptions): CallOptions {
  checkCallOptions(method, options)
  return options.headers === undefined ? { ...options } : { ...options, headers: checkHeaders(options.headers) }
}
