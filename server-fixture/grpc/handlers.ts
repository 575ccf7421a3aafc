/** Each RPC of the service as a handler of grpc-js. */
import {
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type StatusObject,
  type sendUnaryData,
  type UntypedServiceImplementation
} from '@grpc/grpc-js'
import { fromWire, toWire } from '../../src/codec/wire-object.ts'
import { codeNumbers } from '../../src/core/code.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { Init, MessageName, Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { encodeStatus } from '../../src/transport/grpc/proto.ts'
import { errorDetail, toBlobwireError } from '../service/error-detail.ts'
import type { GrpcParts } from './parts.ts'
import { serveSession } from './session.ts'

function single(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name)
  return typeof value === 'string' ? value : undefined
}

function requestIdOf(metadata: Metadata, newRequestId: () => string): string {
  const id = single(metadata, 'x-request-id')
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : newRequestId()
}

/** Of the details of an error, as they are encoded. Peers end the connection over more headers than they allow: 8 KiB. */
const maxDetailBytes = 4096

/** As much of the lists of an error as a trailer has room for; its message tells how many there were. */
function statusDetails(code: number, message: string, detail: Messages['ErrorDetail']): Buffer {
  const encoded = encodeStatus({ code, message, detail })
  const { missingOids, refMismatches, violations } = detail
  const longest = Math.max(missingOids.length, refMismatches.length, violations.length)
  if (encoded.length <= maxDetailBytes || longest === 0) return encoded
  const keep = Math.min(longest - 1, Math.floor((longest * maxDetailBytes) / encoded.length))
  const shorter = {
    missingOids: missingOids.slice(0, keep),
    refMismatches: refMismatches.slice(0, keep),
    violations: violations.slice(0, keep)
  }
  return statusDetails(code, message, { ...detail, ...shorter })
}

/** An error as a gRPC status, with the details of the richer error model (grpc.io, "Error handling"). */
function toStatus(error: BlobwireError, requestId: string): Partial<StatusObject> {
  const metadata = new Metadata()
  const code = codeNumbers[error.code]
  const { message } = error
  metadata.set('grpc-status-details-bin', statusDetails(code, message, errorDetail(error, requestId)))
  metadata.set('x-request-id', requestId)
  return { code, details: message, metadata }
}

type UnaryCall = ServerUnaryCall<object, object>

async function answer(method: Method, call: UnaryCall, requestId: string, parts: GrpcParts): Promise<object> {
  const open = method === methods.getCapabilities
  const authorization = single(call.metadata, 'authorization')
  const principal = open ? { may: () => true } : parts.authenticator.authenticate(authorization)
  const gone = new AbortController()
  call.on('cancelled', () => gone.abort())
  const request = fromWire(method.request, call.request)
  const response = await parts.service.call(method.name, request, { principal, signal: gone.signal, requestId })
  return toWire(method.response, response as Init<Messages[MessageName]>)
}

function unary(method: Method, parts: GrpcParts) {
  return (call: UnaryCall, callback: sendUnaryData<object>) => {
    const requestId = requestIdOf(call.metadata, parts.newRequestId)
    const answered = answer(method, call, requestId, parts).finally(() => parts.calls.delete(answered))
    parts.calls.add(answered)
    answered.then(
      (response) => {
        const trailer = new Metadata()
        trailer.set('x-request-id', requestId)
        callback(null, response, trailer)
      },
      (error) => callback(toStatus(toBlobwireError(error), requestId))
    )
  }
}

function session(parts: GrpcParts) {
  return (stream: ServerDuplexStream<object, object>) => {
    const requestId = requestIdOf(stream.metadata, parts.newRequestId)
    const served = serveSession(stream, {
      parts,
      requestId,
      authorization: single(stream.metadata, 'authorization'),
      fail: (error) => stream.emit('error', toStatus(error, requestId))
    }).finally(() => parts.calls.delete(served))
    parts.calls.add(served)
  }
}

/** The streams of large blobs are not there yet, and say so. */
function notYet(method: Method, parts: GrpcParts) {
  return (call: { emit(event: 'error', status: object): void }, callback?: sendUnaryData<object>) => {
    const error = new BlobwireError({ code: 'unimplemented', message: `${method.name} is not served yet` })
    const status = toStatus(error, parts.newRequestId())
    if (callback) callback(status)
    else call.emit('error', status)
  }
}

/** The handlers of all RPCs, by name. */
export function createHandlers(parts: GrpcParts): UntypedServiceImplementation {
  const handlerOf = (method: Method) => {
    if (method === methods.session) return session(parts)
    return method.kind === 'unary' ? unary(method, parts) : notYet(method, parts)
  }
  return Object.fromEntries(Object.values(methods).map((method: Method) => [method.name, handlerOf(method)]))
}
