/**
 * `npm run soak:restarts -- [--only TEXT]`: a server under load is killed and starts again on its ports, while clients with
 * default options go on calling. Ends with 1 where a client takes more than a second after the return, a call fails that
 * must not, or more attempts than documented arrive. docs/faults.md, "A server that restarts".
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { type BlobwireError, type Client, createClient } from '../src/index.ts'
import type { Listen, Listening } from './restart-server.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })

const transports = ['json', 'msgpack', 'grpc'] as const
const warmUpMs = 1000
const afterMs = 3000
/** The defaults of `retry`. */
const maxAttempts = 6
const budget = { ratio: 0.2, perSecond: 10, saved: 100 }
/** A restart that every call outlasts. */
const outlastedMs = 1000
const latestReturnMs = 1000

const directory = mkdtempSync(join(tmpdir(), 'blobwire-restarts-'))
const arrivals = join(directory, 'arrivals')

/** One call from its beginning to its end, by `Date.now()`. */
interface Ended {
  readonly endedAtMs: number
  readonly error: BlobwireError | undefined
}

/** A process that listens when it is told to. */
async function load(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('restart-server.ts', import.meta.url)), [arrivals])
  await once(child, 'message')
  return child
}

async function listen(child: ChildProcess, ports: Listen): Promise<Listening> {
  child.send(ports)
  const [listening] = await once(child, 'message')
  return listening as Listening
}

/** Calls at a steady rate, whatever becomes of them. */
function startCalls(client: Client, name: string, perSecond: number): { stop(): Promise<Ended[]> } {
  const calls: Promise<Ended>[] = []
  const beganAtMs = Date.now()
  const timer = setInterval(() => {
    const due = ((Date.now() - beganAtMs) * perSecond) / 1000
    while (calls.length < due) {
      const call = client.storeBlob('demo', `${name} ${calls.length}`)
      calls.push(
        call.then(
          () => ({ endedAtMs: Date.now(), error: undefined }),
          (error: BlobwireError) => ({ endedAtMs: Date.now(), error })
        )
      )
    }
  }, 5)
  return {
    stop() {
      clearInterval(timer)
      return Promise.all(calls)
    }
  }
}

const table = new Table({
  head: [
    'down s',
    'calls/s',
    'endpoints',
    'transport',
    'first success ms',
    'at the peer',
    'most',
    'bound',
    'failed',
    ''
  ],
  style: { head: [], border: [] }
})
let missed = 0

async function run(downMs: number, perSecond: number, endpoints: number): Promise<void> {
  writeFileSync(arrivals, '')
  const children = await Promise.all(Array.from({ length: endpoints }, load))
  const servers = await Promise.all(children.map((child) => listen(child, { httpPort: 0, grpcPort: 0 })))
  const [first] = servers as [Listening]
  const clients = transports.map((transport) => {
    const endpoint = servers.map(({ http, grpc }) => (transport === 'grpc' ? grpc.replace('http', 'grpc') : http))
    return createClient({ endpoint, transport })
  })
  const loads = clients.map((client, index) => startCalls(client, `${transports[index]}`, perSecond))
  const [next] = await Promise.all([load(), sleep(warmUpMs)])
  const [victim] = children as [ChildProcess]
  victim.kill('SIGKILL')
  const killedAtMs = Date.now()
  await Promise.all([once(victim, 'exit'), sleep(downMs)])
  const ports = { httpPort: Number(new URL(first.http).port), grpcPort: Number(new URL(first.grpc).port) }
  const { atMs } = await listen(next, ports)
  await sleep(afterMs)
  const ends = await Promise.all(loads.map((calls) => calls.stop()))
  await Promise.all(clients.map((client) => client.close()))
  for (const child of [...children.slice(1), next]) child.kill('SIGKILL')
  const seconds = (warmUpMs + (atMs - killedAtMs) + afterMs) / 1000
  transports.forEach((transport, index) => {
    const calls = ends[index] as Ended[]
    const counts = arrivalsOf(transport)
    const arrived = counts.reduce((sum, count) => sum + count, 0)
    const most = Math.max(...counts)
    const bound = calls.length * (1 + budget.ratio) + budget.perSecond * seconds + budget.saved
    const back = calls.filter(({ error, endedAtMs }) => error === undefined && endedAtMs >= atMs)
    const firstMs = Math.min(...back.map(({ endedAtMs }) => endedAtMs)) - atMs
    const failures = calls.flatMap(({ error }) => (error ? [error.reason || error.code] : []))
    const mayFail = endpoints === 1 && downMs > outlastedMs
    const isMissed =
      firstMs > latestReturnMs ||
      most > maxAttempts ||
      arrived > bound ||
      failures.some((reason) => !mayFail || reason !== 'circuit_open')
    if (isMissed) missed++
    table.push([
      ((atMs - killedAtMs) / 1000).toFixed(2),
      perSecond,
      endpoints,
      transport,
      firstMs,
      `${arrived} of ${calls.length} calls`,
      most,
      `${maxAttempts}, ${Math.floor(bound)}`,
      failures.length === 0 ? '0' : `${failures.length} ${[...new Set(failures)].join(', ')}`,
      isMissed ? 'MISSED' : ''
    ])
  })
}

/** How often each call of a transport arrived. */
function arrivalsOf(transport: string): number[] {
  const lines = readFileSync(arrivals, 'utf8').split('\n')
  const names = lines
    .map((line) => line.slice(line.indexOf(' ') + 1))
    .filter((name) => name.startsWith(`${transport} `))
  return [...Map.groupBy(names, (name) => name).values()].map(({ length }) => length)
}

for (const endpoints of [1, 3]) {
  for (const downMs of [300, 1000, 5000]) {
    for (const perSecond of [20, 200]) {
      const name = `${downMs / 1000} s, ${perSecond} calls/s, ${endpoints} endpoints`
      if (!name.includes(values.only)) continue
      process.stderr.write(`${name}\n`)
      await run(downMs, perSecond, endpoints)
    }
  }
}
rmSync(directory, { recursive: true })
console.log(`${table}\n${missed === 0 ? 'all as documented' : `${missed} missed`}`)
process.exitCode = missed === 0 ? 0 : 1
