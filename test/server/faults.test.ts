/** The fixture's faults, seen by independent clients. */
import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { Fault } from '../../server-fixture/faults/rules.ts'
import { type Answer, blob, faultHarness, grpcBlob, rule } from '../support/fault-harness.ts'
import { atEnd, testServer } from '../support/server.ts'

test('status: the error with its time to wait, before any work, on both listeners', async (context) => {
  const fault = { kind: 'status', code: 'unavailable', retryAfterMs: 1500 } as const
  const { post, grpc, faults } = await faultHarness(context, rule(fault))
  const { status, body } = await post('StoreBlob', blob('a'))
  assert.equal(status, 503)
  assert.equal((JSON.parse(body.toString()) as { code: string }).code, 'unavailable')
  assert.equal((await grpc('StoreBlob', grpcBlob('a')))?.code, 14)
  assert.deepEqual([faults.fired('status'), faults.carriedOut('StoreBlob')], [2, 0])
  assert.equal((await post('GetRepository', { repository: 'demo' })).status, 200, 'another RPC')
})

test('http_status: the answer of a proxy', async (context) => {
  const { post, grpc } = await faultHarness(context, rule({ kind: 'http_status', status: 503, retryAfterSeconds: 7 }))
  const { status, headers, body } = await post('StoreBlob', blob('a'))
  assert.deepEqual([status, headers['retry-after'], headers['content-type']], [503, '7', 'text/html'])
  assert.match(body.toString(), /<html>/)
  assert.equal((await grpc('StoreBlob', grpcBlob('a')))?.code, 14)
})

test('delay: the answer comes late', async (context) => {
  const { post, grpc } = await faultHarness(context, rule({ kind: 'delay', ms: 150 }))
  assert.ok((await post('StoreBlob', blob('a'))).tookMs >= 145)
  const began = performance.now()
  assert.equal(await grpc('StoreBlob', grpcBlob('a')), undefined)
  assert.ok(performance.now() - began >= 145)
})

test('reset before the work, and lost_answer after it', async (context) => {
  const { post, grpc, faults, effects } = await faultHarness(context)
  for (const [fault, done] of [
    [{ kind: 'reset', code: constants.NGHTTP2_INTERNAL_ERROR }, 0],
    [{ kind: 'lost_answer' }, 1]
  ] as const) {
    faults.clear()
    faults.add(rule(fault))
    const before = [faults.carriedOut('StoreBlob'), effects.length] as const
    const answer = await post('StoreBlob', blob(fault.kind))
    assert.deepEqual([answer.status, answer.rst], [undefined, constants.NGHTTP2_INTERNAL_ERROR])
    assert.ok([13, 14].includes((await grpc('StoreBlob', grpcBlob(`${fault.kind} grpc`)))?.code ?? 0))
    assert.equal(faults.carriedOut('StoreBlob'), before[0] + 2 * done)
    assert.equal(effects.length, before[1] + 2 * done)
  }
})

test('silence: no answer, and the server ends with the caller', async (context) => {
  const { post, grpc } = await faultHarness(context, rule({ kind: 'silence' }))
  const { status, tookMs } = await post('StoreBlob', blob('a'), 200)
  assert.equal(status, undefined)
  assert.ok(tookMs >= 190)
  assert.equal((await grpc('StoreBlob', grpcBlob('a'), 200))?.code, 4)
})

test('refuse: REFUSED_STREAM', async (context) => {
  const { post, grpc } = await faultHarness(context, rule({ kind: 'refuse' }))
  assert.equal((await post('StoreBlob', blob('a'))).rst, constants.NGHTTP2_REFUSED_STREAM)
  assert.equal((await grpc('StoreBlob', grpcBlob('a')))?.code, 14)
})

test('truncate, corrupt, bad_gzip: the answer is not what it should be', async (context) => {
  const { post, grpc, faults } = await faultHarness(context)
  const sound = (await post('StoreBlob', blob('a'))).body
  const corrupted: Partial<Record<Fault['kind'], (answer: Answer) => void>> = {
    truncate: ({ body }) => assert.ok(body.length < sound.length),
    corrupt: ({ body }) => {
      const wrong = [...body].filter((byte, place) => byte !== sound[place])
      assert.deepEqual([body.length, wrong.length], [sound.length, 1])
    },
    bad_gzip: ({ body, headers }) => {
      assert.equal(headers['content-encoding'], 'gzip')
      assert.deepEqual(body, sound)
    }
  }
  for (const [kind, check] of Object.entries(corrupted)) {
    faults.clear()
    faults.add(rule({ kind } as Fault))
    check(await post('StoreBlob', blob('a')))
    const error = await grpc('StoreBlob', grpcBlob('a'))
    assert.ok(kind === 'corrupt' || error !== undefined, kind)
  }
})

test('drip: a byte at a time', async (context) => {
  const { post, grpc } = await faultHarness(context, rule({ kind: 'drip', everyMs: 2 }))
  const { body, tookMs } = await post('StoreBlob', blob('a'))
  assert.equal((JSON.parse(body.toString()) as { size: string }).size, '1')
  assert.ok(tookMs > body.length * 2)
  assert.equal(await grpc('StoreBlob', grpcBlob('a')), undefined)
})

