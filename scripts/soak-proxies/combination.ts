/** One proxy, one transport: a load whose every write is audited, while the proxy is reloaded and restarted. */
import { setTimeout as wait } from 'node:timers/promises'
import type { ServerProcess } from '../../server-fixture/process.ts'
import { audit } from '../../soak/audit.ts'
import { type Ledger, Load, newLedger } from '../../soak/load.ts'
import { type Client, type ClientStats, createClient, type TransportName } from '../../src/index.ts'
import {
  type ConfigurationOptions,
  caddyConfiguration,
  haproxyConfiguration,
  nginxConfiguration,
  nginxHttp2Configuration
} from './configurations.ts'
import type { Program, ProxyName } from './programs.ts'
import { tryProtocols } from './protocols.ts'
import { freePort, ProxyProcess } from './proxy-process.ts'

/** Time in which calls must be answered again after a reload or restart. */
const recoveryMs = 10_000
/** Answers that prove recovery; more than calls were under way. */
const recoveryCalls = 100

const timeoutMs = 20_000
/** Names of the loads, each of which has a branch and a ref of its own. */
const loadNames = ['a', 'b', 'c', 'd']
/** The rates of each load, low enough for proxy and server on two cores. */
const rates = { perMinute: 3000, burst: 50, burstEveryMs: 2000 }

/** A row of the table. */
export interface Combination {
  /** Name in the table. */
  readonly name: string
  readonly program: ProxyName
  readonly transport: TransportName
  /** The batching mode that calls must have at the end. */
  readonly batching: 'session' | 'unary'
  /** HTTP/1.1 clients have a port of their own. */
  readonly hasHttp1Port?: boolean
  readonly configure: (options: ConfigurationOptions) => string
}

/** The result of a combination. */
export interface Outcome {
  readonly combination: Combination
  readonly ledger: Ledger
  /** The client's own counts at the end, before it was closed. */
  readonly stats: ClientStats
  readonly reloads: number
  readonly restarts: number
  /** Connections that were opened between reload and restart; 0 = the reload kept the open one. */
  readonly openedByReload: number
  /** Problems besides failed calls. */
  readonly problems: readonly string[]
  /** The last lines of the proxy's output. */
  readonly proxyLog: string
}

/** Proxy program, server and duration of a run. */
export interface Surroundings {
  readonly program: Program
  readonly server: ServerProcess
  /** The effect log of the server. */
  readonly effectLog: string
  /** Directory for the proxy's files. */
  readonly directory: string
  readonly seconds: number
}

type Kind = Omit<Combination, 'transport'>

function ofKind(kind: Kind, transports: readonly TransportName[]): Combination[] {
  return transports.map((transport) => ({ ...kind, transport }))
}

const nginx = { program: 'nginx', hasHttp1Port: true, configure: nginxConfiguration } as const
const nginxHttp2 = { program: 'nginx', hasHttp1Port: true, configure: nginxHttp2Configuration } as const
const haproxy = { program: 'haproxy', configure: haproxyConfiguration } as const
const caddy = { program: 'caddy', configure: caddyConfiguration } as const

/** All combinations. */
export const combinations: readonly Combination[] = [
  ...ofKind({ ...nginx, name: 'nginx, proxy_pass', batching: 'unary' }, ['json', 'msgpack']),
  ...ofKind({ ...nginxHttp2, name: 'nginx, grpc_pass', batching: 'session' }, ['json', 'msgpack', 'grpc']),
  ...ofKind({ ...haproxy, name: 'haproxy', batching: 'session' }, ['json', 'msgpack', 'grpc']),
  ...ofKind({ ...caddy, name: 'caddy', batching: 'session' }, ['json', 'msgpack', 'grpc'])
]

/**
 * Runs the load and reloads the proxy after a third of the time, and restarts it after two thirds.
 * @throws Error where the proxy does not start or restart
 */
export async function runCombination(combination: Combination, surroundings: Surroundings): Promise<Outcome> {
  const { program, server, effectLog, directory, seconds } = surroundings
  const listen = { http: await freePort(), grpc: await freePort(), http1: await freePort(), admin: await freePort() }
  const upstream = { http: server.http.host, grpc: server.grpc.host }
  const options = { listen, upstream, directory, version: program.version }
  const proxy = new ProxyProcess(program, options)
  const { transport, batching: expected } = combination
  const endpoint = transport === 'grpc' ? `grpc://127.0.0.1:${listen.grpc}` : `http://127.0.0.1:${listen.http}`
  // The retries outlast the restart of a proxy.
  const retry = { maxAttempts: 10, baseMs: 100, maxMs: 1000, budgetPerSecond: 1000 }
  const client = createClient({ endpoint, transport, timeoutMs, retry, breaker: false })
  const ledger = newLedger()
  const loads = loadNames.map((name) => new Load(client, { name, ledger, timeoutMs }))
  try {
    await proxy.start(combination.configure(options))
    await client.createRepository('soak')
    for (const load of loads) load.start(rates)
    const disturbed = await disturb({ proxy, client, ledger }, (seconds * 1000) / 3)
    await Promise.all(loads.map((load) => load.stop()))
    const stats = client.stats()
    const { batching, noSessionReason } = stats
    const host = '127.0.0.1'
    const protocols = {
      http1: `http://${host}:${combination.hasHttp1Port ? listen.http1 : listen.http}`,
      http2: expected === 'session' ? `${host}:${listen.http}` : undefined,
      server: server.http.origin,
      directory
    }
    const problems = [
      ...disturbed.problems,
      ...ledger.wrong,
      ...(await audit(ledger, { effectLog, endpoint: server.http.origin })),
      ...(await tryProtocols(protocols)),
      ...(batching === expected ? [] : [`calls travelled by ${batching} ${noSessionReason}, not by ${expected}`])
    ]
    return { combination, ledger, stats, ...disturbed, problems, proxyLog: proxy.log }
  } finally {
    await client.close()
    await Promise.all(loads.map((load) => load.stop()))
    await proxy.stop()
  }
}

/** Whether `recoveryCalls` further answers come in time. */
async function recovers(ledger: Ledger): Promise<boolean> {
  const wanted = ledger.succeeded + recoveryCalls
  const untilMs = performance.now() + recoveryMs
  while (ledger.succeeded < wanted && performance.now() < untilMs) await wait(20)
  return ledger.succeeded >= wanted
}

interface Disturbed {
  readonly proxy: ProxyProcess
  readonly client: Client
  readonly ledger: Ledger
}

async function disturb({ proxy, client, ledger }: Disturbed, phaseMs: number) {
  const problems: string[] = []
  const untilAnswered = async (after: string) => {
    if (await recovers(ledger)) return
    problems.push(`after the ${after}, no ${recoveryCalls} answers came in ${recoveryMs} ms`)
  }
  await wait(phaseMs)
  await untilAnswered('start')
  const opened = () => client.stats().connections.opened
  const before = opened()
  await proxy.reload()
  await wait(phaseMs)
  await untilAnswered('reload')
  const openedByReload = opened() - before
  proxy.check()
  await proxy.restart()
  await wait(phaseMs)
  await untilAnswered('restart')
  proxy.check()
  return { problems, openedByReload, reloads: 1, restarts: 1 }
}
