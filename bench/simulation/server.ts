/** One server: one core, and calls that are gathered by kind and repository. */
import type { Costs } from './costs.ts'
import { Processor } from './resources.ts'
import type { Kind, Shard } from './shard.ts'
import type { Timeline } from './timeline.ts'

/** Calls that go together, at most. */
const maxGroup = 1000
/** Groups of one kind and repository that are under way at a time. */
const groupsAtOnce: Readonly<Record<Kind, number>> = { read: 2, put: 2, commit: 1 }

interface Gathering {
  waiting: (() => void)[]
  running: number
}

export class Server {
  readonly processor: Processor
  readonly #costs: Costs
  readonly #shardOf: (repository: number) => Shard
  readonly #gatherings = new Map<string, Gathering>()
  groups = 0
  grouped = 0

  constructor(timeline: Timeline, costs: Costs, shardOf: (repository: number) => Shard) {
    this.processor = new Processor(timeline, 1)
    this.#costs = costs
    this.#shardOf = shardOf
  }

  call(kind: Kind, repository: number, done: () => void): void {
    this.processor.work(this.#costs.server[kind], () => {
      // A commit asks for its branch first.
      if (kind === 'commit') this.#gather('read', repository, () => this.#gather('commit', repository, done))
      else this.#gather(kind, repository, done)
    })
  }

  /** A read that the cache of objects answers. */
  cached(done: () => void): void {
    this.processor.work(this.#costs.server.read, done)
  }

  #gather(kind: Kind, repository: number, done: () => void): void {
    const key = `${kind} ${repository}`
    let gathering = this.#gatherings.get(key)
    if (gathering === undefined) {
      gathering = { waiting: [], running: 0 }
      this.#gatherings.set(key, gathering)
    }
    gathering.waiting.push(done)
    this.#send(key, gathering, kind, repository)
  }

  #send(key: string, gathering: Gathering, kind: Kind, repository: number): void {
    if (gathering.running >= groupsAtOnce[kind] || gathering.waiting.length === 0) return
    const group = gathering.waiting.splice(0, maxGroup)
    gathering.running++
    this.groups++
    this.grouped += group.length
    this.#shardOf(repository).carryOut(kind, repository, group.length, () => {
      gathering.running--
      this.#send(key, gathering, kind, repository)
      if (gathering.running === 0) this.#gatherings.delete(key)
      for (const done of group) done()
    })
  }
}
