import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A reverse proxy that speaks HTTP/1.1 only, and reads a whole request before it passes it on. */
export interface Http1Proxy extends AsyncDisposable {
  readonly url: string
  /** Paths of the requests that came, in order. */
  readonly paths: string[]
}

/** Starts one in front of a server on loopback, with TLS where a certificate is given. */
export async function startHttp1Proxy(target: string, tls?: { cert: Buffer; key: Buffer }): Promise<Http1Proxy> {
  const paths: string[] = []
  const { hostname, port } = new URL(target)
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    paths.push(incoming.url ?? '')
    const parts: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => parts.push(chunk))
    incoming.on('end', () => {
      const { connection: _, 'transfer-encoding': __, ...headers } = incoming.headers
      const onward = send({ hostname, port, path: incoming.url, method: incoming.method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      onward.on('error', () => outgoing.destroy())
      onward.end(Buffer.concat(parts))
    })
  }
  const server = tls ? createSecureServer({ ...tls }, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
