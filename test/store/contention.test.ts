/**
 * A lock and a counter that eight callers contend for over three transports, while connections are cut and the server is
 * killed: who was told that the lock or the number was his had it, and nobody else.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Repository } from '../../src/index.ts'
import { type Parts, Record } from '../support/contenders.ts'
import { Counter, count } from '../support/counter-callers.ts'
import { transports } from '../support/faulty-network.ts'
import { startClients, startKilledServer, startWires } from '../support/killed-server.ts'
import { checkLinearizable } from '../support/linearizable.ts'
import { free, Lock, takeTurns } from '../support/lock-callers.ts'
import { randomNumbers } from '../support/random.ts'
import { git } from './support.ts'

const kills = 3
/** Of half of the connections, before each kill: there the server lives on, and an answer is lost. */
const cuts = 3

/** Eight callers on all transports, and faults until `work` of all of them has ended. */
async function contend(
  context: TestContext,
  begin: (repository: Repository) => Promise<(parts: Parts) => Promise<void>>
) {
  const seed = Number(process.env['BLOBWIRE_SEED'] ?? Date.now() % 1_000_000)
  context.diagnostic(`BLOBWIRE_SEED=${seed}`)
  const random = randomNumbers(seed)
  const server = await startKilledServer(context)
  const wires = await startWires(context, server.place)
  const clients = startClients(context, [server.place, wires.place])
  const repositories = clients.map((client) => client.repository('demo'))
  await repositories[0]?.createRepository()
  const run = await begin(repositories[0] as Repository)
  const record = new Record()
  // Where the test has failed, its server is gone, and the callers would ask on without end.
  context.after(() => {
    record.stopped = true
  })
  const work = Promise.all(
    repositories.map((repository, index) => {
      const twin = repositories[(index + 1) % repositories.length] as Repository
      const name = `${index} ${transports[index % transports.length]}`
      return run({ name, repository, twin, record, random: randomNumbers(seed + index + 1) })
    })
  )
  const onwards = (ticks: number) => Promise.race([record.after(ticks), work])
  try {
    for (let round = 0; round < kills; round++) {
      for (let cut = 0; cut < cuts; cut++) {
        await onwards(25 + random(50))
        wires.reset()
      }
      await onwards(25 + random(50))
      await sleep(random(20))
      await server.killAndStart()
    }
    await onwards(100)
  } finally {
    record.stopped = true
    await work
  }
  await Promise.all(clients.map((client) => client.close()))
  await server.stop()
  const told = `${record.count('done')} done, ${record.count('refused')} refused, ${record.repeated} cut off and repeated`
  context.diagnostic(`${record.history.length} operations: ${told}`)
  assert.deepEqual(record.failures, [])
  assert.ok(record.count('done') > 10 && record.count('refused') > 10 && record.repeated > 0)
  return { record, gitDir: server.gitDir }
}

test('a lock: one holder at a time, who can give it back', { timeout: 300_000 }, async (context) => {
  let lock: Lock | undefined
  const { record, gitDir } = await contend(context, async (repository) => {
    const author = { name: 'A', email: 'a@example.org' }
    const { oid } = await repository.commitFiles({ branch: 'main', changes: { a: '' }, message: 'm', author })
    const made = new Lock(oid)
    lock = made
    return (parts) => takeTurns(parts, made)
  })
  const verdict = checkLinearizable(record.history, free)
  assert.ok(verdict.ok, `no order of these is possible: ${JSON.stringify(verdict, undefined, 2)}`)
  assert.equal(record.count('done'), 2 * (lock?.turns ?? 0))
  assert.equal(git(gitDir, ['rev-parse', '--verify', '--quiet', 'refs/locks/x']).status, 1)
})

test('a counter under one name: each number is written by one caller', { timeout: 300_000 }, async (context) => {
  const counter = new Counter()
  const { record, gitDir } = await contend(context, async (repository) => {
    await counter.begin(repository)
    return (parts) => count(parts, counter)
  })
  const verdict = checkLinearizable(record.history, '0')
  assert.ok(verdict.ok, `no order of these is possible: ${JSON.stringify(verdict, undefined, 2)}`)
  const last = record.count('done')
  assert.equal(git(gitDir, ['cat-file', 'blob', 'counter:counter']).output.trim(), String(last))
  assert.equal(git(gitDir, ['rev-parse', 'counter']).output.trim(), counter.commit(last))
  assert.equal(git(gitDir, ['rev-list', '--count', 'counter']).output.trim(), String(last + 1))
})
