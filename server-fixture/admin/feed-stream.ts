/** The feed as server-sent events. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Operated } from './operated.ts'

/** A client that does not read misses snapshots: the next one tells the same, and later. */
const maxWaitingBytes = 256 * 1024

/** Serves the feed until the client goes or the server drains. @throws BlobwireError with too many clients */
export async function serveFeed(
  exchange: Exchange,
  { operated, draining }: { readonly operated: Operated; readonly draining: AbortSignal }
): Promise<void> {
  const { feed } = operated
  if (feed.isFull) {
    const message = 'too many clients watch the dashboard already'
    throw new BlobwireError({ code: 'resource_exhausted', message })
  }
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
  const stream = exchange.stream(200, headers)
  if (stream === undefined) return
  exchange.record.lasts()
  if (exchange.method === 'HEAD') return void stream.end()
  const unsubscribe = feed.subscribe((snapshot) => {
    if (stream.writableLength <= maxWaitingBytes) stream.write(`data: ${snapshot}\n\n`)
  })
  await new Promise<void>((resolve) => {
    const end = () => stream.end()
    stream.once('close', () => {
      draining.removeEventListener('abort', end)
      resolve()
    })
    stream.on('error', () => stream.destroy())
    if (draining.aborted) end()
    else draining.addEventListener('abort', end)
  })
  unsubscribe()
}
