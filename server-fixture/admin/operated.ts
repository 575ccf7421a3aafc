/** The state of a server that its paths for operators tell of. */
import type { Health } from '../health/health.ts'
import type { FigureSource } from '../metrics/figure-source.ts'
import type { Feed } from './feed.ts'

/** One server. */
export interface Operated {
  readonly health: Health
  readonly figures: FigureSource
  readonly feed: Feed
}
