/** Each RPC of the service as a handler of grpc-js. */
import { Metadata, type ServerDuplexStream, type sendUnaryData, type UntypedServiceImplementation } from '@grpc/grpc-js'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods } from '../../src/schema/methods.ts'
import { drainStream } from '../http/drain.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { type DownloadStream, handleDownload } from './download.ts'
import { toStatus } from './errors.ts'
import type { IncomingCall, IncomingCalls } from './incoming-calls.ts'
import type { RawRequest } from './requests.ts'
import { handleSession } from './session.ts'
import { handleUnary, type UnaryCall } from './unary.ts'
import { handleUpload, type UploadStream } from './upload.ts'
import { handleWatch, type WatchStream } from './watch.ts'

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

function trailerOf(requestId: string): Metadata {
  const trailer = new Metadata()
  trailer.set('x-request-id', requestId)
  return trailer
}

/** The status of a call that failed. */
function failed({ record }: IncomingCall, error: unknown) {
  const failure = toBlobwireError(error)
  record.failed(failure)
  record.end()
  return toStatus(failure, record.requestId)
}

function unary(method: Method, dependencies: GrpcHandlerDependencies) {
  return (call: UnaryCall, callback: sendUnaryData<object>) => {
    const incoming = dependencies.calls.of(call.metadata)
    const { requestId } = incoming
    const answered = handleUnary(call, { ...dependencies, incoming, requestId, method }).then(
      (response) => {
        incoming.record.end()
        callback(null, response, trailerOf(requestId))
      },
      (error) => callback(failed(incoming, error))
    )
    track(dependencies.pending, answered)
  }
}

function session(dependencies: GrpcHandlerDependencies) {
  return (stream: ServerDuplexStream<RawRequest, object>) => {
    const call = dependencies.calls.of(stream.metadata)
    const { requestId } = call
    const served = handleSession(stream, { ...dependencies, call, requestId }).then(
      () => call.record.end(),
      (error) => void stream.emit('error', failed(call, error))
    )
    track(dependencies.pending, served)
  }
}

function upload(dependencies: GrpcHandlerDependencies) {
  return (stream: UploadStream, callback: sendUnaryData<object>) => {
    const incoming = dependencies.calls.of(stream.metadata)
    const { requestId } = incoming
    const answered = handleUpload(stream, { ...dependencies, incoming, requestId }).then(
      (response) => {
        incoming.record.end()
        callback(null, response, trailerOf(requestId))
      },
      (error) => {
        callback(failed(incoming, error))
        // The client may send on.
        drainStream(incoming.stream.removeAllListeners('data'))
      }
    )
    track(dependencies.pending, answered)
  }
}

function download(dependencies: GrpcHandlerDependencies) {
  return (stream: DownloadStream) => {
    const incoming = dependencies.calls.of(stream.metadata)
    const { requestId } = incoming
    const answered = handleDownload(stream, { ...dependencies, incoming, requestId }).then(
      () => {
        incoming.record.end()
        stream.end(trailerOf(requestId))
      },
      (error) => void stream.emit('error', failed(incoming, error))
    )
    track(dependencies.pending, answered)
  }
}

function watch(dependencies: GrpcHandlerDependencies) {
  return (stream: WatchStream) => {
    const incoming = dependencies.calls.of(stream.metadata)
    const { requestId } = incoming
    const served = handleWatch(stream, { ...dependencies, incoming, requestId }).then(
      () => incoming.record.end(),
      (error) => void stream.emit('error', failed(incoming, error))
    )
    track(dependencies.pending, served)
  }
}

/** The handlers of all RPCs, by name. */
export function createHandlers(dependencies: GrpcHandlerDependencies): UntypedServiceImplementation {
  const handlerOf = (method: Method) => {
    if (method === methods.session) return session(dependencies)
    if (method === methods.uploadBlob) return upload(dependencies)
    if (method === methods.downloadBlob) return download(dependencies)
    if (method === methods.watchRefs) return watch(dependencies)
    return unary(method, dependencies)
  }
  return Object.fromEntries(Object.values(methods).map((method: Method) => [method.name, handlerOf(method)]))
}
