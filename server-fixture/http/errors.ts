/** Errors in the form of the Connect protocol. */
import type { OutgoingHttpHeaders } from 'node:http'
import { encodeProtobuf } from '../../src/codec/protobuf.ts'
import { codeToConnect, httpStatusFromCode } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { encodeBase64 } from '../../src/platform/bytes.ts'
import { errorDetail } from '../service/error-detail.ts'
import type { Exchange } from './exchange.ts'

/** Connect's error object, the body of a unary error and part of the end-stream message. */
export function connectErrorObject(error: BlobwireError, requestId: string): object {
  const detail = errorDetail(error, requestId)
  const value = encodeBase64(encodeProtobuf('ErrorDetail', detail)).replace(/=+$/, '')
  const details = [{ type: 'blobwire.v1.ErrorDetail', value, debug: detail }]
  return { code: codeToConnect(error.code), message: error.message, details }
}

/** Parts of an answer that depend on the route. */
export interface ErrorExtras {
  /** @default that of the error's code */
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  /** Members beside those of Connect's error object. */
  readonly members?: object
}

/** Sends Connect's JSON error object, whatever the codec. */
export function respondError(
  exchange: Exchange,
  requestId: string,
  error: BlobwireError,
  { status = httpStatusFromCode[error.code], headers, members }: ErrorExtras = {}
): void {
  exchange.record.failed(error)
  const body = Buffer.from(JSON.stringify({ ...members, ...connectErrorObject(error, requestId) }))
  const { retryAfterMs } = error.details
  const retryAfter = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }
  exchange.respond(
    status,
    {
      ...headers,
      'content-type': 'application/json',
      'content-length': String(body.length),
      'x-request-id': requestId,
      // An error of today, such as 404, that a cache might keep (RFC 9110 section 15.1).
      ...(exchange.method === 'POST' ? {} : { 'cache-control': 'no-store' }),
      ...retryAfter
    },
    body
  )
}
