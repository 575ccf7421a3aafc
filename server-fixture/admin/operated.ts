/** The state of a server that its paths for operators tell of. */
import type { Health } from '../health/health.ts'
import type { FigureSource } from '../metrics/figure-source.ts'
import type { Feed } from './feed.ts'

/** One server, of one process or of several. */
export interface Operated {
  readonly health: Pick<Health, 'look' | 'isDraining' | 'onChange'>
  readonly figures: FigureSource
  readonly feed: Feed
}
