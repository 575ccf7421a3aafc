import type { Socket } from 'node:net'
import type { ChannelCredentials } from '@grpc/grpc-js'
import { openTunnel, type ProxyAddress } from '../dial/proxy.ts'
import type { GrpcEndpoint } from './grpc-endpoint.ts'

/**
 * Credentials for a channel whose address is a proxy: what is spoken with the endpoint begins in the tunnel. grpc-js could
 * ask the proxy by itself, but would never close the socket of one that does not answer, writes to stderr what a proxy
 * refuses, and cannot name an IPv6 address.
 */
export function throughProxy(
  credentials: ChannelCredentials,
  proxy: ProxyAddress,
  { endpoint, connection }: GrpcEndpoint
): ChannelCredentials {
  const create = credentials._createSecureConnector.bind(credentials)
  credentials._createSecureConnector = (...args) => {
    const connector = create(...args)
    const connect = connector.connect.bind(connector)
    return Object.assign(connector, {
      async connect(socket: Socket) {
        // Between two owners an error would be nobody's.
        socket.on('error', () => undefined)
        await openTunnel(socket, endpoint, proxy, connection.connectTimeoutMs)
        return connect(socket)
      }
    })
  }
  return credentials
}
