/** The record of a request of HTTP, and its caller. */
import type { IncomingHttpHeaders } from 'node:http'
import type { HandlerDependencies } from '../listener.ts'
import { RequestRecord } from '../metrics/request-record.ts'
import type { ServerMetrics } from '../metrics/server-metrics.ts'
import type { CallTransport } from '../metrics/snapshot.ts'
import { type Principal, requestIdOf } from '../service/context.ts'
import { type Exchange, headerOf } from './exchange.ts'

const transports: Readonly<Record<string, CallTransport>> = {
  'application/json': 'json',
  'application/connect+json': 'json',
  'application/msgpack': 'msgpack',
  'application/connect+msgpack': 'msgpack'
}

/** Begins the record of a request. */
export function beginRecord(metrics: ServerMetrics, headers: IncomingHttpHeaders): RequestRecord {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1)
  const id = headerOf({ headers }, 'x-request-id')
  return new RequestRecord(metrics, transports[type.trim().toLowerCase()] ?? 'http', requestIdOf(id))
}

/** The caller of a method. @throws BlobwireError `unauthenticated` */
export function authenticate(
  exchange: Exchange,
  method: string,
  { authenticator }: Pick<HandlerDependencies, 'authenticator'>
): Principal {
  const principal = authenticator.authenticate(method, headerOf(exchange, 'authorization'))
  exchange.record.tokenName = principal.name
  return principal
}
