/** Refuses requests that name another host than the server's (`hosts.ts`). */
import { codeNumbers } from '../../src/core/code.ts'
import type { Hosts } from '../hosts.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'

/**
 * Whether the request was refused: with 421 (RFC 9110 section 15.5.20), and to gRPC with headers alone ("Trailers-Only" in
 * "gRPC over HTTP2").
 */
export function refuseHost(exchange: Exchange, hosts: Hosts, isGrpc = false): boolean {
  try {
    hosts.check(headerOf(exchange, ':authority') ?? headerOf(exchange, 'host'))
    return false
  } catch (thrown) {
    const error = toBlobwireError(thrown)
    const { requestId } = exchange.record
    if (!isGrpc) respondError(exchange, requestId, error, { status: 421 })
    else {
      exchange.record.failed(error)
      exchange.respond(200, {
        'content-type': headerOf(exchange, 'content-type'),
        'grpc-status': String(codeNumbers[error.code]),
        'grpc-message': encodeURIComponent(error.message),
        'x-request-id': requestId
      })
    }
    return true
  }
}
