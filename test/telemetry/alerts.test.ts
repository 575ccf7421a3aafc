/** The alerts and the dashboard of Grafana in docs ask for metrics that exist, with labels that these have. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { parse } from 'yaml'
import { dashboardQueries } from '../../scripts/test-prometheus/alerts.ts'
import { metricsText } from '../../server-fixture/metrics/prometheus.ts'
import { ServerMetrics } from '../../server-fixture/metrics/server-metrics.ts'
import { createClient } from '../../src/index.ts'
import { prometheusMetrics } from '../../src/prometheus.ts'

const docs = new URL('../../docs/', import.meta.url)

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string; readonly alert: string }[] }[]
}

test('docs/alerts.yml and docs/grafana.json name metrics that clients and servers have', async () => {
  const client = createClient('http://127.0.0.1:9')
  const { register } = prometheusMetrics(client, { register: new Registry() })
  const metrics = new ServerMetrics()
  const texts = [await register.metrics(), await metricsText(metrics.snapshot())]
  metrics.close()
  await client.close()
  const known = new Set(texts.join('\n').match(/(?<=^# TYPE )\w+/gm))
  const { groups } = parse(readFileSync(new URL('alerts.yml', docs), 'utf8')) as Rules
  const alerts = groups.flatMap(({ rules }) => rules)
  const asked = [...alerts.map(({ expr }) => expr), ...dashboardQueries()]
  const names = asked.flatMap((expr) => expr.match(/blobwire_\w+/g) ?? assert.fail(`${expr} names no metric`))
  const unknown = names.filter((name) => !known.has(name.replace(/_bucket$/, '')))
  assert.deepEqual(unknown, [])
  const page = readFileSync(new URL('health.md', docs), 'utf8')
  for (const { alert } of alerts) assert.ok(page.includes(`\`${alert}\``), `docs/health.md explains ${alert}`)
})
