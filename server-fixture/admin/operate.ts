/** The state of one process that its paths for operators tell of. */
import { Health } from '../health/health.ts'
import type { MemoryBudget } from '../memory-budget.ts'
import type { FigureSource } from '../metrics/figure-source.ts'
import { type FigureSources, ServerMetrics, type Witnesses } from '../metrics/server-metrics.ts'
import type { Store } from '../store/store.ts'
import { Feed } from './feed.ts'
import type { Operated } from './operated.ts'

/** Checks without anybody who asks, for gRPC's health service and for the metrics. */
const lookMs = 10_000

/** The parts of the server that are told of. */
export interface OperateOptions
  extends Pick<FigureSources, 'commitQueues' | 'watches' | 'git' | 'webhooks'>,
    Witnesses {
  readonly store: Store
  readonly memory: MemoryBudget
  readonly minFreeBytes: number
  readonly serverVersion: string
}

/** One process. */
export interface OperatedProcess extends Operated {
  readonly health: Health
  readonly metrics: ServerMetrics
  close(): void
}

export function operate(options: OperateOptions): OperatedProcess {
  const { store, memory, minFreeBytes, serverVersion, commitQueues, watches, git, webhooks, accessLog, tracing } =
    options
  const health = new Health(store, memory, { minFreeBytes })
  const { vitals } = store
  const sources = {
    memory: () => memory.figures(),
    commitQueues,
    watches,
    git,
    webhooks,
    ...(vitals ? { uploads: vitals.uploads, store: vitals.steps } : {}),
    ...(vitals?.database ? { database: vitals.database } : {}),
    isReady: () => health.isReady,
    isDraining: () => health.isDraining
  }
  const metrics = new ServerMetrics(sources, { accessLog, tracing })
  const figures: FigureSource = {
    snapshot: async () => metrics.snapshot(),
    notable: async () => metrics.notable.figures(),
    watch: (isWatched) => metrics.notable.watch(isWatched)
  }
  const timer = setInterval(() => void health.look(), lookMs).unref()
  return {
    metrics,
    health,
    figures,
    feed: new Feed({ figures, health, serverVersion }),
    close() {
      clearInterval(timer)
      metrics.close()
    }
  }
}
