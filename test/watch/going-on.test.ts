/** Watches outlive their session, their endpoint and their server: no move is lost, none told twice, all in order. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError, type Client, createClient, type MovedRef } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { startKilledServer } from '../support/killed-server.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { commit, main, repositoryOf, Taker } from './support.ts'

const transports = ['json', 'msgpack', 'grpc'] as const
/** Outlasts a start of the server on a machine that is busy. */
const retry = { maxAttempts: 100, baseMs: 50, maxMs: 300, budgetRatio: 1, budgetPerSecond: 1000 }

/** A watch that follows one branch until it is aborted. */
class Follower {
  readonly told: MovedRef[] = []
  readonly kinds = new Set<string>()
  readonly #signal = new AbortController()
  readonly #ended: Promise<void>

  constructor(client: Client, since?: string) {
    this.#ended = this.#follow(client, since).catch((error: unknown) => {
      if (!this.#signal.signal.aborted && !(error instanceof BlobwireError && error.is('client_closed'))) throw error
    })
  }

  get at(): string | undefined {
    return this.told.at(-1)?.newOid
  }

  async end(): Promise<void> {
    this.#signal.abort()
    await this.#ended
  }

  async #follow(client: Client, since: string | undefined): Promise<void> {
    for await (const { kind, moves } of client.repository('demo').watch({ since, signal: this.#signal.signal })) {
      this.kinds.add(kind)
      this.told.push(...moves)
    }
  }
}

/** Every commit was told, once and in order: each move begins where the one before it ended. */
function assertAll(follower: Follower, oids: readonly string[]): void {
  const zero = '0'.repeat(40)
  const expected = oids.map((newOid, index) => ({ name: main, oldOid: oids[index - 1] ?? zero, newOid }))
  assert.deepEqual(follower.told, expected)
  assert.deepEqual([...follower.kinds], ['start', 'moves'])
}

async function startFollowers(context: TestContext, clients: readonly Client[], first: string): Promise<Follower[]> {
  const followers = clients.map((client) => new Follower(client))
  context.after(() => Promise.all(followers.map((follower) => follower.end())))
  await reached(followers, first)
  return followers
}

const reached = (followers: readonly Follower[], oid: string) =>
  until(() => followers.every(({ at }) => at === oid), 'every watch has reached the last commit')

test('cuts and resets of sessions, and a second endpoint', { timeout: 60_000 }, async (context) => {
  const { server, client } = atEnd(context, await testServer())
  const { repo, oids } = await repositoryOf(client(), 'demo')
  const wiresTo = async (url: string) => [
    atEnd(context, await startTcpProxy(url)),
    atEnd(context, await startTcpProxy(url))
  ]
  const [http, grpc] = await Promise.all([wiresTo(server.http), wiresTo(server.grpc)])
  const clients = transports.map((transport) => {
    const [wires, scheme] = transport === 'grpc' ? [grpc, 'grpc'] : [http, 'http']
    const endpoints = wires.map(({ port }) => `${scheme}://127.0.0.1:${port}`)
    return createClient({ endpoint: endpoints, transport, retry, breaker: false })
  })
  context.after(() => Promise.all(clients.map((one) => one.close())))
  const followers = await startFollowers(context, clients, oids[0] ?? '')
  for (let turn = 0; turn < 2; turn++) {
    for (const index of [0, 1]) {
      const wires = [http[index], grpc[index]]
      // One endpoint is gone, in a different way each time; the other one is there.
      for (const wire of wires) wire?.refuse()
      for (const wire of wires) turn % 2 === 0 ? wire?.reset() : wire?.cut()
      for (let count = 0; count < 3; count++) oids.push(await commit(repo, `${turn} ${index} ${count}`))
      if (turn === 1) await reached(followers, oids.at(-1) ?? '')
      for (const wire of wires) await wire?.accept()
    }
  }
  await reached(followers, oids.at(-1) ?? '')
  for (const follower of followers) assertAll(follower, oids)
})

test('a server that drains, with GOAWAY, and another one of the same store', { timeout: 60_000 }, async (context) => {
  const store = new MemoryStore()
  const [first, second] = [await testServer({ store }), await testServer({ store })]
  context.after(() => second[Symbol.asyncDispose]())
  const { repo, oids } = await repositoryOf(second.client(), 'demo')
  const clients = transports.map((transport) => {
    const endpoints = [first, second].map(({ server }) =>
      transport === 'grpc' ? server.grpc.replace(/^http/, 'grpc') : server.http
    )
    return second.keep(createClient({ endpoint: endpoints, transport, retry }))
  })
  const followers = await startFollowers(context, [...clients, ...clients, ...clients], oids[0] ?? '')
  const closing = first[Symbol.asyncDispose]()
  for (let count = 0; count < 20; count++) oids.push(await commit(repo, `${count}`))
  await closing
  oids.push(await commit(repo, 'last'))
  await reached(followers, oids.at(-1) ?? '')
  for (const follower of followers) assertAll(follower, oids)
})

test('a server on the Git store that is killed and started again', { timeout: 60_000 }, async (context) => {
  const { place, killAndStart } = await startKilledServer(context)
  const clientOf = (transport: 'json' | 'msgpack' | 'grpc', timeoutMs = 60_000) => {
    const endpoint = transport === 'grpc' ? place.grpc : place.http
    const client = createClient({ endpoint, transport, retry, breaker: false, timeoutMs })
    context.after(() => client.close())
    return client
  }
  const { repo, oids } = await repositoryOf(clientOf('msgpack'), 'demo')
  const followers = await startFollowers(
    context,
    transports.map((transport) => clientOf(transport)),
    oids[0] ?? ''
  )
  const taker = new Taker(repo)
  const { cursor } = await taker.next()
  await taker.end()
  let isOver = false
  const writing = (async () => {
    while (!isOver) oids.push(await commit(repo, `${oids.length}`))
  })()
  for (const end of [10, 20]) {
    await until(() => oids.length >= end, 'commits are made')
    await killAndStart()
  }
  isOver = true
  await writing
  await reached(followers, oids.at(-1) ?? '')
  for (const follower of followers) assertAll(follower, oids)
  const late = new Follower(clientOf('grpc'), cursor)
  await reached([late], oids.at(-1) ?? '')
  await late.end()
  assert.deepEqual(
    late.told.map(({ newOid }) => newOid),
    oids.slice(1)
  )
})
