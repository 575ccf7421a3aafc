/** The figures of a server as Prometheus' text. Names: prometheus.io, "Metric and label naming". */
import { type Metric, Registry } from 'prom-client'
import { bucketBounds, type HistogramFigures } from './histogram.ts'
import { families } from './prometheus-families.ts'
import type { Family, Sample } from './prometheus-family.ts'
import type { ServerFigures } from './snapshot.ts'
import { webhookFamilies } from './webhook-families.ts'

/** Of `GET /metrics`. */
export const metricsContentType: string = Registry.PROMETHEUS_CONTENT_TYPE

/** A value as prom-client writes it. */
interface Row {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** prom-client counts by itself; it writes any object of this form, too. */
interface Written {
  readonly name: string
  readonly help: string
  readonly type: Family['type']
  readonly values: Row[]
}

/** Buckets are cumulative in the text: each counts what is in those before it. */
function histogramRows(name: string, { labels, figures }: Extract<Sample, { figures: HistogramFigures }>): Row[] {
  let count = 0
  const rows: Row[] = figures.buckets.map((inBucket, index) => {
    count += inBucket
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bucketBounds[index] ?? '+Inf' }, value: count }
  })
  rows.push({ metricName: `${name}_sum`, labels, value: figures.sumSeconds })
  rows.push({ metricName: `${name}_count`, labels, value: count })
  return rows
}

function written({ name, help, type, samples }: Family, snapshot: ServerFigures): Written {
  const values = samples(snapshot).flatMap((sample) => ('figures' in sample ? histogramRows(name, sample) : [sample]))
  return { name, help, type, values }
}

/** The text of a snapshot. */
export async function metricsText(snapshot: ServerFigures): Promise<string> {
  const registry = new Registry()
  for (const family of [...families, ...webhookFamilies]) {
    const metric = written(family, snapshot)
    registry.registerMetric({ ...metric, get: async () => metric } as unknown as Metric)
  }
  return await registry.metrics()
}
