/** Metrics of clients for Prometheus, on `prom-client` (an optional peer dependency). */
import { register as globalRegister, type Metric, type Registry } from 'prom-client'
import './check-node.cts'
import { families } from './metrics/families.ts'
import { type MeasuredClients, type ReadStats, statsOf } from './metrics/measured-clients.ts'
import { StatsMetric } from './prometheus/stats-metric.ts'

export type { MeasuredClient, MeasuredClients, MeasuredRegistry } from './metrics/measured-clients.ts'

/** Options of `prometheusMetrics`. */
export interface PrometheusOptions {
  /**
   * Registry of prom-client that gets the metrics.
   * @default the global registry
   */
  register?: Registry | undefined
  /**
   * Beginning of each metric's name.
   * @default 'blobwire_client_'
   */
  prefix?: string | undefined
}

/** The metrics that were registered. */
export interface PrometheusMetrics {
  /** The registry that has them: `await register.metrics()` is the text for Prometheus. */
  readonly register: Registry
  /** Takes the metrics out of the registry again. */
  remove(): void
}

/**
 * Registers the metrics of clients. The clients count in any case; their statistics are read when Prometheus scrapes. Every
 * metric has the label `client`: the client's name, or `default` for a single client. See docs/observing.md for all metrics.
 * @throws Error of prom-client where the registry has metrics of these names: give all clients at once, or a prefix
 * @example
 * const { register, remove } = prometheusMetrics(client)
 * const text = await register.metrics() // for GET /metrics
 * remove()
 */
export function prometheusMetrics(
  clients: MeasuredClients,
  { register = globalRegister, prefix = 'blobwire_client_' }: PrometheusOptions = {}
): PrometheusMetrics {
  const read = onceForEachScrape(() => statsOf(clients))
  const metrics = families.map((family) => new StatsMetric(family, prefix, read))
  for (const metric of metrics) register.registerMetric(metric as unknown as Metric)
  return {
    register,
    remove() {
      for (const { name } of metrics) register.removeSingleMetric(name)
    }
  }
}

/** A registry asks all metrics in one turn: they get the same statistics. */
function onceForEachScrape(read: ReadStats): ReadStats {
  let found: ReturnType<ReadStats> | undefined
  return () => {
    if (found === undefined) {
      found = read()
      queueMicrotask(() => {
        found = undefined
      })
    }
    return found
  }
}
