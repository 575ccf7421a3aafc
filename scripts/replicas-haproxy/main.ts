/**
 * `npm run test:haproxy`: three servers on the database that npm brings, behind HAProxy (Debian's package, installed where
 * it is missing), and clients with default options on three transports. One server is killed, started again and drained.
 * Exits with 1 where a call failed, an acknowledged blob is missing, or a server had no calls.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'
import { type Client, createClient, type TransportName } from '../../src/index.ts'
import { findPrograms } from '../soak-proxies/programs.ts'
import { freePort, ProxyProcess } from '../soak-proxies/proxy-process.ts'
import { replicasConfiguration } from './configuration.ts'

const transports: readonly TransportName[] = ['json', 'msgpack', 'grpc']
const clientsOfEach = 4
const print = (line: string) => process.stdout.write(`${line}\n`)

const [haproxy] = findPrograms(['haproxy'], print)
if (haproxy === undefined) throw new Error('no haproxy')
print(`haproxy ${haproxy.version}`)
const directory = await mkdtemp(join(tmpdir(), 'blobwire-haproxy-'))
const engine = await startEngine()
const flags = ['--store', 'postgres', '--database', engine.url]
const start = (ports: readonly string[] = []) => startServerProcess(...flags, ...ports)
const servers: ServerProcess[] = await Promise.all([start(), start(), start()])
const listen = { http: await freePort(), grpc: await freePort(), http1: 0, admin: 0 }
const replicas = servers.map(({ http, grpc }) => ({ http: http.host, grpc: grpc.host }))
const options = { listen, upstream: { http: '', grpc: '' }, directory, version: haproxy.version }
const proxy = new ProxyProcess(haproxy, options)
await proxy.start(replicasConfiguration(listen, replicas))
let failed = 0
const clients: Client[] = []
try {
  await run()
} catch (error) {
  problem(String(error))
} finally {
  if (failed > 0) print(proxy.log)
  await Promise.all(clients.map((client) => client.close()))
  await proxy.stop()
  await Promise.all(servers.map((server) => server.kill()))
  await engine.stop()
  await rm(directory, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

function problem(text: string): void {
  failed++
  print(`! ${text}`)
}

/** Calls that each server has answered. */
async function answered(): Promise<number[]> {
  return await Promise.all(
    servers.map(async ({ http }) => {
      const text = await (await fetch(new URL('/metrics', http))).text()
      const lines = text.match(/^blobwire_server_calls_total\{.*"StoreBlob".*$/gm) ?? []
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    })
  )
}

async function run(): Promise<void> {
  for (const transport of transports) {
    const endpoint = transport === 'grpc' ? `grpc://127.0.0.1:${listen.grpc}` : `http://127.0.0.1:${listen.http}`
    for (let count = 0; count < clientsOfEach; count++) clients.push(createClient({ endpoint, transport }))
  }
  await clients[0]?.createRepository('demo')
  const stored: string[] = []
  let isOver = false
  let [lastMs, longestGapMs] = [performance.now(), 0]
  const loads = clients.map(async (client, index) => {
    for (let count = 0; !isOver; count++) {
      const content = Buffer.from(`${index} ${count}`)
      await client.storeBlob('demo', content).then(
        ({ oid }) => stored.push(oid),
        (error) => problem(String(error))
      )
      longestGapMs = Math.max(longestGapMs, performance.now() - lastMs)
      lastMs = performance.now()
      await sleep(2)
    }
  })
  const step = async (name: string, change: () => Promise<unknown>) => {
    const before = stored.length
    longestGapMs = 0
    await change()
    await sleep(2000)
    const shares = (await answered().catch(() => [])).join(' ')
    print(`${name}: ${stored.length - before} calls, longest gap ${Math.round(longestGapMs)} ms, by server ${shares}`)
  }
  const first = servers[0] as ServerProcess
  const ports = ['--http-port', first.http.port, '--grpc-port', first.grpc.port]
  await step('three servers', async () => undefined)
  const spread = await answered()
  if (spread.some((calls) => calls === 0)) problem(`a server had no calls: ${spread.join(' ')}`)
  await step('one killed', () => first.kill())
  await step('started again', async () => {
    servers[0] = await start(ports)
  })
  await step('drained', () => (servers[0] as ServerProcess).stop())
  isOver = true
  await Promise.all(loads)
  const reader = clients[0] as Client
  const { missing } = await reader.repository('demo').findMissing(stored)
  if (missing.length > 0) problem(`${missing.length} acknowledged blobs are missing`)
  print(`${stored.length} blobs acknowledged, ${missing.length} missing, ${failed} problems`)
}
