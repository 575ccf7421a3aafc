/** The form of gRPC that carries large blobs, on connections of node:http2. Source: grpc.io, "gRPC over HTTP2". */
import type { ServiceError } from '@grpc/grpc-js'
import type { GrpcModule } from '../../connection/grpc/grpc-js.ts'
import type { GrpcTransferConnections } from '../../connection/grpc/transfer-connections.ts'
import type { TransferHeaders, TransferResponse } from '../../connection/http2/transfer.ts'
import { codeFromHttpStatus, codeNumbers } from '../../core/code.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Method } from '../../schema/descriptor.ts'
import { serviceName } from '../../schema/methods.ts'
import { malformedResponse } from '../errors.ts'
import { errorFromService } from './errors.ts'

/** The dependencies of uploads and downloads. */
export interface GrpcTransferContext {
  readonly grpc: GrpcModule
  readonly connections: GrpcTransferConnections
  /** Bounds one message. */
  readonly maxResponseBytes: number
}

/** One stream. */
export interface GrpcTransferRequest {
  readonly method: Method
  readonly headers: Readonly<Record<string, string>>
  /** Messages with their prefixes, in pieces. */
  readonly body: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
}

/** Sends the request. Its answer has messages, and `checkStatus` tells its end. @throws BlobwireError, and the errors of node:http2 */
export async function openGrpcTransfer(
  { grpc, connections }: GrpcTransferContext,
  { method, headers, body, signal }: GrpcTransferRequest
): Promise<TransferResponse> {
  const response = await connections.transfer({
    method: 'POST',
    path: `/${serviceName}/${method.name}`,
    headers: { ...headers, te: 'trailers', 'content-type': 'application/grpc' },
    body,
    isDuplex: true,
    signal
  })
  const error = errorOfHeaders(grpc, response)
  if (error === undefined) return response
  response.discard()
  throw error
}

/** An answer without messages has its status among its headers. */
function errorOfHeaders(grpc: GrpcModule, { status, headers }: TransferResponse): BlobwireError | undefined {
  if (headers['grpc-status'] !== undefined) return statusOf(grpc, headers)
  if (status !== 200) {
    const code = codeNumbers[codeFromHttpStatus(status)]
    return serviceError(grpc, headers, { code, details: `Received HTTP status code ${status}` })
  }
  const type = String(headers['content-type'] ?? '')
  if (type.startsWith('application/grpc')) return undefined
  return malformedResponse(`content-type must be application/grpc, not ${JSON.stringify(type.slice(0, 80))}`)
}

/** Reads the answer to its end, whose status counts however the stream then ends. @throws BlobwireError, and the errors of node:http2 */
export async function* readToStatus(
  { grpc }: GrpcTransferContext,
  response: TransferResponse
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* response.chunks
  } catch (error) {
    if (response.trailers['grpc-status'] === undefined) throw error
  }
  const isAlone = response.headers['grpc-status'] !== undefined
  const error = statusOf(grpc, isAlone ? response.headers : response.trailers)
  if (error) throw error
}

/** The error that a status is; undefined = success. */
function statusOf(grpc: GrpcModule, fields: TransferHeaders): BlobwireError | undefined {
  const status = fields['grpc-status']
  if (status === '0') return undefined
  if (status === undefined) {
    const message = 'the stream ended without grpc-status'
    return new BlobwireError({ code: 'unavailable', message, sent: 'maybe' })
  }
  return serviceError(grpc, fields, {
    code: Number(status),
    details: percentDecoded(String(fields['grpc-message'] ?? ''))
  })
}

function serviceError(
  { Metadata }: GrpcModule,
  fields: TransferHeaders,
  { code, details }: { readonly code: number; readonly details: string }
): BlobwireError {
  const metadata = Metadata.fromHttp2Headers({ ...fields })
  return errorFromService(Object.assign(new Error(`${code}: ${details}`), { code, details, metadata }) as ServiceError)
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
