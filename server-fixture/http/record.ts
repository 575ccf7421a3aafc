/** The record of a request of HTTP, and its caller. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { serviceName } from '../../src/schema/methods.ts'
import type { Peer } from '../access-log/access-log.ts'
import { grpcTypes } from '../grpc-http/protocols.ts'
import type { HandlerDependencies } from '../listener.ts'
import { RequestRecord } from '../metrics/request-record.ts'
import type { ServerMetrics } from '../metrics/server-metrics.ts'
import type { CallTransport } from '../metrics/snapshot.ts'
import { type Principal, requestIdOf } from '../service/context.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** By the content type of a call; a map, because a client may send any text, such as `constructor`. */
const transports: ReadonlyMap<string, CallTransport> = new Map([
  ['application/json', 'json'],
  ['application/connect+json', 'json'],
  ['application/msgpack', 'msgpack'],
  ['application/connect+msgpack', 'msgpack'],
  ['application/proto', 'proto'],
  ['application/connect+proto', 'proto'],
  ...grpcTypes.map((type) => [type, 'grpc'] as const)
])

type Peering = Pick<Socket, 'remoteAddress' | 'remotePort'> | undefined

/** The other end of a connection. */
export function peerOf(socket: Peering, userAgent: string | undefined): Peer {
  const { remoteAddress, remotePort } = socket ?? {}
  return { remote: remoteAddress && `${remoteAddress} ${remotePort}`, userAgent }
}

/** Of a call by GET. */
function typeOfGet(path: string): string {
  return `application/${/[?&]encoding=([a-z]+)/.exec(path)?.[1]}`
}

/** Begins the record of a request. */
export function beginRecord(
  metrics: ServerMetrics,
  path: string | undefined,
  { headers, socket }: { readonly headers: IncomingHttpHeaders; readonly socket: Peering }
): RequestRecord {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1)
  const id = headerOf({ headers }, 'x-request-id')
  const ofCall = path?.startsWith(`/${serviceName}/`)
    ? transports.get(type.trim().toLowerCase() || typeOfGet(path))
    : undefined
  const record = new RequestRecord(metrics, ofCall ?? 'http', requestIdOf(id))
  if (record.accessLog) record.peer = peerOf(socket, headers['user-agent'])
  if (record.tracing) record.traceHeaders = headers
  return record
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
