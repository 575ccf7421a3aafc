/** A metric of prom-client whose values are read from statistics when it is scraped; prom-client's own classes count. */
import type { LatencyBuckets } from '../index.ts'
import type { Family, Labels } from '../metrics/families.ts'
import type { ReadStats } from '../metrics/measured-clients.ts'

/** A value as prom-client writes it. */
interface Row {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

/** What a registry of prom-client asks of a metric. */
export class StatsMetric {
  /** Changed by registries of the OpenMetrics format, which add `_total` themselves. */
  name: string
  readonly help: string
  readonly type: Family['type']
  readonly aggregator = 'sum'
  readonly #fullName: string
  readonly #samples: Family['samples']
  readonly #read: ReadStats

  constructor({ name, help, type, samples }: Family, prefix: string, read: ReadStats) {
    this.name = prefix + name
    this.#fullName = this.name
    this.help = help
    this.type = type
    this.#samples = samples
    this.#read = read
  }

  async get(): Promise<object> {
    const values = this.#read().flatMap(([client, stats]) =>
      this.#samples(stats).flatMap(({ labels, value }): Row[] => {
        const all = { client, ...labels }
        return typeof value === 'number' ? [{ labels: all, value }] : histogramRows(this.#fullName, all, value)
      })
    )
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values }
  }

  /** Called by `registry.resetMetrics()`; the counts are those of the clients. */
  reset(): void {}
}

/** Buckets are cumulative in Prometheus: each counts all those before it, too. */
function histogramRows(name: string, labels: Labels, { boundsMs, counts, sumMs }: LatencyBuckets): Row[] {
  let count = 0
  const rows = counts.map((inBucket, index): Row => {
    count += inBucket
    const le = boundsMs[index] === undefined ? '+Inf' : boundsMs[index] / 1000
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  rows.push({ metricName: `${name}_sum`, labels, value: sumMs / 1000 })
  rows.push({ metricName: `${name}_count`, labels, value: count })
  return rows
}
