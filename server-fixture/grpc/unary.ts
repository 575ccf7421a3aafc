/** Unary calls of gRPC. */
import type { ServerUnaryCall } from '@grpc/grpc-js'
import type { Init, MessageName, Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { type HandlerDependencies, maxRequestBytes } from '../listener.ts'
import { within } from '../service/within.ts'
import type { IncomingCall } from './incoming-calls.ts'
import { decodeRequest, encodeResponse, type RawRequest } from './requests.ts'

export type UnaryCall = ServerUnaryCall<RawRequest, object>

/** The context of a unary call. */
export interface UnaryContext extends HandlerDependencies {
  readonly incoming: IncomingCall
  readonly requestId: string
  readonly method: Method
}

/** Answers one unary call. @throws BlobwireError */
export async function handleUnary(call: UnaryCall, context: UnaryContext): Promise<object> {
  const { service, method, requestId } = context
  const { principal, encoding, charge, record } = context.incoming
  const gone = new AbortController()
  call.on('cancelled', () => gone.abort())
  const request = await decodeRequest(method.request, call.request, {
    encoding,
    maxBytes: maxRequestBytes(method, service.limits),
    charge,
    record
  })
  record.called(method.name, request)
  // At the client's deadline, grpc-js ends the call.
  const leftMs = Number(call.getDeadline()) - Date.now()
  const limitMs = Number.isFinite(leftMs) ? leftMs : context.callTimeoutMs
  const deadlineMs = performance.now() + limitMs
  const answer = service.call(method.name, request, { principal, signal: gone.signal, requestId, deadlineMs })
  const response = await (Number.isFinite(leftMs) ? answer : within(limitMs, answer, gone))
  record.answered(request, response)
  return encodeResponse(method.response, response as Init<Messages[MessageName]>, record)
}
