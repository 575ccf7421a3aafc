/** What is simulated: growing from one database to 32, and a repository that is hotter than the others. */
import { type Costs, measured } from './costs.ts'
import { type Figures, type Setup, simulate } from './simulate.ts'

/** Prices of a month, in any currency. */
export interface Prices {
  readonly core: number
  /** Of replicated storage. */
  readonly terabyte: number
}

/** Most of what is asked is read again; a commit comes with the blobs before it. */
const ordinaryMix = { read: 0.7, put: 0.2 }

const ordinary: Omit<Setup, 'shards' | 'servers' | 'callers' | 'repositories'> = {
  costs: measured,
  coresPerShard: 8,
  mix: ordinaryMix,
  cached: 0.6,
  hotShare: 0,
  routed: false,
  warmUpUs: 100_000,
  runUs: 300_000,
  seed: 1
}

/** A system of this many databases, with servers and callers for each of them. */
export function systemOf(shards: number, more: Partial<Setup> = {}): Setup {
  return { ...ordinary, shards, servers: 8 * shards, callers: 600 * shards, repositories: 2000 * shards, ...more }
}

export interface Grown {
  readonly shards: number
  readonly figures: Figures
  /** Of a month, for the databases with a standby each and the servers. */
  readonly cost: number
  /** Of a million calls at this rate. */
  readonly costOfMillion: number
}

const secondsOfMonth = 30 * 24 * 3600

/** From one database to 32, each step with twice as much of everything. */
export function grow(
  prices: Prices,
  costs: Costs = measured,
  steps: readonly number[] = [1, 2, 4, 8, 16, 32]
): Grown[] {
  return steps.map((shards) => {
    const setup = systemOf(shards, { costs })
    const figures = simulate(setup)
    // Each database has a synchronous standby of its size.
    const cores = 2 * shards * setup.coresPerShard + setup.servers
    const cost = cores * prices.core
    return { shards, figures, cost, costOfMillion: (cost / (figures.all.perSecond * secondsOfMonth)) * 1e6 }
  })
}

export interface Heated {
  readonly share: number
  readonly figures: Figures
  /** Where calls of a repository go to one server. */
  readonly routed: Figures
}

/** Eight databases, and one repository that gets this share of all calls; commits alone, which are its limit. */
export function heat(costs: Costs = measured, shares: readonly number[] = [0, 0.05, 0.1, 0.25, 0.5]): Heated[] {
  const mix = { read: 0, put: 0 }
  return shares.map((hotShare) => {
    // Long enough for those who wait in a long line.
    const times = { warmUpUs: 1_000_000, runUs: 2_000_000 }
    const setup = systemOf(8, { costs, mix, hotShare, servers: 64, callers: 2000, ...times })
    return { share: hotShare, figures: simulate(setup), routed: simulate({ ...setup, routed: true }) }
  })
}

/** What so many objects take. */
export interface Stored {
  readonly objects: number
  readonly terabytes: number
  readonly indexGigabytes: number
  readonly shards: number
  readonly monthlyCost: number
}

/** Bytes of a row beside its content, and of its entry in the index. */
const rowBytes = 140
const indexBytes = 65
/** As stored, on average. */
const contentBytes = 1500
/** A database that is backed up, restored and vacuumed within a night. */
const terabytesOfShard = 0.5
/** One primary with a large disk does without shards up to here. */
const terabytesOfOne = 2

export function store(objects: number, prices: Prices): Stored {
  const terabytes = (objects * (contentBytes + rowBytes)) / 1e12
  const shards = terabytes <= terabytesOfOne ? 1 : Math.ceil(terabytes / terabytesOfShard)
  const indexGigabytes = (objects * indexBytes) / 1e9
  return { objects, terabytes, indexGigabytes, shards, monthlyCost: terabytes * prices.terabyte }
}
