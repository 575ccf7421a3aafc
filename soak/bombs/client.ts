/** The client that is given bombs, in a process of its own with a small heap. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobwireError, createClient } from '../../src/index.ts'

/** A call of this client, and the error that has to come of it. */
export interface ClientCall {
  readonly port: number
  readonly transport: 'json' | 'msgpack' | 'grpc'
  readonly kind: 'unary' | 'session'
}

/** What came of it. */
export interface ClientOutcome {
  readonly code: string
  readonly reason: string
  readonly ms: number
  /** The longest time in which the event loop of the client did nothing else. */
  readonly stallMs: number
}

async function outcomeOf({ port, transport, kind }: ClientCall): Promise<ClientOutcome> {
  const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${port}`
  const batch = kind === 'unary' ? { batch: false as const } : {}
  const client = createClient({ endpoint, transport, timeoutMs: 5000, retry: false, ...batch })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const began = performance.now()
  let code = 'ok'
  let reason = ''
  try {
    if (kind === 'unary') await client.batch('demo', [{ getRepository: {} }, { getRepository: {} }])
    else await client.getRepository('demo')
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    code = error.code
    reason = error.reason
  }
  const ms = performance.now() - began
  // The delay is seen by the timer that comes after it.
  await sleep(20)
  delay.disable()
  await client.close()
  return { code, reason, ms, stallMs: delay.max / 1e6 }
}

/** Makes each call that the parent sends, and sends the outcome. */
export function serveClientCalls(): void {
  process.on('message', (call: ClientCall) => {
    outcomeOf(call).then((outcome) => process.send?.(outcome))
  })
}
