/**
 * Holds the metrics of a client and of a server against `promtool check metrics`, which Prometheus brings: names, units and
 * help texts by Prometheus' conventions, and a text that its parser reads. Its rule tests try the alerts of docs. Then a Prometheus scrapes both under load.
 */
import { spawnSync } from 'node:child_process'
import { Registry } from 'prom-client'
import { startServer } from '../server-fixture/server.ts'
import { blobOid, createClient } from '../src/index.ts'
import { prometheusMetrics } from '../src/prometheus.ts'
import { pathOf } from './find-program.ts'
import { checkAlerts } from './test-prometheus/alerts.ts'
import { watchLoad } from './test-prometheus/watched-load.ts'

const promtool = pathOf('promtool')
const prometheus = pathOf('prometheus')
if (promtool === undefined || prometheus === undefined) {
  console.error(
    'promtool or prometheus is missing: install Prometheus (Debian: apt-get install prometheus), then run this again'
  )
  process.exit(1)
}

/** The metrics of a client that has had calls of each outcome, and those of its server. */
async function metricsOfBoth(): Promise<Readonly<Record<string, string>>> {
  const server = await startServer({ store: 'memory', adminPort: 0 })
  const client = createClient({ endpoint: server.http })
  try {
    await client.createRepository('demo')
    const { oid } = await client.upload('demo', new Uint8Array(2_000_000))
    await client.download('demo', oid).bytes()
    await client.getBlob('demo', blobOid('never stored')).catch(() => undefined)
    const { register } = prometheusMetrics(client, { register: new Registry() })
    const ofServer = await fetch(`${server.admin}/metrics`)
    return { client: await register.metrics(), server: await ofServer.text() }
  } finally {
    await client.close()
    await server.close()
  }
}

let problems = 0
for (const [side, text] of Object.entries(await metricsOfBoth())) {
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  process.stdout.write(stdout + stderr)
  if (status !== 0) problems++
  const count = text.match(/^# TYPE/gm)?.length ?? 0
  console.log(`${count} metrics of a ${side}: promtool ${status === 0 ? 'finds nothing' : 'objects'}`)
}
problems += checkAlerts(promtool)
problems += await watchLoad(prometheus)
process.exitCode = problems === 0 ? 0 : 1