for (const [steps, last, isAnswered] of [
  [2, 'at', true],
  [1, 'at', true],
  [1, 'below', false]
] as const) {
  test(`goaway in ${steps} steps, the stream ${isAnswered ? 'counts' : 'does not count'}`, async (context) => {
    const { post, http, grpc } = await faultHarness(context, rule({ kind: 'goaway', steps, last }, { count: 2 }))
    const lastIds: number[] = []
    http.on('goaway', (_code, id: number) => lastIds.push(id))
    const { status } = await post('StoreBlob', blob('a'), 300)
    assert.equal(status, isAnswered ? 200 : undefined)
    assert.ok(lastIds.length >= 1)
    if (steps === 2) assert.equal(lastIds[0], 2 ** 31 - 1)
    const error = await grpc('StoreBlob', grpcBlob('a'), 1000)
    assert.equal(error === undefined, isAnswered, `${error}`)
  })
}

test('stream_limit: SETTINGS announce the limit', async (context) => {
  const { post, http } = await faultHarness(context, rule({ kind: 'stream_limit', streams: 1 }))
  await post('StoreBlob', blob('a'))
  if (http.remoteSettings.maxConcurrentStreams !== 1) {
    await new Promise((resolve) => http.once('remoteSettings', resolve))
  }
  assert.equal(http.remoteSettings.maxConcurrentStreams, 1)
})

test('in a batch, a status fault strikes its operation; every other fault strikes the batch', async (context) => {
  const { post, faults } = await faultHarness(
    context,
    rule({ kind: 'status', code: 'unavailable' }, { after: 1, count: 1 })
  )
  const operations = ['a', 'b', 'c'].map((content) => ({
    storeBlob: { content: Buffer.from(content).toString('base64') }
  }))
  const { body } = await post('BatchOperations', { repository: 'demo', operations })
  const { results } = JSON.parse(body.toString()) as { results: { error?: { code: string } }[] }
  assert.deepEqual(
    results.map(({ error }) => error?.code),
    [undefined, 'unavailable', undefined]
  )
  faults.clear()
  faults.add(rule({ kind: 'lost_answer' }))
  const answer = await post('BatchOperations', { repository: 'demo', operations })
  assert.deepEqual([answer.status, answer.rst], [undefined, constants.NGHTTP2_INTERNAL_ERROR])
})

test('faults fire in frames of a session as well, and the client recovers', async (context) => {
  const faults = new Faults()
  const fixture = atEnd(context, await testServer({ faults }))
  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    const client = fixture.client({ transport })
    await client.createRepository('demo')
    for (const kind of ['lost_answer', 'reset', 'truncate', 'refuse'] as const) {
      faults.clear()
      const before = faults.fired(kind)
      faults.add({ rpc: kind === 'refuse' ? 'Session' : 'StoreBlob', count: 1, fault: { kind } })
      if (kind === 'refuse') await client.getRepository('demo')
      const { size } = await client.storeBlob('demo', `${transport} ${kind}`)
      assert.equal(size, `${transport} ${kind}`.length)
      if (kind !== 'refuse') assert.equal(faults.fired(kind), before + 1)
    }
  }
})

test('a share of calls, and the same ones for the same seed', async (context) => {
  const pattern = async (seed: number) => {
    const faults = new Faults({ seed, rules: [rule({ kind: 'status', code: 'aborted' }, { probability: 0.5 })] })
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ batch: false, retry: false, breaker: false })
    await client.createRepository('demo')
    const ends: string[] = []
    for (let call = 0; call < 40; call++) {
      ends.push(
        await client.storeBlob('demo', `${call}`).then(
          () => '+',
          () => '-'
        )
      )
    }
    return ends.join('')
  }
  const [first, again, other] = [await pattern(7), await pattern(7), await pattern(8)]
  assert.equal(first, again)
  assert.notEqual(first, other)
  const failed = first.replaceAll('+', '').length
  assert.ok(failed > 8 && failed < 32, first)
})

test('effects: a repeated write has none', async (context) => {
  const { post, effects } = await faultHarness(context)
  await Promise.all([post('StoreBlob', blob('x')), post('StoreBlob', blob('x'))])
  await post('CreateRepository', { repository: 'demo' })
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['repository_created', 'object']
  )
  effects.length = 0
  const commit = { repository: 'demo', branch: 'main', author: { name: 'A', email: 'a@b' }, message: 'm' }
  const requestKey = 'key'
  const commitFiles = { ...commit, repository: '', changes: [{ path: 'a', content: 'YQ==' }] }
  for (let times = 0; times < 2; times++) await post('Apply', { repository: 'demo', requestKey, commitFiles })
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['object', 'object', 'object', 'ref']
  )
})

test('requests that follow each other on one connection of HTTP/1.1 leave nothing on it', async (context) => {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  context.after(() => process.off('warning', listen))
  const faults = new Faults()
  const fixture = atEnd(context, await testServer({ faults }))
  for (let request = 0; request < 30; request++) {
    const answer = await fetch(`${fixture.server.http}/healthz`)
    assert.equal(((await answer.json()) as { status: string }).status, 'SERVING')
  }
  faults.add({ rpc: 'GetRepository', fault: { kind: 'reset' } })
  const url = `${fixture.server.http}/blobwire.v1.VcsService/GetRepository`
  const headers = { 'content-type': 'application/json' }
  await assert.rejects(fetch(url, { method: 'POST', headers, body: '{"repository":"x"}' }))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(warnings, [])
})
