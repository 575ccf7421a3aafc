/** The metrics of clients as prom-client writes them, against the statistics that they are of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenMetricsContentType, Registry } from 'prom-client'
import { blobOid } from '../../src/index.ts'
import { prometheusMetrics } from '../../src/prometheus.ts'
import { atEnd, testServer } from '../support/server.ts'

/** The samples of a text, by name and labels. */
const samplesOf = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const end = line.lastIndexOf(' ')
        return [line.slice(0, end), Number(line.slice(end + 1))]
      })
  )

test('a scrape has the counts, failures and durations of the client', async (context) => {
  const server = atEnd(context, await testServer())
  const client = server.client()
  await client.createRepository('demo')
  await Promise.all(['a', 'b', 'c'].map((content) => client.storeBlob('demo', content)))
  await assert.rejects(client.getBlob('demo', blobOid('never stored')))
  const { register } = prometheusMetrics(client, { register: new Registry() })
  const samples = samplesOf(await register.metrics())
  const at = (name: string) => samples.get(`blobwire_client_${name}`)
  const stats = client.stats()
  assert.equal(at('calls_total{client="default",method="storeBlob",code="ok"}'), 3)
  assert.equal(at('calls_total{client="default",method="getBlob",code="not_found"}'), 1)
  assert.equal(at('call_failures_total{client="default",method="getBlob",code="not_found",reason="object"}'), 1)
  const duration = 'call_duration_seconds'
  const stored = stats.methods.find(({ method }) => method === 'storeBlob')
  assert.equal(at(`${duration}_count{client="default",method="storeBlob"}`), 3)
  assert.equal(at(`${duration}_sum{client="default",method="storeBlob"}`), (stored?.latency.sumMs ?? 0) / 1000)
  assert.equal(at(`${duration}_bucket{le="+Inf",client="default",method="storeBlob"}`), 3)
  const buckets = [...samples].filter(
    ([name]) => name.includes('call_duration_seconds_bucket') && /storeBlob/.test(name)
  )
  assert.deepEqual(
    buckets.map(([, count]) => count),
    buckets.map(([, count]) => count).toSorted((a, b) => a - b),
    'buckets are cumulative'
  )
  assert.match(buckets[0]?.[0] ?? '', /le="0.0005"/)
  const endpoint = `client="default",endpoint="${server.server.http}",transport="msgpack"`
  assert.equal(at(`endpoint_attempts_total{${endpoint}}`), stats.attempts)
  assert.equal(at(`breaker_state{${endpoint},state="closed"}`), 1)
  assert.equal(at(`breaker_state{${endpoint},state="open"}`), 0)
  assert.equal(at('sent_bytes_total{client="default"}'), stats.bytesSent)
  await client.storeBlob('demo', 'd')
  const later = samplesOf(await register.metrics())
  assert.equal(later.get('blobwire_client_calls_total{client="default",method="storeBlob",code="ok"}'), 4)
})

test('several clients, and a registry of clients, are told apart by their names', async (context) => {
  const server = atEnd(context, await testServer())
  const [here, there] = [server.client(), server.client()]
  await here.createRepository('demo')
  await there.storeBlob('demo', 'a')
  const registry = { stats: () => ({ clients: { here: here.stats(), there: there.stats(), unused: undefined } }) }
  for (const clients of [{ here, there }, registry]) {
    const { register } = prometheusMetrics(clients, { register: new Registry(), prefix: 'app_' })
    const samples = samplesOf(await register.metrics())
    assert.equal(samples.get('app_calls_total{client="here",method="createRepository",code="ok"}'), 1)
    assert.equal(samples.get('app_calls_total{client="there",method="storeBlob",code="ok"}'), 1)
  }
})

test('metrics of a name that is taken are refused, and can be removed', async (context) => {
  const server = atEnd(context, await testServer())
  const register = new Registry()
  const { remove } = prometheusMetrics(server.client(), { register })
  assert.throws(() => prometheusMetrics(server.client(), { register }), /already been registered/)
  remove()
  assert.equal((await register.metrics()).trim(), '')
  prometheusMetrics(server.client(), { register })
})

test('the OpenMetrics format ends counters with _total once', async (context) => {
  const server = atEnd(context, await testServer())
  const register = new Registry<OpenMetricsContentType>()
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  prometheusMetrics(server.client(), { register: register as never })
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = await register.metrics()
    assert.match(text, /^blobwire_client_attempts_total\{client="default"\} 0$/m)
    assert.match(text, /^# TYPE blobwire_client_attempts counter$/m)
  }
})
