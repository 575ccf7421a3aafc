/** Receivers of webhooks: good, slow and dead ones, which measure how long a webhook was on its way. */
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import type { WebhookDestination } from '../../src/webhooks.ts'

/** `refusing` = its port is closed; `failing` = answers 503; `silent` = accepts and never answers. */
export type Kind = 'good' | 'slow' | 'refusing' | 'failing' | 'silent'

/** A webhook that arrived: when it was sent, and how long it took, in milliseconds. */
export interface Arrival {
  readonly id: string
  readonly destination: string
  readonly sentAtMs: number
  readonly tookMs: number
}

/** Time that a good and a slow receiver take, in milliseconds. */
const workMs = 5
const slowMs = 1000
/** A dead receiver is found out in this time. */
const deadTimeoutMs = 2000

export const kinds: readonly Kind[] = [
  ...Array.from({ length: 15 }, () => 'good' as const),
  ...(['slow', 'slow', 'refusing', 'failing', 'silent'] as const)
]

export interface Receivers {
  /** With the kind in the id: `good-3`. */
  readonly destinations: readonly WebhookDestination[]
  readonly arrivals: Arrival[]
  /** Open sockets of all receivers. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

export async function startReceivers(all: readonly Kind[], secrets: string): Promise<Receivers> {
  const arrivals: Arrival[] = []
  const sockets = new Set<Socket>()
  const closers: (() => Promise<void>)[] = []
  const destinations: WebhookDestination[] = []
  for (const [index, kind] of all.entries()) {
    const id = `${kind}-${index}`
    const server = kind === 'refusing' ? createTcpServer() : receiver(id, kind, arrivals)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const close = () => new Promise<void>((resolve) => void server.close(() => resolve()))
    if (kind === 'refusing') await close()
    else closers.push(close)
    const isDead = kind !== 'good' && kind !== 'slow'
    const timeoutMs = isDead ? { timeoutMs: deadTimeoutMs } : {}
    destinations.push({ id, url: `http://127.0.0.1:${port}/`, secrets, ...timeoutMs })
  }
  return {
    ...{ destinations, arrivals, sockets },
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(closers.map((close) => close()))
    }
  }
}

function receiver(destination: string, kind: Kind, arrivals: Arrival[]) {
  return createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (kind === 'silent') return
      if (kind === 'failing') return answer(response, 503, workMs)
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: { sentAtMs: number } }
      const tookMs = Date.now() - data.sentAtMs
      arrivals.push({ id: String(request.headers['webhook-id']), destination, sentAtMs: data.sentAtMs, tookMs })
      answer(response, 204, kind === 'slow' ? slowMs : workMs)
    })
  })
}

function answer(response: ServerResponse, status: number, afterMs: number): void {
  setTimeout(() => response.writeHead(status).end(), afterMs)
}

/** The value below which this share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
