import { once } from 'node:events'
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'

/** A reverse proxy that holds each request back until it has ended, as many do. */
export interface Front extends AsyncDisposable {
  readonly port: number
  /** Requests by path. */
  readonly seen: string[]
}

/** What is made of a request for a session; undefined = it is held back like any other. */
export interface FrontRules {
  /** Status that sessions are answered with at once. */
  readonly sessionStatus?: () => number | undefined
}

type Request = Http2ServerRequest
type Response = Http2ServerResponse

/** Starts one before the HTTP door at `origin`. */
export async function startFront(origin: string, rules: FrontRules): Promise<Front> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const handle = async (request: Request, response: Response) => {
    const path = request.url ?? ''
    seen.push(path.split('/').at(-1) ?? '')
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    const status = path.endsWith('/Session') ? rules.sessionStatus?.() : undefined
    if (status !== undefined) {
      request.resume()
      response.writeHead(status, { 'content-type': 'text/html' })
      response.end('<h1>no</h1>')
      return
    }
    const parts: Buffer[] = []
    try {
      for await (const part of request) parts.push(part as Buffer)
    } catch {
      return
    }
    const headers = Object.entries(request.headers).filter(
      ([name]) => !/^:|^(host|connection|transfer-encoding|content-length)$/.test(name)
    )
    const method = request.method ?? 'POST'
    const answer = await fetch(origin + path, {
      method,
      headers: headers as [string, string][],
      body: Buffer.concat(parts)
    })
    const type = answer.headers.get('content-type') ?? ''
    response.writeHead(answer.status, { 'content-type': type })
    response.end(Buffer.from(await answer.arrayBuffer()))
  }
  const safely = (request: Request, response: Response) => {
    handle(request, response).catch(() => response.destroy?.())
  }
  const server = createHttp2(safely) as unknown as Server
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}
