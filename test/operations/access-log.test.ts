/** The access log: its lines name the request ids of errors and never a token; a slow disk drops lines and stalls nothing. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type FileCalls, LineWriter } from '../../server-fixture/access-log/line-writer.ts'
import { Notable } from '../../server-fixture/metrics/notable.ts'
import { startServerProcess } from '../../server-fixture/process.ts'
import { type BlobwireError, createClient } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

async function logFile(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-log-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'access.log')
}

type Line = Record<string, unknown>

function linesOf(file: string): Line[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
}

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => assert.fail('the call did not fail'),
    (error: BlobwireError) => error
  )
const token = 'a-secret-token'
const grants = [{ token, name: 'deploy', access: 'write', repositories: ['*'] }] as const

for (const transport of ['msgpack', 'grpc'] as const) {
  for (const accessLogDetail of ['frames', 'operations'] as const) {
    test(`${transport}: lines of requests and ${accessLogDetail}, with the request ids that errors name`, async (context) => {
      const file = await logFile(context)
      const fixture = atEnd(context, await testServer({ grants, accessLog: file, accessLogDetail }))
      const client = fixture.client({ transport, token })
      const repo = client.repository('demo')
      await repo.createRepository()
      await Promise.all(['a', 'b', 'c'].map((content) => repo.storeBlob(content)))
      const missing = await failureOf(repo.getBlob('ab'.repeat(20)))
      const stranger = await failureOf(
        fixture.client({ transport, token: 'wrong-secret' }).repository('x').getRepository()
      )
      await client.close()
      await fixture.server.close()
      const lines = linesOf(file)
      assert.doesNotMatch(readFileSync(file, 'utf8'), /secret/)
      for (const line of lines) {
        assert.match(String(line['time']), /^\d{4}-.*Z$/)
        assert.match(String(line['remote']), /^127\.0\.0\.1 \d+$/)
        assert.equal(line['transport'], transport)
        assert.ok((line['durationMs'] as number) >= 0)
        assert.match(String(line['userAgent']), /./)
      }
      const ofRequests = lines.filter(({ kind }) => kind === 'request')
      const creation = ofRequests.find(({ method }) => method === 'CreateRepository')
      assert.deepEqual([creation?.['code'], creation?.['repository'], creation?.['token']], ['ok', 'demo', 'deploy'])
      assert.ok((creation?.['receivedBytes'] as number) > 10 && (creation?.['sentBytes'] as number) > 0)
      const refused = lines.find(({ code }) => code === 'unauthenticated')
      assert.deepEqual(
        [refused?.['requestId'], refused?.['reason'], refused?.['token']],
        [stranger.requestId, 'bad_token', undefined]
      )
      const session = ofRequests.find(({ method, code }) => method === 'Session' && code === 'ok')
      const [error, ...others] = lines.filter(({ code }) => code === 'not_found')
      assert.deepEqual(others, [])
      assert.equal(error?.['reason'], 'object')
      if (accessLogDetail === 'frames') {
        assert.deepEqual(error?.['operations'], { GetBlob: 1 })
        assert.equal(((error?.['failures'] ?? []) as Line[])[0]?.['requestId'], missing.requestId)
        const stored = lines.filter(({ kind, code }) => kind === 'frame' && code === 'ok')
        const counts = stored.map(({ operations }) => (operations as Record<string, number>)['StoreBlob'] ?? 0)
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          3
        )
        assert.deepEqual(new Set(stored.map(({ requestId }) => requestId)), new Set([session?.['requestId']]))
      } else {
        assert.deepEqual([error?.['method'], error?.['requestId']], ['GetBlob', missing.requestId])
        assert.equal(lines.filter(({ kind, method }) => kind === 'operation' && method === 'StoreBlob').length, 3)
      }
    })
  }
}

test('a name as long as a message fills neither the log nor the memory of the dashboard', async (context) => {
  const file = await logFile(context)
  const fixture = atEnd(context, await testServer({ accessLog: file }))
  const repository = 'x'.repeat(100_000)
  await failureOf(fixture.client({ transport: 'json' }).repository('demo').getRepository())
  const response = await fetch(`${fixture.server.http}/blobwire.v1.VcsService/GetRepository`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ repository })
  })
  assert.equal(response.status, 400)
  await fixture.server.close()
  const named = linesOf(file).map(({ repository: name }) => String(name ?? '').length)
  assert.deepEqual(named, [4, 200, 0])
  const notable = new Notable()
  notable.watch(true)
  const call = { method: 'GetRepository', transport: 'json', durationMs: 1000, code: 'ok', requestId: '' } as const
  notable.ended({ ...call, repository, operations: 1 })
  const { repositories, slowCalls } = notable.figures()
  assert.deepEqual([repositories, slowCalls.map((slow) => slow.repository)], [{}, ['']])
})

test('a file that was renamed is left on SIGHUP; the first line on standard output names the admin port', async (context) => {
  const file = await logFile(context)
  const server = await startServerProcess('--access-log', file, '--admin-port', '0')
  context.after(() => server.kill())
  const client = createClient({ endpoint: server.http.href, transport: 'json' })
  const repo = client.repository('demo')
  await repo.createRepository()
  await until(() => linesOf(file).length === 1, 'the first line')
  await rename(file, `${file}.1`)
  process.kill(server.pid, 'SIGHUP')
  await until(() => existsSync(file), 'a new file')
  await until(() => {
    repo.listRefs().catch(() => undefined)
    return linesOf(file).length > 0
  }, 'a line in the new file')
  assert.equal(linesOf(`${file}.1`)[0]?.['method'], 'CreateRepository')
  assert.equal((await fetch(`${server.admin}/health/ready`)).status, 200)
  await client.close()
  await server.stop()
  assert.equal(linesOf(file).at(-1)?.['method'], 'Session')
})

/** A file of which the test says when it takes bytes, and how many. */
function slowFile() {
  const state = {
    text: '',
    writes: 0,
    problems: [] as unknown[],
    go: Promise.withResolvers<void>(),
    /** The outcome of the next writes. */
    outcomes: [] as (number | Error)[]
  }
  const calls: FileCalls = {
    open: async () => 7,
    close: async () => undefined,
    async write(_file, bytes) {
      state.writes++
      await state.go.promise
      const outcome = state.outcomes.shift() ?? bytes.length
      if (outcome instanceof Error) throw outcome
      const taken = bytes.subarray(0, outcome)
      state.text += Buffer.from(taken).toString()
      return taken.length
    }
  }
  return { state, calls, onProblem: (error: unknown) => state.problems.push(error) }
}

