/** One proxy, one transport: the load, and what is done to the proxy meanwhile. */
import { setTimeout as wait } from 'node:timers/promises'
import type { ServerProcess } from '../../server-fixture/process.ts'
import type { TransportName } from '../../src/index.ts'
import {
  type ConfigurationParts,
  caddyConfiguration,
  haproxyConfiguration,
  nginxConfiguration,
  nginxHttp2Configuration
} from './configurations.ts'
import { type Load, type LoadResult, startLoad } from './load.ts'
import type { Program, ProxyName } from './programs.ts'
import { freePort, ProxyProcess } from './proxy-process.ts'

/** After a reload or restart, calls must be answered again within this. */
const recoveryMs = 10_000
/** As many answers show that it is not only what was under way. */
const recoveryCalls = 100

/** What is run. */
export interface Combination {
  /** As the table has it. */
  readonly name: string
  readonly program: ProxyName
  readonly transport: TransportName
  /** How calls must travel at the end. */
  readonly batching: 'session' | 'unary'
  readonly configure: (parts: ConfigurationParts) => string
}

/** What came of it. */
export interface Outcome {
  readonly combination: Combination
  readonly load: LoadResult
  readonly reloads: number
  readonly restarts: number
  /** Connections that were opened after the reload, and before the restart; 0 = it left the open one alone. */
  readonly openedByReload: number
  /** What is wrong besides failed calls. */
  readonly problems: readonly string[]
  /** The last lines that the proxy wrote. */
  readonly proxyLog: string
}

/** What it is run with. */
export interface Ground {
  readonly program: Program
  readonly server: ServerProcess
  /** For the proxy's files. */
  readonly folder: string
  readonly seconds: number
}

type Kind = Omit<Combination, 'transport'>

function ofKind(kind: Kind, transports: readonly TransportName[]): Combination[] {
  return transports.map((transport) => ({ ...kind, transport }))
}

const nginx = { program: 'nginx', configure: nginxConfiguration } as const
const nginxHttp2 = { program: 'nginx', configure: nginxHttp2Configuration } as const
const haproxy = { program: 'haproxy', configure: haproxyConfiguration } as const
const caddy = { program: 'caddy', configure: caddyConfiguration } as const

/** All there are. */
export const combinations: readonly Combination[] = [
  ...ofKind({ ...nginx, name: 'nginx, proxy_pass', batching: 'unary' }, ['json', 'msgpack']),
  ...ofKind({ ...nginxHttp2, name: 'nginx, grpc_pass', batching: 'session' }, ['json', 'msgpack', 'grpc']),
  ...ofKind({ ...haproxy, name: 'haproxy', batching: 'session' }, ['json', 'msgpack', 'grpc']),
  ...ofKind({ ...caddy, name: 'caddy', batching: 'session' }, ['json', 'msgpack', 'grpc'])
]

/**
 * Runs the load for so many seconds; after a third the proxy is reloaded, after two thirds stopped and started.
 * @throws Error where the proxy does not start, or not again
 */
export async function runCombination(combination: Combination, ground: Ground): Promise<Outcome> {
  const { program, server, folder, seconds } = ground
  const listen = { http: await freePort(), grpc: await freePort(), admin: await freePort() }
  const upstream = { http: server.http.host, grpc: server.grpc.host }
  const parts = { listen, upstream, folder, version: program.version }
  const proxy = new ProxyProcess(program, parts)
  const { transport } = combination
  const endpoint = transport === 'grpc' ? `grpc://127.0.0.1:${listen.grpc}` : `http://127.0.0.1:${listen.http}`
  try {
    await proxy.start(combination.configure(parts))
    const load = await startLoad(endpoint, transport)
    let disturbed: Awaited<ReturnType<typeof disturb>>
    try {
      disturbed = await disturb(proxy, load, (seconds * 1000) / 3)
    } catch (error) {
      await load.stop()
      throw error
    }
    const result = await load.stop()
    const { batching, noSessionReason } = result.stats
    const expected = combination.batching
    const way = `calls travelled by ${batching} ${noSessionReason}, not by ${expected}`
    const problems = [...disturbed.problems, ...(batching === expected ? [] : [way])]
    return { combination, load: result, ...disturbed, problems, proxyLog: proxy.log }
  } finally {
    await proxy.stop()
  }
}

async function disturb(proxy: ProxyProcess, load: Load, partMs: number) {
  const problems: string[] = []
  const untilAnswered = async (after: string) => {
    if (await load.answered(recoveryCalls, recoveryMs)) return
    problems.push(`after the ${after}, no ${recoveryCalls} answers came in ${recoveryMs} ms`)
  }
  await wait(partMs)
  await untilAnswered('start')
  const before = load.connections
  await proxy.reload()
  await wait(partMs)
  await untilAnswered('reload')
  const openedByReload = load.connections - before
  proxy.check()
  await proxy.restart()
  await wait(partMs)
  await untilAnswered('restart')
  proxy.check()
  return { problems, openedByReload, reloads: 1, restarts: 1 }
}
