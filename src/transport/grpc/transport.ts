/** The gRPC transport, through grpc-js. */
import type { ServiceError } from '@grpc/grpc-js'
import { decodeProtobuf, encodeProtobuf } from '../../codec/protobuf.ts'
import { GrpcChannel } from '../../connection/grpc/channel.ts'
import { asIs, type StreamListener } from '../../connection/grpc/connection.ts'
import type { GrpcEndpoint } from '../../connection/grpc/grpc-endpoint.ts'
import { refusePushes } from '../../connection/grpc/refuse-pushes.ts'
import { GrpcTransferConnections } from '../../connection/grpc/transfer-connections.ts'
import { codeNumbers } from '../../core/code.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Init, MessageName } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { serviceName } from '../../schema/methods.ts'
import { asResponseError, errorFromException } from '../errors.ts'
import { compressionThresholdBytes, type Transport, type TransportOptions, type UnaryCall } from '../transport.ts'
import { compressIfSmaller } from './compression.ts'
import { downloadOverGrpc } from './download.ts'
import { errorFromService, isReset } from './errors.ts'
import { openGrpcSession } from './session.ts'
import { uploadOverGrpc } from './upload.ts'

const noBytes = Buffer.alloc(0)

function endedAtDeadline({ reason }: AbortSignal): boolean {
  return reason instanceof BlobwireError && reason.code === 'deadline_exceeded'
}

/** Makes a transport that speaks gRPC over HTTP/2 (grpc.io, "gRPC over HTTP2"). */
export function createGrpcTransport(context: GrpcEndpoint, options: TransportOptions): Transport {
  const { counters, grpc } = context
  refusePushes()
  const channel = new GrpcChannel(context, options)
  const { maxResponseBytes } = options
  const transfers = { grpc, connections: new GrpcTransferConnections(context), maxResponseBytes }
  const interceptors = options.compression !== 'none' ? [compressIfSmaller(grpc, compressionThresholdBytes)] : []

  function unary(call: UnaryCall): Promise<Buffer> {
    const take = (bytes: Buffer) => {
      counters.bytesReceived += bytes.length
      counters.uncompressedBytesReceived += bytes.length
      connection.messageReceived()
      return bytes
    }
    const request = encodeProtobuf(call.method.request, call.request as Init<Messages[MessageName]>)
    counters.bytesSent += request.length
    counters.uncompressedBytesSent += request.length
    call.events?.event('encoded', { bytes: request.length })
    const metadata = new grpc.Metadata()
    for (const [name, value] of Object.entries(call.headers)) metadata.set(name, value)
    counters.requests++
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const listener: StreamListener = {
      onReady: () => call.events?.event('connected'),
      onGoaway: () => undefined,
      onLost(error) {
        reject(error.with({ transport: 'grpc', attempts: 1 }))
        stream.cancel()
      }
    }
    const connection = channel.begin(listener)
    const receivedBefore = connection.messagesReceived
    const stream = connection.client.makeUnaryRequest(
      `/${serviceName}/${call.method.name}`,
      asIs,
      take,
      request,
      metadata,
      { deadline: Date.now() + call.remainingMs(), interceptors },
      (error: ServiceError | null, response?: Buffer) => {
        call.signal.removeEventListener('abort', cancel)
        connection.end(listener)
        if (error === null) connection.messageReceived()
        // At the deadline, either grpc-js's timer or the pipeline's is the first to end the call.
        const isLate = error?.code === codeNumbers.deadline_exceeded || endedAtDeadline(call.signal)
        if (isLate && connection.messagesReceived === receivedBefore) connection.suspect()
        if (error && !call.signal.aborted && isReset(error)) connection.streamReset()
        if (error) reject(errorFromService(error).with({ transport: 'grpc', attempts: 1 }))
        else resolve(response ?? noBytes)
      }
    )
    call.events?.event('sent', { bytes: request.length, requestId: call.headers['x-request-id'] })
    const cancel = () => stream.cancel()
    call.signal.addEventListener('abort', cancel)
    // The signal may have aborted before the listener was added.
    if (call.signal.aborted) cancel()
    return promise
  }

  const toError = (exception: unknown) => errorFromException(exception).with({ transport: 'grpc', attempts: 1 })
  const failed = (exception: unknown): never => {
    throw toError(exception)
  }

  return {
    name: 'grpc',
    async unary(call) {
      const response = await unary(call)
      call.events?.event('answered', { bytes: response.length })
      try {
        const decoded = decodeProtobuf(call.method.response, response)
        call.events?.event('decoded', { bytes: response.length })
        return decoded
      } catch (error) {
        throw asResponseError(error).with({ transport: 'grpc', attempts: 1 })
      }
    },
    openSession(opening) {
      return openGrpcSession({ grpc, channel, gzip: options.compression !== 'none', counters }, opening)
    },
    upload: (attempt) => uploadOverGrpc(transfers, attempt).catch(failed),
    download: (attempt) => downloadOverGrpc(transfers, attempt, toError).catch(failed),
    canConnect: () => channel.canConnect(),
    closeIdle() {
      channel.closeIdle()
      transfers.connections.closeIdle()
    },
    async close() {
      channel.close()
      transfers.connections.close()
    }
  }
}
