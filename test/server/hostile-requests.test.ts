/**
 * Requests that try to escape, to flood or to be logged: refused, no file outside the data directory, no token in a
 * log.
 */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { credentials, Metadata, makeClientConstructor, type ServiceDefinition } from '@grpc/grpc-js'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { atEnd, testServer } from '../support/server.ts'
import { startCpuClock } from '../support/until.ts'

const token = 'Sup3rS3cretT0ken'
const names = [
  '',
  '.',
  '..',
  '../escaped',
  'a/../../escaped',
  '..\\escaped',
  '%2e%2e/escaped',
  '%2e%2e%2fescaped',
  '/etc/escaped',
  'a\0b',
  'x'.repeat(65_536),
  '__proto__',
  'ｄｅｍｏ',
  'dеmo',
  'demo.git',
  'demo ',
  '-demo'
]

test('names that try to get out are invalid_argument at both listeners, and leave no file', async (context) => {
  const events: unknown[] = []
  const grants = [{ token, access: 'write', repositories: ['*'] }] as const
  const fixture = atEnd(context, await testServer({ store: 'git', grants, log: (event) => events.push(event) }))
  const neighbours = async () => (await readdir(dirname(fixture.data))).filter((name) => /escaped|demo/.test(name))
  const before = [await readdir(fixture.data), await neighbours()]
  const post = async (method: string, body: object, authorization = `Bearer ${token}`) => {
    const headers = { 'content-type': 'application/json', authorization }
    const url = `${fixture.server.http}/${serviceName}/${method}`
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, text: await answer.text() }
  }
  const Client = makeClientConstructor(loadProto()[serviceName] as ServiceDefinition, serviceName)
  const client = new Client(new URL(fixture.server.grpc).host, credentials.createInsecure())
  context.after(() => client.close())
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  type Unary = (request: object, metadata: Metadata, callback: (error: { code: number } | null) => void) => void
  const statusOf = (request: object) =>
    new Promise<number>((resolve) => {
      const { createRepository } = client as unknown as { createRepository: Unary }
      createRepository.call(client, request, metadata, (error) => resolve(error?.code ?? 0))
    })
  for (const name of names) {
    const shown = JSON.stringify(name.slice(0, 30))
    for (const method of ['CreateRepository', 'GetRepository', 'DeleteRepository']) {
      const { text } = await post(method, { repository: name })
      assert.equal(JSON.parse(text).code, 'invalid_argument', `${method} ${shown}`)
      // An error does not repeat 64 KB.
      assert.ok(text.length < 5000)
    }
    assert.equal(await statusOf({ repository: name }), 3, shown)
  }
  assert.deepEqual([await readdir(fixture.data), await neighbours()], before)
  for (const authorization of [`Bearer ${token}x`, `Basic ${token}`, `${token}`]) {
    const { status, text } = await post('GetRepository', { repository: 'demo' }, authorization)
    assert.equal(status, 401)
    assert.doesNotMatch(text, new RegExp(token))
  }
  assert.doesNotMatch(JSON.stringify(events), new RegExp(token))
})

test('a batch of a million operations, and batches in a batch, are refused quickly', async (context) => {
  const fixture = atEnd(context, await testServer())
  await fixture.client().createRepository('demo')
  const post = async (body: string) => {
    const headers = { 'content-type': 'application/json' }
    const url = `${fixture.server.http}/${serviceName}/BatchOperations`
    const answer = await fetch(url, { method: 'POST', headers, body })
    return JSON.parse(await answer.text())
  }
  const cpuMs = startCpuClock()
  const batchOf = (count: number) => `{"repository":"demo","operations":[${'{},'.repeat(count - 1)}{}]}`
  // A million are more than the codec reads at all.
  for (const count of [1_000_000, 50_000]) assert.equal((await post(batchOf(count))).code, 'resource_exhausted')
  assert.ok(cpuMs() < 3000)
  const storeBlob = '{"storeBlob":{"content":"eA=="}}'
  const nested = `{"batchOperations":{"repository":"demo","operations":[${storeBlob}]}}`
  const { results } = await post(`{"repository":"demo","operations":[${nested},${storeBlob}]}`)
  assert.equal(results[0].error.code, 'invalid_argument')
  assert.equal(results[1].storeBlob.size, '1')
})

test('kinds that every JavaScript object has a member for are refused alone, beside the other operations', async (context) => {
  const fixture = atEnd(context, await testServer())
  await fixture.client().createRepository('demo')
  const operations = ['blob', 'constructor', 'valueOf', '__proto__', 'blob'].map((kind) => ({
    storeObject: { kind, content: 'eA==' }
  }))
  const answer = await fetch(`${fixture.server.http}/${serviceName}/BatchOperations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ repository: 'demo', operations })
  })
  const { results = [] } = (await answer.json()) as { results?: { error?: { code: number; message: string } }[] }
  assert.deepEqual(
    results.map(({ error }) => error?.message.split(':')[0]),
    [undefined, 'kind', 'kind', 'kind', undefined]
  )
})
