/** One database: its processors, its log, the rows of its repositories that are locked. */
import type { Costs } from './costs.ts'
import { Locks, Log, Processor } from './resources.ts'
import type { Timeline } from './timeline.ts'

export type Kind = 'read' | 'put' | 'commit'

export class Shard {
  readonly processor: Processor
  readonly log: Log
  readonly #timeline: Timeline
  readonly #costs: Costs
  readonly #locks = new Locks()

  constructor(timeline: Timeline, costs: Costs, cores: number) {
    this.#timeline = timeline
    this.#costs = costs
    this.processor = new Processor(timeline, cores)
    this.log = new Log(timeline, costs.syncUs)
  }

  /** One statement or transaction for some calls of one repository, there and back. */
  carryOut(kind: Kind, repository: number, calls: number, done: () => void): void {
    const { database, roundTripUs } = this.#costs
    const arrived = () => this.#timeline.after(roundTripUs / 2, done)
    const workUs = database[kind] + calls * database[`${kind}Row`]
    this.#timeline.after(roundTripUs / 2, () => {
      if (kind === 'read') return this.processor.work(workUs, arrived)
      if (kind === 'put') return this.processor.work(workUs, () => this.log.commit(arrived))
      // The row of the repository is locked until the transaction is in the log.
      this.#locks.take(repository, () => {
        this.processor.work(workUs, () =>
          this.log.commit(() => {
            this.#locks.free(repository)
            arrived()
          })
        )
      })
    })
  }
}
