/** Each RPC of the service as a handler of grpc-js. */
import { Metadata, type ServerDuplexStream, type sendUnaryData, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { BlobwireError } from '../../src/core/error.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods } from '../../src/schema/methods.ts'
import type { HandlerDependencies } from '../listener.ts'
import { requestIdOf } from '../service/context.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { toStatus } from './errors.ts'
import type { IncomingCalls } from './incoming-calls.ts'
import type { RawRequest } from './requests.ts'
import { handleSession } from './session.ts'
import { handleUnary, type UnaryCall } from './unary.ts'

/** The objects that the handlers work with. */
export interface GrpcHandlerDependencies extends HandlerDependencies {
  readonly calls: IncomingCalls
  /** Calls and sessions that are being answered. */
  readonly pending: Set<Promise<unknown>>
}

function track(pending: Set<Promise<unknown>>, call: Promise<unknown>): void {
  const tracked = call.finally(() => pending.delete(tracked))
  pending.add(tracked)
}

function unary(method: Method, dependencies: GrpcHandlerDependencies) {
  return (call: UnaryCall, callback: sendUnaryData<object>) => {
    const incoming = dependencies.calls.of(call.metadata)
    const { requestId } = incoming
    const answered = handleUnary(call, { ...dependencies, incoming, requestId, method }).then(
      (response) => {
        const trailer = new Metadata()
        trailer.set('x-request-id', requestId)
        callback(null, response, trailer)
      },
      (error) => callback(toStatus(toBlobwireError(error), requestId))
    )
    track(dependencies.pending, answered)
  }
}

function session(dependencies: GrpcHandlerDependencies) {
  return (stream: ServerDuplexStream<RawRequest, object>) => {
    const call = dependencies.calls.of(stream.metadata)
    const { requestId } = call
    const served = handleSession(stream, { ...dependencies, call, requestId }).catch((error) => {
      stream.emit('error', toStatus(toBlobwireError(error), requestId))
    })
    track(dependencies.pending, served)
  }
}

/** The streams of large blobs. */
function notYet(method: Method) {
  return (call: { emit(event: 'error', status: object): void }, callback?: sendUnaryData<object>) => {
    const error = new BlobwireError({ code: 'unimplemented', message: `${method.name} is not implemented` })
    const status = toStatus(error, requestIdOf(undefined))
    if (callback) callback(status)
    else call.emit('error', status)
  }
}

/** The handlers of all RPCs, by name. */
export function createHandlers(dependencies: GrpcHandlerDependencies): UntypedServiceImplementation {
  const handlerOf = (method: Method) => {
    if (method === methods.session) return session(dependencies)
    return method.kind === 'unary' ? unary(method, dependencies) : notYet(method)
  }
  return Object.fromEntries(Object.values(methods).map((method: Method) => [method.name, handlerOf(method)]))
}
