/** Push events of the server: every move once, in order, also where the server is killed in between. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startServerProcess } from '../../server-fixture/process.ts'
import { type PushOptions, readPushOptions } from '../../server-fixture/push/push-options.ts'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { createClient } from '../../src/index.ts'
import { isPushEvent, type PushEvent, verifyWebhook } from '../../src/webhooks.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { localGuard, secret, startReceiver } from '../webhooks/receivers.ts'

const zero = '0'.repeat(40)

/** Verifies what it gets, and leaves out what it has seen, as the specification asks. */
class Receiver {
  readonly events: PushEvent[] = []
  readonly #ids = new Set<string>()
  status = 204
  requests = 0
  url = ''

  static async open(context: TestContext): Promise<Receiver> {
    const receiver = new Receiver()
    const { url } = await startReceiver(context, ({ headers, body }) => receiver.take(headers, body))
    receiver.url = url
    return receiver
  }

  /** The status of the answer. */
  take(headers: IncomingHttpHeaders, body: string): number {
    this.requests++
    const verified = verifyWebhook(secret, headers, body)
    const event = verified.json()
    if (!isPushEvent(event)) return 400
    if (this.status < 300 && !this.#ids.has(verified.id)) {
      this.#ids.add(verified.id)
      this.events.push(event)
    }
    return this.status
  }

  /** The oids to which a ref moved, in the order in which the events came. */
  movesOf(repository: string, name: string): string[] {
    return this.events
      .filter(({ data }) => data.repository === repository)
      .flatMap(({ data }) => data.moves.filter((move) => move.name === name).map(({ newOid }) => newOid))
  }
}

function pushTo(
  receivers: Readonly<Record<string, Receiver>>,
  options: Partial<PushOptions['destinations'][number]> = {}
) {
  const destinations = Object.entries(receivers).map(([id, { url }]) => ({
    id,
    url,
    secrets: secret,
    repositories: ['*'],
    refs: ['refs/'],
    ...options
  }))
  return { destinations, outbox: undefined, guard: localGuard, retry: { delaysMs: [10, 20, 40] } } satisfies PushOptions
}

const file = (content: string) => ({
  branch: 'main',
  changes: { a: content },
  message: 'm',
  author: { name: 'A', email: 'a@b' }
})

for (const store of ['memory', 'git'] as const) {
  test(`${store}: each call's moves are one event, in order, for those who want them`, async (context) => {
    const all = await Receiver.open(context)
    const tags = await Receiver.open(context)
    const [ofTags] = pushTo({ tags }, { refs: ['refs/tags/'], repositories: ['team/*'] }).destinations
    const webhooks = pushTo({ all })
    const pushed = { ...webhooks, destinations: [...webhooks.destinations, ...(ofTags ? [ofTags] : [])] }
    const { client: clientOf } = atEnd(context, await testServer({ store, webhooks: pushed }))
    const client = clientOf()
    for (const name of ['team/a', 'other']) await client.createRepository(name)
    const commits: string[] = []
    for (let count = 0; count < 5; count++) commits.push((await client.commitFiles('team/a', file(`${count}`))).oid)
    // Waiting together, these become one chain: still an event for each call.
    const chain = await Promise.all([...'abcde'].map((content) => client.commitFiles('other', file(content))))
    const newOid = commits[4] as string
    await client.updateRefs('team/a', [
      { name: 'refs/tags/v1', expectedOid: null, newOid },
      { name: 'refs/heads/next', expectedOid: null, newOid }
    ])
    await client.updateRefs('other', [{ name: 'refs/tags/v1', expectedOid: null, newOid: chain[0]?.oid ?? '' }])
    await assert.rejects(client.updateRefs('team/a', [{ name: 'refs/tags/v1', expectedOid: null, newOid }]))
    await until(() => all.events.length === 12 && tags.events.length > 0, 'all events')
    assert.deepEqual(all.movesOf('team/a', 'refs/heads/main'), commits)
    assert.deepEqual(new Set(all.movesOf('other', 'refs/heads/main')), new Set(chain.map(({ oid }) => oid)))
    const last = all.events.filter(({ data }) => data.repository === 'team/a').at(-1)
    assert.deepEqual(last?.data.moves.map(({ name, oldOid }) => [name, oldOid]).sort(), [
      ['refs/heads/next', zero],
      ['refs/tags/v1', zero]
    ])
    assert.equal(typeof last?.data.requestId, 'string')
    // A repository of the same name begins anew.
    await client.deleteRepository('other')
    await client.createRepository('other')
    const { oid } = await client.commitFiles('other', file('new'))
    await until(() => all.movesOf('other', 'refs/heads/main').includes(oid), 'the event of the new repository')
    assert.deepEqual(
      tags.events.map(({ data }) => data.moves),
      [[{ name: 'refs/tags/v1', oldOid: zero, newOid }]]
    )
    assert.deepEqual([all.requests, tags.requests], [all.events.length, tags.events.length], 'nothing came twice')
  })
}

