/** Interceptors as a user would write them. */
import type {
  BlobwireError,
  Bytes,
  Call,
  CallInterceptor,
  CallOf,
  ErrorReport,
  InterceptedRequest,
  Interceptor,
  Method,
  NextCall,
  NextRequest,
  RequestInterceptor,
  RequestMethod,
  RequestOf,
  ResponseMessage,
  StoreBlobResponse
} from 'blobwire'

/** Whether two types are the same. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only where the types are equal. */
export const same = <A, B>(_: Equal<A, B>): void => {}

/** For want of anything better to do with values. */
export const seen: string[] = []

const trace: CallInterceptor = async (call: Call, next: NextCall) => {
  if (call.method === 'storeBlob') {
    same<typeof call, CallOf<'storeBlob'>>(true)
    const content: Bytes = call.message.content
    const stored: StoreBlobResponse = await next({ ...call, message: { ...call.message, content } })
    seen.push(`${call.repository} ${stored.oid}`)
    return stored
  }
  if (call.method === 'commitFiles') seen.push(call.message.branch)
  if (call.method === 'batch') seen.push(`${call.message.operations.length} operations`)
  if (call.method === 'listRepositories') seen.push(call.message.prefix ?? '')
  const method: Method = call.method
  seen.push(`${method}, ${call.remainingMs()} ms left, ${call.signal.aborted}`)
  return next({ ...call, headers: { ...call.headers, 'x-team': 'docs' } })
}

const count: RequestInterceptor = async (request: InterceptedRequest, next: NextRequest) => {
  if (request.method !== 'batchOperations') return next(request)
  same<typeof request, RequestOf<'batchOperations'>>(true)
  const answer: ResponseMessage<'batchOperations'> = await next(request)
  seen.push(`${request.message.operations?.length} ${answer.results.length}`)
  return answer
}
/** Names of some requests. */
export const requests: RequestMethod[] = ['batchOperations', 'getTree']
/** One of each kind. */
export const interceptors: readonly Interceptor[] = [trace, { request: count }, (call, next) => next(call)]
/** An error as a log has it. */
export const logged = (error: BlobwireError): ErrorReport => error.toJSON({ stack: true })
