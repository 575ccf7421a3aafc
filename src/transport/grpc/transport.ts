import { Metadata, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../codec/proto.ts'
import { checkMessage, pruneMessage } from '../../codec/shape-check.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods, serviceName } from '../../schema/methods.ts'
import type { Init, ShapeName } from '../../schema/shape.ts'
import { malformedResponse } from '../errors.ts'
import { gzipThresholdBytes, type OutgoingCall, type Transport, type TransportOptions } from '../transport.ts'
import { GrpcChannel } from './channel.ts'
import { compressWhatPays } from './compression.ts'
import type { StreamListener } from './connection.ts'
import { errorFromService, isReset } from './errors.ts'
import type { GrpcTransportParts } from './parts.ts'
import { refusePushes } from './pushes.ts'
import { openGrpcSession } from './session.ts'

function endedAtDeadline({ reason }: AbortSignal): boolean {
  return reason instanceof BlobwireError && reason.code === 'deadline_exceeded'
}

const asIs = (bytes: Buffer) => bytes

/** gRPC over HTTP/2 (grpc.io, "gRPC over HTTP2"), through grpc-js. */
export function createGrpcTransport(parts: GrpcTransportParts, options: TransportOptions): Transport {
  const { counters } = parts
  refusePushes()
  const service = loadProto()[serviceName] as ServiceDefinition
  const channel = new GrpcChannel(parts, options)
  const interceptors = options.gzip ? [compressWhatPays(gzipThresholdBytes)] : []
  const methodOf = (name: string) => service[name] as MethodDefinition<object, object>

  function unary(call: OutgoingCall): Promise<object> {
    const { path, requestSerialize, responseDeserialize } = methodOf(call.method.name)
    const deserialize = (bytes: Buffer) => {
      counters.bytesReceived += bytes.length
      connection.hear()
      return responseDeserialize(bytes)
    }
    const request = requestSerialize(pruneMessage(call.method.request, call.request as Init<Messages[ShapeName]>))
    counters.bytesSent += request.length
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(call.headers)) metadata.set(name, value)
    counters.requests++
    const { promise, resolve, reject } = Promise.withResolvers<object>()
    const listener: StreamListener = {
      onReady: () => undefined,
      onMove: () => undefined,
      onLost(error) {
        reject(error.with({ transport: 'grpc', attempts: 1 }))
        stream.cancel()
      }
    }
    const connection = channel.begin(listener)
    const heardBefore = connection.heard
    const stream = connection.client.makeUnaryRequest(
      path,
      asIs,
      deserialize,
      request,
      metadata,
      { deadline: Date.now() + call.remainingMs(), interceptors },
      (error: ServiceError | null, response?: object) => {
        call.signal.removeEventListener('abort', cancel)
        connection.end(listener)
        if (error === null) connection.hear()
        // Either of two timers may be the first to end the call at its deadline.
        const isLate = error?.code === status.DEADLINE_EXCEEDED || endedAtDeadline(call.signal)
        if (isLate && connection.heard === heardBefore) connection.suspect()
        if (error && !call.signal.aborted && isReset(error)) connection.unanswered()
        if (error) reject(errorFromService(error).with({ transport: 'grpc', attempts: 1 }))
        else resolve(response ?? {})
      }
    )
    const cancel = () => stream.cancel()
    call.signal.addEventListener('abort', cancel)
    // It may have ended before it came here.
    if (call.signal.aborted) cancel()
    return promise
  }

  return {
    name: 'grpc',
    async unary(call) {
      const response = await unary(call)
      try {
        return checkMessage(call.method.response, response)
      } catch (error) {
        throw malformedResponse((error as Error).message, error).with({ transport: 'grpc', attempts: 1 })
      }
    },
    openSession(opening) {
      return openGrpcSession({ channel, method: methodOf(methods.session.name), gzip: options.gzip, counters }, opening)
    },
    async close() {
      channel.close()
    }
  }
}