test('git: a server that starts tells what a killed one did not, and nothing of before the webhooks', async (context) => {
  const receiver = await Receiver.open(context)
  const data = await mkdtemp(join(tmpdir(), 'blobwire-push-'))
  context.after(() => rm(data, { recursive: true, force: true }))
  const config = join(data, 'webhooks.yml')
  const text = `outbox: outbox.db
guard: { allow: [127.0.0.1], http: true }
retry: { delaysMs: [10, 20, 40, 80] }
destinations:
  - { id: ci, url: '${receiver.url}', secretFile: secret.txt }
`
  await writeFile(config, text)
  await writeFile(join(data, 'secret.txt'), `${secret}\n`)
  const flags = ['--store', 'git', '--data', join(data, 'repositories')]
  const before = await startServerProcess(...flags)
  const first = createClient(before.http.href)
  await first.createRepository('demo')
  await first.commitFiles('demo', file('before'))
  await first.close()
  await before.stop()
  const expected: string[] = []
  for (let life = 0; life < 2; life++) {
    const server = await startServerProcess(...flags, '--webhooks', config)
    const client = createClient({ endpoint: server.http.href, retry: false })
    for (let count = 0; count < 10; count++) {
      expected.push((await client.commitFiles('demo', file(`${life} ${count}`))).oid)
    }
    // The last events may be on their way, in the outbox, or in the store alone.
    await server.kill()
    await client.close()
  }
  const server = await startServerProcess(...flags, '--webhooks', config)
  context.after(() => server.stop())
  await until(() => receiver.events.length >= expected.length, 'all events')
  assert.deepEqual(receiver.movesOf('demo', 'refs/heads/main'), expected)
})

test('a receiver that fails for a while gets all events in order, and figures tell of it', async (context) => {
  const receiver = await Receiver.open(context)
  receiver.status = 503
  const webhooks = { ...pushTo({ ci: receiver }), retry: { delaysMs: [10, 20, 40, 1000, 1000] } }
  const { client: clientOf, server } = atEnd(context, await testServer({ webhooks }))
  const client = clientOf()
  await client.createRepository('demo')
  const commits: string[] = []
  for (const content of 'abc') commits.push((await client.commitFiles('demo', file(content))).oid)
  await until(() => receiver.requests >= 2, 'attempts')
  const figures = () => server.metrics.snapshot().webhooks['ci'] ?? assert.fail('no figures')
  assert.equal(figures().waiting, 3)
  receiver.status = 204
  await until(() => receiver.events.length === 3, 'all events')
  assert.deepEqual(receiver.movesOf('demo', 'refs/heads/main'), commits)
  await until(() => figures().delivered === 3, 'figures')
  assert.ok(figures().failedAttempts >= 2)
})

test('a wrong file is told with its place and without its secrets', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-push-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'w.yml')
  const refusalOf = async (text: string) => {
    await writeFile(path, text)
    const options: Partial<ServerOptions> = { webhooks: await readPushOptions(path) }
    await (await testServer(options))[Symbol.asyncDispose]()
  }
  const one = `{ id: a, url: 'https://example.org/', secrets: whsec_SECRET`
  for (const [text, message] of [
    ['', /must be an object/],
    ['destinations: []', /destinations: must be a list of destinations/],
    ['destination: []', /destination: unknown option; did you mean destinations\?/],
    [
      `destinations: [${one}, repository: x }]`,
      /destinations\[0\]\.repository: unknown option; did you mean repositories/
    ],
    [`destinations: [${one}, refs: refs/ }]`, /refs: must be a list of texts/],
    [`destinations: [{ id: a, url: 'https://example.org/' }]`, /either secrets or secretFile/],
    [`destinations: [{ id: a, url: 'https://example.org/', secretFile: no }]`, /secretFile: cannot be read \(ENOENT\)/],
    [`destinations: [${one} }]`, /secrets/],
    [`destinations: [${one.replace('https://example.org/', 'https://127.0.0.1/')} }]`, /secrets|address/]
  ] as const) {
    await assert.rejects(refusalOf(text), (error: Error) => {
      assert.match(error.message, message, text)
      assert.doesNotMatch(error.message, /SECRET/)
      return true
    })
  }
  await assert.rejects(readPushOptions(join(directory, 'none.yml')), /there is no such file/)
})
