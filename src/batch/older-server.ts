/** Errors of servers that are older than a call: they refuse it in words of their own. */
import type { KeyedCall } from '../call/call.ts'
import { methodName } from '../call/interceptor.ts'
import { BlobwireError } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import { methods } from '../schema/methods.ts'

/** Methods that servers of the first versions do not have. */
const laterMethods = new Set<Method>([
  methods.storeObject,
  methods.getObject,
  methods.storeTag,
  methods.getTag,
  methods.downloadBlob
])

/** The error of a request: an older server does not know Apply, nor later methods. */
export function requestError(error: BlobwireError, call: Pick<KeyedCall, 'method' | 'requestKey'>): BlobwireError {
  const isKeyed = call.requestKey !== undefined
  if (isKeyed && isUnknownWrite(error)) return tooOld(error, methodName(call.method), false)
  if (error.code !== 'unimplemented' || error.reason !== '') return error
  if (!isKeyed && !laterMethods.has(call.method)) return error
  // A proxy in front of the server answers with a bare status.
  const isOfServer = error.requestId !== undefined || !/HTTP status/.test(error.message)
  return isOfServer && error.sent === 'processed' ? tooOld(error, methodName(call.method), isKeyed) : error
}

/** A server with Apply that does not know the write finds none in the request. */
const isUnknownWrite = ({ code, details }: BlobwireError) =>
  code === 'invalid_argument' && (details.violations?.some(({ field }) => field === 'apply') ?? false)

/** The error of an operation of a batch: an older server finds none in it. */
export function operationError(error: BlobwireError, name: string, isKeyed: boolean): BlobwireError {
  const isUnknown = error.details.violations?.some(({ field }) => field === 'operation') ?? false
  return error.code === 'invalid_argument' && isUnknown ? tooOld(error, name, isKeyed) : error
}

function tooOld(error: BlobwireError, name: string, isKeyed: boolean): BlobwireError {
  const { sent, attempts, requestId, transport } = error
  const facts = { sent, attempts, requestId, transport, cause: error }
  const message = `the server is too old for ${isKeyed ? 'request keys (Apply)' : name}; update the server before its clients`
  if (isKeyed) return new BlobwireError({ reason: 'no_request_keys', message, ...facts })
  return new BlobwireError({ reason: 'no_such_method', message, ...facts })
}
