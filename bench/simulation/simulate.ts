/** Runs callers against servers and databases, all of them simulated. */
import type { Costs } from './costs.ts'
import { Server } from './server.ts'
import { type Kind, Shard } from './shard.ts'
import { seeded, Timeline } from './timeline.ts'

/** A system, and what is done with it. */
export interface Setup {
  readonly costs: Costs
  readonly shards: number
  /** Of each database. */
  readonly coresPerShard: number
  /** Of one core each. */
  readonly servers: number
  /** Each has one call under way at all times. */
  readonly callers: number
  readonly repositories: number
  /** Shares of the calls; the rest are commits. */
  readonly mix: { readonly read: number; readonly put: number }
  /** Share of the reads that a server's cache of objects answers. */
  readonly cached: number
  /** Share of the calls that go to the first repository. */
  readonly hotShare: number
  /** Calls of a repository go to one server, instead of to any. */
  readonly routed: boolean
  readonly warmUpUs: number
  readonly runUs: number
  readonly seed: number
}

/** The calls of some callers. */
export interface CallFigures {
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly meanUs: number
}

export interface Figures {
  readonly all: CallFigures
  /** To the first repository, and to all others. */
  readonly hot: CallFigures
  readonly others: CallFigures
  /** Shares of their time in which they worked: the mean of all servers, and the busiest of the databases. */
  readonly serversBusy: number
  readonly busiestShard: number
  readonly shardsBusy: number
  /** Calls that went together, on average. */
  readonly group: number
}

/** The figures of calls that took so long, within this time. */
function figuresOf(tookUs: readonly number[], runUs: number): CallFigures {
  const sorted = Float64Array.from(tookUs).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  const sum = sorted.reduce((total, us) => total + us, 0)
  return {
    perSecond: (sorted.length / runUs) * 1e6,
    p50Us: at(0.5),
    p99Us: at(0.99),
    meanUs: sum / sorted.length
  }
}

export function simulate(setup: Setup): Figures {
  const timeline = new Timeline()
  const random = seeded(setup.seed)
  const shards = Array.from({ length: setup.shards }, () => new Shard(timeline, setup.costs, setup.coresPerShard))
  const shardOf = (repository: number) => shards[repository % shards.length] as Shard
  const servers = Array.from({ length: setup.servers }, () => new Server(timeline, setup.costs, shardOf))
  const tookHot: number[] = []
  const tookOthers: number[] = []
  let isMeasuring = false

  const kindOf = (): Kind => {
    const share = random()
    if (share < setup.mix.read) return 'read'
    return share < setup.mix.read + setup.mix.put ? 'put' : 'commit'
  }
  const call = () => {
    const kind = kindOf()
    const isHot = random() < setup.hotShare
    const repository = isHot ? 0 : 1 + Math.floor(random() * (setup.repositories - 1))
    const server = servers[setup.routed ? repository % servers.length : Math.floor(random() * servers.length)] as Server
    const start = timeline.now
    const done = () => {
      if (isMeasuring) (isHot ? tookHot : tookOthers).push(timeline.now - start)
      call()
    }
    if (kind === 'read' && random() < setup.cached) server.cached(done)
    else server.call(kind, repository, done)
  }
  for (let caller = 0; caller < setup.callers; caller++) call()
  timeline.runUntil(setup.warmUpUs)
  const before = busy(servers, shards)
  isMeasuring = true
  timeline.runUntil(setup.warmUpUs + setup.runUs)
  const after = busy(servers, shards)

  const shares = after.shards.map((us, index) => (us - (before.shards[index] ?? 0)) / setup.coresPerShard / setup.runUs)
  return {
    all: figuresOf([...tookHot, ...tookOthers], setup.runUs),
    hot: figuresOf(tookHot, setup.runUs),
    others: figuresOf(tookOthers, setup.runUs),
    serversBusy: (after.servers - before.servers) / servers.length / setup.runUs,
    busiestShard: Math.max(...shares),
    shardsBusy: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    group: (after.grouped - before.grouped) / (after.groups - before.groups)
  }
}

function busy(servers: readonly Server[], shards: readonly Shard[]) {
  const sum = (of: (server: Server) => number) => servers.reduce((total, server) => total + of(server), 0)
  return {
    servers: sum(({ processor }) => processor.busyUs),
    grouped: sum(({ grouped }) => grouped),
    groups: sum(({ groups }) => groups),
    shards: shards.map(({ processor }) => processor.busyUs)
  }
}
