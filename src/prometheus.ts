/** Metrics of clients for Prometheus, on `prom-client` (an optional peer dependency). */
import { register as globalRegister, type Metric, type Registry } from 'prom-client'
import './check-node.cts'
import type { ClientStats } from './index.ts'
import { families } from './prometheus/families.ts'
import { type ReadStats, StatsMetric } from './prometheus/stats-metric.ts'

/** A client, as far as its metrics go. */
export interface MeasuredClient {
  stats(): ClientStats
}

/** A registry of clients, as far as their metrics go: the statistics of its clients by their names. */
export interface MeasuredRegistry {
  stats(): { readonly clients: Readonly<Record<string, ClientStats | undefined>> }
}

/** One client, several by their names, or a registry. */
export type MeasuredClients = MeasuredClient | MeasuredRegistry | Readonly<Record<string, MeasuredClient>>

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

function statsOf(clients: MeasuredClients): ReturnType<ReadStats> {
  if (typeof clients.stats !== 'function') {
    return Object.entries(clients as Readonly<Record<string, MeasuredClient>>).map(([name, client]) => [
      name,
      client.stats()
    ])
  }
  const found = (clients as MeasuredClient | MeasuredRegistry).stats()
  if (!('clients' in found)) return [['default', found]]
  return Object.entries(found.clients).flatMap(([name, stats]) => (stats === undefined ? [] : [[name, stats] as const]))
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
