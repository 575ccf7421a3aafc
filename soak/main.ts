/**
 * `npm run soak -- [--seconds N] [--seed N] [--per-minute N] [--burst N]`: clients of all three transports against a
 * fixture that misbehaves at random; ends with 1 if a call did not settle, a write was lost or doubled, or anything is
 * left over.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { startServerProcess } from '../server-fixture/process.ts'
import { type Client, createClient } from '../src/index.ts'
import { audit } from './audit.ts'
import { heapBytes, leaksSince, resources } from './leaks.ts'
import { Load, newLedger } from './load.ts'
import { misbehaviour } from './misbehaviour.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    'per-minute': { type: 'string', default: '1000' },
    burst: { type: 'string', default: '100' }
  }
})

const timeoutMs = 10_000
const burstEveryMs = 5000
/** Growth of the heap that is no leak. */
const heapSlackBytes = 8 * 1024 * 1024

const wrong: string[] = []
process.on('warning', (warning) => wrong.push(`warning: ${warning.message}`))
process.on('uncaughtException', (error) => wrong.push(`uncaught: ${error.stack}`))
process.on('unhandledRejection', (error) => wrong.push(`unhandled: ${(error as Error)?.stack ?? error}`))

const directory = mkdtempSync(join(tmpdir(), 'blobwire-soak-'))
const effectLog = join(directory, 'effects.jsonl')
const script = join(directory, 'faults.json')
writeFileSync(script, JSON.stringify(misbehaviour(Number(values.seed))))
const before = resources()
const server = await startServerProcess('--faults', script, '--effect-log', effectLog)

async function createRepository(client: Client): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.createRepository('soak')
      return
    } catch (error) {
      if (attempt === 20) throw error
    }
  }
}

const ledger = newLedger()
const transports = ['json', 'msgpack', 'grpc'] as const
const clients = transports.map((transport) => {
  const endpoint = transport === 'grpc' ? `grpc://${server.grpc.host}` : server.http.origin
  // Defaults, except that no call waits a minute for a breaker.
  return createClient({ endpoint, transport, timeoutMs, attemptTimeoutMs: 2000, breaker: { openMs: 500 } })
})
const loads = clients.map((client, index) => new Load(client, { name: `${transports[index]}`, ledger, timeoutMs }))
await createRepository(clients[0] as Client)
const endsAt = performance.now() + Number(values.seconds) * 1000
const rates = { perMinute: Number(values['per-minute']), burst: Number(values.burst), burstEveryMs }
for (const load of loads) load.start(rates)

let heapAfterWarmUp = 0
while (performance.now() < endsAt) {
  await new Promise((resolve) => setTimeout(resolve, Math.min(5000, Math.max(1, endsAt - performance.now()))))
  if (heapAfterWarmUp === 0) heapAfterWarmUp = await heapBytes()
  process.stderr.write(`${ledger.calls} calls, ${ledger.calls - ledger.succeeded} failed\n`)
}
process.stderr.write('waiting for calls under way\n')
await Promise.all(loads.map((load) => load.stop()))

const table = new Table({ style: { head: [], border: [] } })
const row = (name: string, of: (client: Client) => string | number) => table.push({ [name]: clients.map(of) })
row('transport', (client) => client.stats().transport)
row('batching', (client) => client.stats().batching)
row('why', (client) => client.stats().noSessionReason || '-')
row('calls', (client) => client.stats().calls)
row('attempts', (client) => client.stats().attempts)
row('retries', (client) => client.stats().retries)
row('sent again on another session', (client) => client.stats().resent)
row('failed', (client) => client.stats().failures)
row('time-outs', (client) => client.stats().timeouts)
row('breaker openings', (client) => client.stats().breakerOpenings)
row('sessions', (client) => client.stats().sessions)
row('connections opened', (client) => client.stats().connections.opened)
row('p50 ms', (client) => client.stats().latency.p50Ms.toFixed(1))
row('p95 ms', (client) => client.stats().latency.p95Ms.toFixed(1))
row('p99 ms', (client) => client.stats().latency.p99Ms.toFixed(1))

for (const client of clients) {
  const { running, waiting, queued } = client.stats()
  if (running + waiting + queued > 0) wrong.push(`${running} running, ${waiting} waiting, ${queued} queued at the end`)
}
process.stderr.write('comparing with the effects of the server\n')
wrong.push(...(await audit(ledger, { effectLog, endpoint: server.http.origin })))
process.stderr.write('closing\n')
await Promise.all(clients.map((client) => client.close()))
process.stderr.write('stopping the server\n')
await server.stop()
await new Promise((resolve) => setTimeout(resolve, 500))
const grownBytes = (await heapBytes()) - heapAfterWarmUp
for (const leak of leaksSince(before)) wrong.push(`left over: ${leak}`)
if (grownBytes > heapSlackBytes) wrong.push(`the heap has grown by ${grownBytes} bytes`)
wrong.push(...ledger.wrong)
rmSync(directory, { recursive: true })

const failures = [...ledger.failures].sort(([, a], [, b]) => b.count - a.count)
process.stdout.write(`${table}
${ledger.calls} calls in ${values.seconds} s: ${ledger.succeeded} answered, ${ledger.calls - ledger.succeeded} failed
failures: ${failures.map(([kind, { count }]) => `${count} ${kind}`).join(', ') || 'none'}
acknowledged: ${ledger.stored.size} blobs, ${count(ledger.moves)} moves of refs, ${count(ledger.commits)} commits
heap: ${(grownBytes / 1024 / 1024).toFixed(1)} MiB more than after the first seconds
${wrong.length === 0 ? 'Nothing lost, nothing doubled, nothing left over.' : `WRONG:\n${wrong.slice(0, 20).join('\n')}`}
`)
process.exitCode = wrong.length === 0 ? 0 : 1

function count(lists: ReadonlyMap<string, readonly string[]>): number {
  return [...lists.values()].reduce((sum, { length }) => sum + length, 0)
}
