/**
 * One branch whose values come back, eight writers over three transports, and servers that are killed under them: what
 * they saw could have been seen of one register that does one thing at a time.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { Client, Repository } from '../../src/index.ts'
import { newDatabase } from '../support/database.ts'
import { transports } from '../support/faulty-network.ts'
import { startClients, startKilledServer, startWires } from '../support/killed-server.ts'
import { checkLinearizable, type Operation, type Swap } from '../support/linearizable.ts'
import { randomNumbers } from '../support/random.ts'
import { Notes, Writer } from '../support/register-writers.ts'
import { git } from './support.ts'

const kills = 5
/** Of half of the connections, before each kill: there the server lives on, and an answer is lost. */
const cuts = 3

/** A history in which nothing happened proves nothing. */
function checkWorth(
  context: TestContext,
  history: readonly Operation[],
  clients: readonly Client[],
  isKilled: boolean
) {
  const moves = history.filter((operation) => operation.kind !== 'read')
  const ended = (is: Swap['outcome']['is']) => moves.filter(({ outcome }) => outcome.is === is).length
  const again = moves.filter(({ outcome }) => outcome.is === 'refused' && outcome.attempts > 1).length
  const retries = clients.map((client) => client.stats().retries)
  const refused = `${ended('refused')} refused (${again} of them sent again)`
  context.diagnostic(`${history.length} operations: ${ended('done')} moves, ${refused}, ${ended('unknown')} unknown`)
  assert.ok(ended('done') > 20 && ended('refused') > 20 && ended('unknown') > 0)
  assert.ok(history.length - moves.length > 50)
  // Each had a call under way when the server was killed, most times.
  assert.ok((isKilled ? Math.min(...retries) : Math.max(...retries)) > 0, `retries of each: ${retries.join()}`)
  for (const transport of transports) {
    assert.ok(moves.some(({ writer, outcome }) => writer.endsWith(transport) && outcome.is === 'done'))
  }
}

/** Three servers, or one, and who disturbs them. */
interface Scene {
  readonly places: Parameters<typeof startClients>[1]
  /** @param onwards resolves after so many further starts and ends of operations */
  readonly disturb: (onwards: (ticks: number) => Promise<unknown>, random: (below: number) => number) => Promise<void>
  /** The value of the ref, as one finds it who is no client; called once all clients are closed. */
  readonly readAtLast: () => Promise<string>
}

async function race(context: TestContext, { places, disturb, readAtLast }: Scene): Promise<void> {
  const seed = Number(process.env['BLOBWIRE_SEED'] ?? Date.now() % 1_000_000)
  context.diagnostic(`BLOBWIRE_SEED=${seed}`)
  const random = randomNumbers(seed)
  const clients = startClients(context, places)
  const repositories = clients.map((client) => client.repository('demo'))
  const notes = await Notes.begin(repositories[0] as Repository)
  // A store whose keys do not outlive its process promises nothing to writers whose server is killed.
  const isKilled = ((await clients[0]?.getCapabilities())?.requestKeySeconds ?? 0) >= 24 * 60 * 60
  // Writers whose time is over would go on without servers.
  context.after(() => {
    notes.stopped = true
  })
  const writers = repositories.map((repository, index) => {
    const twin = repositories[(index + 1) % repositories.length] as Repository
    const name = `${index} ${transports[index % transports.length]}`
    return new Writer({ name, repository, twin, notes, random: randomNumbers(seed + index + 1) })
  })
  const work = Promise.all(writers.map((writer) => writer.run()))
  const onwards = (ticks: number) => Promise.race([notes.after(ticks), work])
  try {
    await disturb(onwards, random)
    await onwards(100)
  } finally {
    notes.stopped = true
    await work
  }
  await writers[0]?.read()

  assert.deepEqual(notes.failures, [])
  checkWorth(context, notes.history, clients, isKilled)
  await Promise.all(clients.map((client) => client.close()))
  const start = notes.tick()
  const found = await readAtLast()
  notes.history.push({ kind: 'read', writer: 'the last', start, end: notes.tick(), found })
  const verdict = checkLinearizable(notes.history, notes.first)
  assert.ok(verdict.ok, `no order of these is possible: ${JSON.stringify(verdict, undefined, 2)}`)
}

test('8 writers on one ref over three transports, with kills: linearizable', { timeout: 300_000 }, async (context) => {
  const server = await startKilledServer(context)
  const wires = await startWires(context, server.place)
  await race(context, {
    places: [server.place, wires.place],
    async disturb(onwards, random) {
      for (let round = 0; round < kills; round++) {
        for (let cut = 0; cut < cuts; cut++) {
          await onwards(25 + random(50))
          wires.reset()
        }
        await onwards(25 + random(50))
        await sleep(random(20))
        await server.killAndStart()
      }
    },
    async readAtLast() {
      await server.stop()
      const { status, output } = git(server.gitDir, ['rev-parse', 'refs/heads/main'])
      assert.equal(status, 0, output)
      return output.trim()
    }
  })
  assert.deepEqual(git(server.gitDir, ['fsck', '--strict', '--no-dangling']), { status: 0, output: '' })
})

test('8 writers on one ref over three servers on one database, each killed: linearizable', {
  timeout: 300_000
}, async (context) => {
  const database = await newDatabase()
  const servers = await Promise.all([0, 1, 2].map(() => startKilledServer(context, database)))
  const wires = await startWires(context, (servers[2] as (typeof servers)[0]).place)
  await race(context, {
    places: [...servers.slice(0, 2).map(({ place }) => place), wires.place],
    async disturb(onwards, random) {
      for (const server of servers) {
        await onwards(25 + random(50))
        wires.reset()
        await onwards(25 + random(50))
        await sleep(random(20))
        await server.killAndStart()
      }
    },
    async readAtLast() {
      const store = await PostgresStore.open({ urls: [database] })
      context.after(() => store.close())
      const [found] = await store.readRefs('demo', ['refs/heads/main'])
      return found ?? 'nothing'
    }
  })
})
