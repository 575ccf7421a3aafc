/** Unary calls of gRPC. */
import type { ServerUnaryCall } from '@grpc/grpc-js'
import { toWire } from '../../src/codec/wire-object.ts'
import type { Init, MessageName, Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { decodeProtobuf } from '../../src/transport/grpc/proto.ts'
import type { HandlerDependencies } from '../listener.ts'
import { metadataValue } from './metadata.ts'

/** A call whose request is not decoded yet. */
export type UnaryCall = ServerUnaryCall<Buffer, object>

/** The context of a unary call. */
export interface UnaryContext extends HandlerDependencies {
  readonly requestId: string
  readonly method: Method
}

/** Answers one unary call. @throws BlobwireError */
export async function handleUnary(call: UnaryCall, context: UnaryContext): Promise<object> {
  const { service, authenticator, method, requestId } = context
  const principal = authenticator.authenticate(method.name, metadataValue(call.metadata, 'authorization'))
  const gone = new AbortController()
  call.on('cancelled', () => gone.abort())
  const request = decodeProtobuf(method.request, call.request)
  const deadlineMs = deadlineOf(call)
  const callContext = { principal, signal: gone.signal, requestId, deadlineMs }
  const response = await service.call(method.name, request, callContext)
  return toWire(method.response, response as Init<Messages[MessageName]>)
}

/** grpc-js tells a date, or infinity. */
function deadlineOf(call: UnaryCall): number | undefined {
  const leftMs = Number(call.getDeadline()) - Date.now()
  return Number.isFinite(leftMs) ? performance.now() + leftMs : undefined
}
