/** TLS and tunnels on the sockets of grpc-js. */
import type { Socket } from 'node:net'
import type { ChannelCredentials } from '@grpc/grpc-js'
import { openTunnel, type ProxyAddress } from '../dial/proxy.ts'
import { unheld } from '../unheld.ts'
import type { GrpcEndpoint } from './grpc-endpoint.ts'

/**
 * Credentials whose TLS sockets do not keep the process running. Where the address of the channel is a proxy, TLS and
 * HTTP/2 with the endpoint begin in a tunnel; grpc-js could open the tunnel itself, but never closes the socket to an
 * unresponsive proxy, writes refusals to stderr, and does not support IPv6 addresses.
 */
export function onOwnSockets(
  credentials: ChannelCredentials,
  { endpoint, connection }: GrpcEndpoint,
  proxy: ProxyAddress | undefined
): ChannelCredentials {
  const create = credentials._createSecureConnector.bind(credentials)
  credentials._createSecureConnector = (...args) => {
    const connector = create(...args)
    const connect = connector.connect.bind(connector)
    return Object.assign(connector, {
      async connect(socket: Socket) {
        if (proxy !== undefined) {
          // An error between two owners of the socket would be an uncaught exception.
          socket.on('error', () => undefined)
          await openTunnel(socket, endpoint, proxy, connection.connectTimeoutMs)
        }
        const connected = await connect(socket)
        unheld(connected.socket)
        return connected
      }
    })
  }
  return credentials
}
