/** A server of several worker processes behind one HTTP and one gRPC port. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FeedSnapshot } from '../../server-fixture/admin/feed-snapshot.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { TransportName, WatchUpdate } from '../../src/index.ts'
import { newDatabase } from '../support/database.ts'
import { startWorkerServer, type WorkerServer } from './worker-server.ts'

const author = { name: 'A', email: 'a@b' }
const transports: readonly TransportName[] = ['json', 'msgpack', 'grpc']

/** Clients with default options, each of which makes one call after the other. */
function startCalls(server: WorkerServer, { writes = false } = {}) {
  const clients = Array.from({ length: 6 }, (_, index) => server.client(transports[index % 3] as TransportName))
  let isOver = false
  let calls = 0
  const running = clients.map(async (client, index) => {
    for (let count = 0; !isOver; count++) {
      if (writes)
        await client.commitFiles('demo', { branch: `b${index}`, changes: { count: `${count}` }, message: 'x', author })
      else await client.getRepository('demo')
      calls++
      // A call now and then is enough: the processor is for the workers that start.
      await sleep(50)
    }
  })
  const all = Promise.all(running)
  all.catch(() => undefined)
  return {
    count: () => calls,
    /** @throws the error of a call that failed */
    async end() {
      isOver = true
      await all
      return clients
    }
  }
}

/** Names of the refs that an update tells of; none for the state at the beginning. */
const movesOf = ({ value }: IteratorResult<WatchUpdate, void>) =>
  value?.kind === 'moves' ? value.moves.map(({ name }) => name) : []

/** The sum of a metric over its labels, of those lines that have all of these labels. */
async function metric(base: string, name: string, ...labels: string[]): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const values = lines.filter((line) => labels.every((label) => line.includes(label)))
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** The first event of a stream of server-sent events. */
async function firstEvent(url: string): Promise<FeedSnapshot> {
  const response = await fetch(url)
  let text = ''
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    if (text.includes('\n\n')) break
  }
  return JSON.parse(text.slice('data: '.length, text.indexOf('\n\n'))) as FeedSnapshot
}

test('workers serve both ports together', { timeout: 300_000 }, async (context) => {
  const url = await newDatabase()
  const store = await PostgresStore.open({ urls: [url] })
  await store.createRepository('demo', 'sha1')
  await store.close()
  const server = await startWorkerServer(context, '--database', url, '--workers', '2', '--access-log', '-')
  assert.equal(server.pids.length, 2)
  const calls = startCalls(server)
  const counted = () => metric(server.admin, 'blobwire_server_calls_total', 'method="GetRepository"')

  await context.test('figures are those of all workers, on every port, also of one that has ended', async () => {
    const replaced = server.next('worker_ready')
    process.kill(server.pids[0] as number, 'SIGTERM')
    await replaced
    const clients = await calls.end()
    const told = await counted()
    // A call that was tried again may have been counted twice.
    const retries = clients.reduce((sum, client) => sum + client.stats().retries, 0)
    assert.ok(told >= calls.count() && told <= calls.count() + retries, `${told} of ${calls.count()} and ${retries}`)
    assert.equal(await metric(server.http, 'blobwire_server_calls_total', 'method="GetRepository"'), told)
    // Each transport has two clients; least connections shares them.
    assert.equal(await metric(server.admin, 'blobwire_server_connections', 'listener="grpc"'), 2)
    assert.equal(await metric(server.admin, 'blobwire_server_ready'), 2)
    const feed = await firstEvent(`${server.http}/dashboard/events`)
    assert.deepEqual([feed.processes, feed.state], [3, 'ready'])
    await Promise.all(clients.map((client) => client.close()))
  })

  await context.test('workers are killed: no call fails, and an upload and a watch go on at another one', async () => {
    const before = await counted()
    const others = startCalls(server, { writes: true })
    const repo = server.client('msgpack').repository('demo')
    const told: string[] = []
    const watch = repo.watch({ prefix: 'refs/heads/watched' })[Symbol.asyncIterator]()
    const commit = (count: string) =>
      repo.commitFiles({ branch: 'watched', changes: { count }, message: count, author })
    await commit('first')
    assert.equal((await watch.next()).value?.kind, 'start')
    // All workers are killed in turn, so that each call and each stream loses its own.
    const killOne = async () => {
      const replaced = server.next('worker_ready')
      process.kill(server.pids[0] as number, 'SIGKILL')
      await replaced
    }
    const piece = randomBytes(2 ** 20)
    const size = 6 * piece.length
    const upload = repo.upload(
      (async function* () {
        for (let count = 0; count < 6; count++) {
          if (count === 2 || count === 4) {
            await commit(`before ${count}`)
            await killOne()
          }
          yield piece
        }
      })(),
      { size }
    )
    assert.equal((await upload).size, size)
    await commit('last')
    while (told.length < 3) told.push(...movesOf(await watch.next()))
    await watch.return?.(undefined)
    assert.deepEqual(told, ['refs/heads/watched', 'refs/heads/watched', 'refs/heads/watched'])
    const [client] = await others.end()
    let commits = 0
    for (const branch of [0, 1, 2, 3, 4, 5]) {
      for await (const _ of client?.repository('demo').commits({ revision: `b${branch}` }) ?? []) commits++
    }
    assert.equal(commits, others.count(), 'each was made once')
    const after = await counted()
    assert.ok(after >= before, 'no sum has gone down')
  })

  await context.test('connections that a worker was to have, and died before, are those of another one', async () => {
    // The youngest has the fewest connections, and so the next ones.
    const pid = server.pids.at(-1) as number
    process.kill(pid, 'SIGSTOP')
    const sockets = Array.from({ length: 4 }, () => connect(Number(new URL(server.http).port), '127.0.0.1'))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    // The primary has given them away when it answers.
    await (await fetch(`${server.admin}/health/live`)).text()
    process.kill(pid, 'SIGKILL')
    const answers = sockets.map(async (socket) => {
      socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), /200 OK/)
      socket.destroy()
    })
    await Promise.all(answers)
  })

  await context.test('the server drains: accepted calls are answered, and lines of the log are whole', async () => {
    const clients = transports.map((transport) => server.client(transport))
    await Promise.all(clients.map((client) => client.getRepository('demo')))
    const last = clients.map((client) => client.getRepository('demo'))
    const stopped = server.stop()
    for (const outcome of await Promise.allSettled(last)) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'unavailable')
    }
    assert.equal(await stopped, 0)
    const lines = server.output.map((line) => JSON.parse(line) as { operations?: Record<string, number> })
    const logged = lines.reduce((sum, { operations }) => sum + (operations?.['GetRepository'] ?? 0), 0)
    assert.ok(logged >= calls.count())
  })
})
