/** `onCall`, `client.explain`, `diagnostics_channel` and the logger tell of calls. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { pino } from 'pino'
import { type CallTimeline, createClient, type Logger } from '../../src/index.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { pipelineHarness, settled } from '../support/pipeline-harness.ts'
import { atEnd, testServer } from '../support/server.ts'

test('onCall gets the timeline of each call, and its text is for people', async (context) => {
  const server = atEnd(context, await testServer())
  const seen: CallTimeline[] = []
  for (const batch of [{}, false] as const) {
    const client = server.client({ batch, onCall: (timeline) => seen.push(timeline) })
    await client.createRepository('demo')
    seen.length = 0
    await client.storeBlob('demo', 'content')
    const [timeline] = seen as [CallTimeline]
    assert.equal(seen.length, 1)
    assert.deepEqual(
      [timeline.method, timeline.repository, timeline.code, timeline.attempts, timeline.transport],
      ['storeBlob', 'demo', 'ok', 1, 'msgpack']
    )
    const names = timeline.steps.map(({ name }) => name)
    const expected = batch ? ['attempt', 'connected', 'encoded'] : ['attempt', 'encoded', 'connected']
    assert.deepEqual(names.slice(0, 5), [...expected, 'sent', 'answered'])
    assert.equal(names.at(-1), 'ended')
    const times = timeline.steps.map(({ atMs }) => atMs)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b)
    )
    assert.equal(times.at(-1), timeline.durationMs)
    const text = String(timeline)
    assert.match(text, /^storeBlob demo: ok in [\d.]+ ms, msgpack http:.*, request id \S+\n/)
    assert.match(text, /^ +0\.\d\d ms +\+0\.\d\d ms {2}attempt 1$/m)
    assert.match(text, /encoded: \d+ bytes/)
    // The server tells its time in an answer of its own alone.
    assert.equal(/the server took [\d.]+ ms/.test(text), batch === false)
  }
})

test('explain tells of the calls of its function alone, and of those that fail', async (context) => {
  const server = atEnd(context, await testServer())
  const client = server.client()
  await client.createRepository('demo')
  const explaining = client.explain(async () => {
    await client.storeBlob('demo', 'a')
    return client.commitFiles('demo', {
      branch: 'main',
      changes: { 'a.txt': 'a' },
      message: 'x',
      author: { name: 'Ada', email: 'ada@example.org' }
    })
  })
  await client.getRepository('demo')
  const explanation = await explaining
  assert.ok(explanation.ok && explanation.value !== undefined)
  const methods = explanation.calls.map(({ method }) => method)
  assert.equal(methods[0], 'storeBlob')
  assert.equal(methods.at(-1), 'commitFiles')
  assert.ok(!methods.includes('getRepository'))
  assert.match(String(explanation), /^storeBlob demo: ok[\s\S]*\ncommitFiles demo: ok/)
  const failed = await client.explain(() => client.getRepository('none'))
  assert.deepEqual([failed.ok, failed.value, failed.calls.map(({ code }) => code)], [false, undefined, ['not_found']])
  assert.match(String(failed), /^getRepository none: not_found \(repository\) in/)
  await client.storeBlob('demo', 'b')
  assert.equal(explanation.calls.length, methods.length, 'it has ended')
})

test('a retry is in the timeline, with the failure and the wait', async () => {
  const clock = new FakeClock()
  const seen: CallTimeline[] = []
  const telemetry = new Telemetry(clock, { onCall: (timeline) => seen.push(timeline) })
  const { read, last } = pipelineHarness({ clock, telemetry })
  const call = read()
  await settled()
  last().fail({ code: 'unavailable', message: 'down' })
  await settled()
  clock.advance(50)
  await settled()
  last().answer()
  await call
  assert.equal(
    String(seen[0]),
    [
      'getBlob: ok in 50.00 ms, msgpack a',
      '     0.00 ms     +0.00 ms  attempt 1',
      '     0.00 ms     +0.00 ms  attempt failed: down',
      '     0.00 ms     +0.00 ms  waits for the next attempt: for 50.00 ms, down',
      '    50.00 ms    +50.00 ms  attempt 2',
      '    50.00 ms     +0.00 ms  ended'
    ].join('\n')
  )
})

test('diagnostics channels have calls and attempts while somebody has subscribed', async (context) => {
  const server = atEnd(context, await testServer())
  const client = server.client()
  await client.createRepository('demo')
  const messages: [string | symbol, { call: object; outcome?: { error?: { code: string } } }][] = []
  const names = ['blobwire:call:start', 'blobwire:attempt:start', 'blobwire:attempt:end', 'blobwire:call:end']
  const listener = (message: unknown, name: string | symbol) => messages.push([name, message as { call: object }])
  for (const name of names) subscribe(name, listener)
  await assert.rejects(client.getRepository('none'))
  for (const name of names) unsubscribe(name, listener)
  await client.getRepository('demo')
  assert.deepEqual(
    messages.map(([name]) => name),
    names
  )
  assert.equal(new Set(messages.map(([, { call }]) => call)).size, 1, 'the same object throughout')
  assert.equal(messages.at(-1)?.[1].outcome?.error?.code, 'not_found')
})

test('pino takes the rare events, with fields and without tokens', async () => {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    }
  })
  const logger: Logger = pino({ level: 'debug' }, stream)
  const gone = await testServer()
  await gone[Symbol.asyncDispose]()
  const endpoint = gone.server.http
  const retry = { maxAttempts: 6, baseMs: 1 }
  const client = createClient({ endpoint, token: 'secret-token', logger, retry, breaker: { waitMs: 0 } })
  await assert.rejects(client.storeBlob('demo', 'content'))
  await client.close()
  const told = new Map(lines.map((line) => [line['event'], line]))
  assert.deepEqual([...told.keys()].sort(), ['breaker_opened', 'connection_failed', 'retry'])
  const { level, msg, endpoint: where, code, problem } = told.get('breaker_opened') ?? {}
  assert.deepEqual([level, where, code], [40, endpoint, 'unavailable'])
  assert.match(String(msg), /^blobwire: circuit breaker opened/)
  assert.match(String(problem), /ECONNREFUSED/)
  assert.equal(told.get('retry')?.['method'], 'StoreBlob')
  assert.ok(!JSON.stringify(lines).includes('secret-token'))
})

test('a slow call is logged, and a logger that throws breaks nothing', async () => {
  const clock = new FakeClock()
  const entries: [object, string][] = []
  const problems: string[] = []
  const warn = (fields: object, message: string) => {
    entries.push([fields, message])
    throw new Error('of the logger')
  }
  const logger = { debug: warn, info: warn, warn, error: warn }
  const telemetry = new Telemetry(clock, { logger, slowCallMs: 100, warn: (problem) => problems.push(problem) })
  const { read, last } = pipelineHarness({ clock, telemetry })
  for (const ms of [99, 100, 101]) {
    const call = read()
    await settled()
    clock.advance(ms)
    last().answer()
    await call
  }
  const absent = read()
  await settled()
  clock.advance(150)
  last().fail({ code: 'not_found', message: 'no' })
  await assert.rejects(absent)
  const late = read({ timeoutMs: 200, request: { repository: 'demo' } })
  await settled()
  clock.advance(200)
  await assert.rejects(late)
  assert.deepEqual(
    entries.map(([fields]) => (fields as { durationMs: number }).durationMs),
    [100, 101, 150, 200]
  )
  const [fields, message] = entries.at(-1) ?? [{}, '']
  assert.equal(message, 'blobwire: slow call')
  const { event, method, repository, code } = fields as Record<string, unknown>
  assert.deepEqual([event, method, repository, code], ['slow_call', 'GetBlob', 'demo', 'deadline_exceeded'])
  const endpoints = entries.map(([fields]) => (fields as { endpoint?: string }).endpoint)
  assert.deepEqual(endpoints, ['a', 'a', 'a', 'a'])
  assert.equal(problems.length, 1)
})
