/**
 * A server under load that a real Prometheus scrapes, and a client whose metrics it scrapes, too: the figures of both and
 * the calls that were made have to agree.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { startServer } from '../../server-fixture/server.ts'
import { createClient } from '../../src/index.ts'
import { prometheusMetrics } from '../../src/prometheus.ts'

const loadMs = 5000
const operator = 'operator'
const transports = ['json', 'msgpack', 'grpc'] as const

/** What the load did: calls of each method that succeeded and failed. */
interface Made {
  stored: number
  missing: number
  read: number
}

type Clients = Readonly<Record<string, ReturnType<typeof createClient>>>

async function load(clients: Clients): Promise<Made> {
  const made: Made = { stored: 0, missing: 0, read: 0 }
  const endsAtMs = performance.now() + loadMs
  const caller = async (client: ReturnType<typeof createClient>, number: number) => {
    const repo = client.repository('demo')
    for (let turn = 0; performance.now() < endsAtMs; turn++) {
      const { oid } = await repo.storeBlob(`content ${number} ${turn}`)
      made.stored++
      if (turn % 5 === 0) {
        await repo.getBlob(oid)
        made.read++
      }
      if (turn % 50 === 0) {
        await repo.getBlob('ab'.repeat(20)).catch(() => made.missing++)
      }
      await sleep(2)
    }
  }
  const callers = Object.values(clients).flatMap((client, index) =>
    Array.from({ length: 20 }, (_, number) => caller(client, 100 * index + number))
  )
  await Promise.all(callers)
  return made
}

/** A program whose clients have their metrics at `/metrics`. */
async function serveMetrics(clients: Clients) {
  const { register } = prometheusMetrics(clients, { register: new Registry() })
  const server = createServer(async (_request, response) => {
    response.setHeader('content-type', register.contentType).end(await register.metrics())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    target: `127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
}

const config = (server: string, client: string) => `
global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs:
  - job_name: server
    authorization: { credentials: ${operator} }
    static_configs: [{ targets: ['${server}'] }]
  - job_name: client
    static_configs: [{ targets: ['${client}'] }]
`

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Prometheus as a child process. */
class Prometheus {
  readonly #child: ChildProcess
  readonly #url: string

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.#url = url
  }

  static async start(program: string, directory: string, text: string): Promise<Prometheus> {
    const file = join(directory, 'prometheus.yml')
    await writeFile(file, text)
    const port = await freePort()
    const flags = [`--config.file=${file}`, `--storage.tsdb.path=${join(directory, 'data')}`]
    const listening = `--web.listen-address=127.0.0.1:${port}`
    const child = spawn(program, [...flags, listening, '--log.level=error'], {
      stdio: ['ignore', 'inherit', 'inherit']
    })
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}`)
    for (let tries = 0; tries < 100; tries++) {
      const answer = await fetch(`${prometheus.#url}/-/ready`).catch(() => undefined)
      if (answer?.ok) return prometheus
      await sleep(100)
    }
    child.kill('SIGKILL')
    throw new Error('Prometheus did not start within 10 s')
  }

  /** The value of a query that has one. */
  async value(query: string): Promise<number> {
    const answer = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await answer.json()) as { data?: { result: { value: [number, string] }[] } }
    return Number(data?.result[0]?.value[1] ?? Number.NaN)
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }
}

/** Pairs that have to be equal once the last scrape is over. */
function expectations({ stored, missing, read }: Made): readonly (readonly [string, number])[] {
  const calls = (side: string, method: string, code: string) =>
    `sum(blobwire_${side}_calls_total{method="${method}",code="${code}"})`
  return [
    // A client has the names of its own methods, a server those of the RPCs.
    [calls('client', 'storeBlob', 'ok'), stored],
    [calls('client', 'getBlob', 'ok'), read],
    [calls('client', 'getBlob', 'not_found'), missing],
    [calls('server', 'StoreBlob', 'ok'), stored],
    [calls('server', 'GetBlob', 'ok'), read],
    [calls('server', 'GetBlob', 'not_found'), missing],
    ['sum(blobwire_server_call_failures_total{reason="object"})', missing],
    ['sum(blobwire_server_call_duration_seconds_count{method="StoreBlob"})', stored],
    ['sum(blobwire_server_calls_in_flight{transport!="http"})', 0],
    // A client ends a session that has nothing to do.
    [`sum(blobwire_server_sessions_opened_total) >= bool ${transports.length}`, 1],
    ['sum(blobwire_server_memory_budget_held_bytes)', 0],
    ['sum(blobwire_server_ready)', 1],
    ['min(up)', 1]
  ]
}

/** Prints each figure beside the one it has to equal. Returns how many differ. */
export async function watchLoad(program: string): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-prometheus-'))
  const grants = [
    { token: 'writer', access: 'write', repositories: ['*'] },
    { token: operator, access: 'none', repositories: [], operate: true }
  ] as const
  const server = await startServer({ grants })
  const endpointOf = (transport: string) => (transport === 'grpc' ? server.grpc.replace('http', 'grpc') : server.http)
  const clients = Object.fromEntries(
    transports.map((transport) => [
      transport,
      createClient({ endpoint: endpointOf(transport), transport, token: 'writer' })
    ])
  )
  const ownMetrics = await serveMetrics(clients)
  const prometheus = await Prometheus.start(program, directory, config(new URL(server.http).host, ownMetrics.target))
  try {
    await clients['json']?.createRepository('demo')
    // Prometheus looks for its targets for 5 s first.
    for (let tries = 0; tries < 100 && (await prometheus.value('count(up)')) !== 2; tries++) await sleep(200)
    const loading = load(clients)
    await sleep(loadMs - 500)
    const rate = await prometheus.value('sum(rate(blobwire_server_calls_total{method="StoreBlob"}[3s]))')
    const made = await loading
    // Both are scraped twice a second.
    await sleep(1500)
    let different = rate > 0 ? 0 : 1
    console.log(`under load: ${rate.toFixed(0)} StoreBlob calls a second by rate()`)
    for (const [query, expected] of expectations(made)) {
      const found = await prometheus.value(query)
      if (found !== expected) different++
      console.log(`${found === expected ? 'equal' : 'DIFFERENT'}: ${query} is ${found}, of ${expected}`)
    }
    return different
  } finally {
    await prometheus.stop()
    ownMetrics.close()
    for (const client of Object.values(clients)) await client.close()
    await server.close()
    await rm(directory, { recursive: true, force: true })
  }
}