test('a disk that takes nothing has lines dropped, counted and told of, and bounded memory', async () => {
  const { state, ...options } = slowFile()
  const writer = await LineWriter.open('log', options)
  const line = `${'x'.repeat(1023)}\n`
  for (let count = 0; count < 10_000; count++) {
    writer.write(line)
    if (count === 10) await until(() => state.writes === 1, 'a write under way')
  }
  assert.ok(writer.dropped > 5000 && writer.dropped < 6000, String(writer.dropped))
  const { dropped } = writer
  state.go.resolve()
  await writer.close()
  const lines = state.text.trimEnd().split('\n')
  const told = lines.filter((text) => text.includes('lines_dropped')).map((text) => JSON.parse(text) as Line)
  assert.deepEqual(
    told.map(({ count }) => count),
    [dropped]
  )
  assert.equal(lines.length, 10_000 - dropped + 1)
  assert.equal(writer.written, lines.length)
})

test('lines are whole after short writes, a full pipe and a disk that failed for a while', async () => {
  const { state, ...options } = slowFile()
  state.go.resolve()
  const full = Object.assign(new Error('full pipe'), { code: 'EAGAIN' })
  const noSpace = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  state.outcomes = [3, full, noSpace, noSpace, 2]
  const writer = await LineWriter.open(1, options)
  writer.write('one\n')
  writer.write('two\n')
  await writer.close()
  assert.deepEqual([state.text, writer.written, state.problems], ['one\ntwo\n', 2, [noSpace]])
})
