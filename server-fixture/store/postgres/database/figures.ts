/** Figures of the connections to a database, for metrics. */
import { Histogram } from '../../../metrics/histogram.ts'

/** Durations of calls by kind, with all tries and with the time for which they were held. */
export class DatabaseSteps {
  readonly read: Histogram = new Histogram()
  readonly write: Histogram = new Histogram()
  readonly whole: Histogram = new Histogram()
  readonly transaction: Histogram = new Histogram()

  /** By the names of steps that metrics have. */
  byName(): Readonly<Record<string, Histogram>> {
    return {
      database_read: this.read,
      database_write: this.write,
      database_whole: this.whole,
      database_transaction: this.transaction
    }
  }
}
