/**
 * A client in a process of its own, for peers that may take a whole process down. It reads a line of JSON for each call
 * it is to make, and answers with a line: how the call ended, how long the event loop stood still, what memory it took.
 */
import { createInterface } from 'node:readline'
import { BlobwireError, createClient } from '../../src/index.ts'

/** A call to make. */
export interface Order {
  readonly endpoint: string
  readonly transport: 'json' | 'msgpack' | 'grpc'
  readonly single: boolean
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

/** What became of it. */
export interface Report {
  readonly code: string
  readonly reason: string
  readonly messageLength: number
  readonly tookMs: number
  readonly lagMs: number
  readonly grownBytes: number
}

/** What nobody caught would have ended the process. */
const stray: string[] = []

async function carryOut({ endpoint, transport, single, timeoutMs, maxResponseBytes }: Order): Promise<Report> {
  const client = createClient({
    endpoint,
    transport,
    timeoutMs,
    maxResponseBytes,
    ...(single ? { batch: false } : {})
  })
  const before = process.memoryUsage.rss()
  const began = performance.now()
  let lagMs = 0
  let grownBytes = 0
  let last = began
  const watch = setInterval(() => {
    const now = performance.now()
    lagMs = Math.max(lagMs, now - last - 10)
    last = now
    grownBytes = Math.max(grownBytes, process.memoryUsage.rss() - before)
  }, 10)
  const error = await client.getRepository('demo').then(
    () => undefined,
    (reason: unknown) => reason
  )
  const tookMs = performance.now() - began
  // What is still to come may do harm as well.
  await new Promise((resolve) => setTimeout(resolve, 30))
  clearInterval(watch)
  await client.close()
  const found = error instanceof BlobwireError && stray.length === 0 ? error : undefined
  return {
    code: stray[0] ?? found?.code ?? (error === undefined ? 'success' : `untyped: ${error}`),
    reason: found?.reason ?? '',
    messageLength: found?.message.length ?? 0,
    tookMs,
    lagMs,
    grownBytes
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
  maxResponseBytes: 1e6
}
// Modules that are loaded at the first call would count as lag and memory of the first attack.
await carryOut(first)
await carryOut({ ...first, endpoint: 'grpc://127.0.0.1:1', transport: 'grpc' })
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await carryOut(JSON.parse(line))))
}
