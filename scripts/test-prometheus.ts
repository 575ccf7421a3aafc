/**
 * Holds the metrics of a client against `promtool check metrics`, which Prometheus brings: names, units and help texts by
 * Prometheus' conventions, and a text that its parser reads.
 */
import { spawnSync } from 'node:child_process'
import { Registry } from 'prom-client'
import { startServer } from '../server-fixture/server.ts'
import { blobOid, createClient } from '../src/index.ts'
import { prometheusMetrics } from '../src/prometheus.ts'
import { pathOf } from './find-program.ts'

const promtool = pathOf('promtool')
if (promtool === undefined) {
  console.error('promtool is missing: install Prometheus (Debian: apt-get install prometheus), then run this again')
  process.exit(1)
}

/** The metrics of a client that has had calls of each outcome. */
async function metricsOfClient(): Promise<string> {
  const server = await startServer({ store: 'memory' })
  const client = createClient({ endpoint: server.http })
  try {
    await client.createRepository('demo')
    const { oid } = await client.upload('demo', new Uint8Array(2_000_000))
    await client.download('demo', oid).bytes()
    await client.getBlob('demo', blobOid('never stored')).catch(() => undefined)
    const { register } = prometheusMetrics(client, { register: new Registry() })
    return await register.metrics()
  } finally {
    await client.close()
    await server.close()
  }
}

const text = await metricsOfClient()
const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' })
process.stdout.write(stdout + stderr)
console.log(
  `${text.match(/^# TYPE/gm)?.length ?? 0} metrics of a client: promtool ${status === 0 ? 'finds nothing' : 'objects'}`
)
process.exitCode = status ?? 1
