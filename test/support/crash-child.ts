/**
 * A client in a process of its own, for peers that may take a whole process down. It reads a line of JSON for each call, and
 * answers with a line: how the call ended, how long the event loop was blocked, how much memory the call took.
 */
import { createInterface } from 'node:readline'
import { BlobwireError, createClient } from '../../src/index.ts'
import { later, settlesWithin, startCpuClock, until } from './until.ts'

/** A call to make. */
export interface Order {
  readonly endpoint: string
  readonly transport: 'json' | 'msgpack' | 'grpc'
  readonly single: boolean
  readonly timeoutMs: number
  readonly maxResponseBytes: number
  /** The connection has to close by itself. */
  readonly closes: boolean
}

/** The end of the call. */
export interface Report {
  readonly code: string
  readonly reason: string
  readonly messageLength: number
  /** The longest time between two turns of the event loop, in CPU time. */
  readonly blockedMs: number
  readonly grownBytes: number
  /** Connections that are open at the end, before the client is closed. */
  readonly open: number
}

/** Errors that would have ended the process. */
const stray: string[] = []

async function carryOut({ endpoint, transport, single, timeoutMs, maxResponseBytes, closes }: Order): Promise<Report> {
  const client = createClient({
    endpoint,
    transport,
    timeoutMs,
    maxResponseBytes,
    ...(single ? { batch: false } : {})
  })
  const before = process.memoryUsage.rss()
  let blockedMs = 0
  let grownBytes = 0
  let cpuMs = startCpuClock()
  const watch = setInterval(() => {
    blockedMs = Math.max(blockedMs, cpuMs())
    cpuMs = startCpuClock()
    grownBytes = Math.max(grownBytes, process.memoryUsage.rss() - before)
  }, 10)
  const error = await settlesWithin(client.getRepository('demo'), timeoutMs + 250).then(
    () => undefined,
    (reason: unknown) => reason
  )
  // Bytes that are still to come may do harm as well.
  await later(30)
  if (closes)
    await settlesWithin(
      until(() => client.stats().connections.open === 0, 'closed'),
      3000
    ).catch(() => undefined)
  clearInterval(watch)
  const { open } = client.stats().connections
  await client.close()
  const found = error instanceof BlobwireError && stray.length === 0 ? error : undefined
  return {
    code: stray[0] ?? found?.code ?? (error === undefined ? 'success' : `untyped: ${error}`),
    reason: found?.reason ?? '',
    messageLength: found?.message.length ?? 0,
    blockedMs,
    grownBytes,
    open
  }
}

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => stray.push(`${event}: ${(error as Error)?.stack ?? error}`))
}
const first: Order = {
  endpoint: 'http://127.0.0.1:1',
  transport: 'msgpack',
  single: true,
  timeoutMs: 1000,
  maxResponseBytes: 1e6,
  closes: false
}
// Modules that are loaded at the first call would count as lag and memory of the first attack.
await carryOut(first)
await carryOut({ ...first, endpoint: 'grpc://127.0.0.1:1', transport: 'grpc' })
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await carryOut(JSON.parse(line))))
}
