/** The options and credentials that grpc-js makes a channel with. */
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js'
import type { ResolvedConnectionOptions } from '../../options/types.ts'
import type { ProxyAddress } from '../dial/proxy.ts'
import { secureContext } from '../dial/tls.ts'
import { authorityOf, hostOf } from '../endpoint.ts'
import type { GrpcEndpoint, GrpcMessageOptions } from './grpc-endpoint.ts'
import { onOwnSockets } from './own-sockets.ts'

/** The longest time of a timer in Node. */
const longestTimerMs = 2 ** 31 - 1

/** Each channel has one connection; with `maxIdleConnections` it stays open. */
function idleTimeoutOf({ idleTimeoutMs, maxIdleConnections }: ResolvedConnectionOptions): number {
  return maxIdleConnections > 0 ? longestTimerMs : Math.min(Math.ceil(idleTimeoutMs), longestTimerMs)
}

/** Flow-control window, as for HTTP: HTTP/2's default of 64 KiB would cap bulk transfer at 3 MiB/s over 20 ms. */
const windowBytes = 8 * 1024 * 1024

/**
 * The server name in TLS (SNI). An IP address is not allowed (RFC 6066 section 3), but grpc-js sends the host even then,
 * and Node 26 refuses it. A reserved name replaces an address, and `channelCredentials` checks the certificate against
 * the address.
 */
function tlsName({ endpoint, tls }: GrpcEndpoint): string {
  const host = hostOf(endpoint)
  return tls.serverName ?? (isIP(host) === 0 ? host : 'address.invalid')
}

/** The options of a channel. */
export function channelOptions(
  context: GrpcEndpoint,
  options: GrpcMessageOptions,
  proxy: ProxyAddress | undefined
): ChannelOptions {
  const { serverName } = context.tls
  return {
    // grpc-js would follow http_proxy and similar variables unasked, even for 127.0.0.1.
    'grpc.enable_http_proxy': 0,
    'grpc.primary_user_agent': context.userAgent,
    // The pipeline retries; attempts of two layers would multiply.
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': options.maxResponseBytes,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': windowBytes,
    // A channel that could not connect is replaced; only its own streams would wait for a second try.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
    'grpc.keepalive_time_ms': Math.ceil(context.connection.pingIntervalMs),
    'grpc.keepalive_timeout_ms': Math.ceil(context.connection.pingTimeoutMs),
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.client_idle_timeout_ms': idleTimeoutOf(context.connection),
    ...(proxy || context.endpoint.address ? { 'grpc.default_authority': authorityOf(context.endpoint) } : {}),
    // Two clients never share a connection: each closes its own.
    'grpc.use_local_subchannel_pool': 1,
    ...(options.compression === 'none'
      ? {}
      : { 'grpc.default_compression_algorithm': context.grpc.compressionAlgorithms.gzip }),
    ...(context.endpoint.secure ? { 'grpc.ssl_target_name_override': tlsName(context) } : {}),
    ...(serverName === undefined ? {} : { 'grpc.default_authority': serverName })
  }
}

/** The credentials of a channel: TLS or none. */
export function channelCredentials(context: GrpcEndpoint, proxy: ProxyAddress | undefined): ChannelCredentials {
  const { endpoint, tls, grpc } = context
  const own = endpoint.secure
    ? grpc.credentials.createFromSecureContext(secureContext(tls), {
        rejectUnauthorized: tls.rejectUnauthorized ?? true,
        checkServerIdentity: (_name, certificate) =>
          checkServerIdentity(tls.serverName ?? hostOf(endpoint), certificate as PeerCertificate)
      })
    : grpc.credentials.createInsecure()
  return onOwnSockets(own, context, proxy)
}
