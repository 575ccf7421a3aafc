/** An HTTP proxy that opens tunnels (RFC 9110 section 9.3.6). */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface TunnelProxy {
  readonly port: number
  /** `host:port` of each tunnel, with the credentials in front. */
  readonly tunnels: string[]
  /** Cleartext that arrived: requests and their headers. */
  readonly heard: string[]
}

/** Starts one that lives as long as the test, and asks for `credentials` where they are given. */
export async function startTunnelProxy(context: TestContext, credentials?: string): Promise<TunnelProxy> {
  const tunnels: string[] = []
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(500).end())
  server.on('connect', (request, client: Socket, head) => {
    const basic = request.headers['proxy-authorization']?.replace('Basic ', '') ?? ''
    const given = Buffer.from(basic, 'base64').toString()
    heard.push(JSON.stringify(request.headers))
    tunnels.push(`${given}@${request.url}`)
    if (credentials !== undefined && given !== credentials) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    const behind = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n')
      behind.write(head)
      client.pipe(behind).pipe(client)
    })
    for (const socket of [client, behind]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        behind.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, tunnels, heard }
}
