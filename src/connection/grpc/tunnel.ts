/** Opens gRPC connections through an HTTP proxy. */
import type { Socket } from 'node:net'
import type { ChannelCredentials } from '@grpc/grpc-js'
import { openTunnel, type ProxyAddress } from '../dial/proxy.ts'
import type { GrpcEndpoint } from './grpc-endpoint.ts'

/**
 * Credentials for a channel whose address is a proxy: TLS and HTTP/2 with the endpoint begin in the tunnel. grpc-js could
 * open the tunnel itself, but never closes the socket to an unresponsive proxy, writes refusals to stderr, and does not
 * support IPv6 addresses.
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
        // An error between two owners of the socket would be an uncaught exception.
        socket.on('error', () => undefined)
        await openTunnel(socket, endpoint, proxy, connection.connectTimeoutMs)
        return connect(socket)
      }
    })
  }
  return credentials
}
