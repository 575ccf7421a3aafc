/** The simulation obeys the laws of queues, whatever its costs are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measured } from '../../bench/simulation/costs.ts'
import { store, systemOf } from '../../bench/simulation/scenarios.ts'
import { type Figures, type Setup, simulate } from '../../bench/simulation/simulate.ts'

/** Small, and quick to simulate. */
const small: Partial<Setup> = { callers: 60, servers: 4, repositories: 40, coresPerShard: 2, runUs: 200_000 }

const near = (actual: number, expected: number, share: number, of: string) =>
  assert.ok(Math.abs(actual - expected) <= share * expected, `${of}: ${actual}, not ${expected}`)

test("Little's law: the calls under way are their rate times their time", () => {
  for (const hotShare of [0, 0.5]) {
    const { all } = simulate(systemOf(2, { ...small, hotShare }))
    near((all.perSecond / 1e6) * all.meanUs, 60, 0.02, 'calls under way')
  }
})

test('the utilization law: the busy time of servers is the rate times the cost of a call', () => {
  const mix = { read: 0, put: 1 }
  const { all, serversBusy } = simulate(systemOf(1, { ...small, mix }))
  near(serversBusy, ((all.perSecond / 1e6) * measured.server.put) / 4, 0.02, 'busy servers')
})

test('one caller waits for all that a commit does, one after the other', () => {
  const { server, database, syncUs, roundTripUs } = measured
  const mix = { read: 0, put: 0 }
  const { all } = simulate(systemOf(1, { ...small, callers: 1, mix }))
  const readUs = database.read + database.readRow
  const commitUs = database.commit + database.commitRow
  near(all.meanUs, server.commit + 2 * roundTripUs + readUs + commitUs + syncUs, 0.01, 'time of a commit')
})

test('commits of one repository are one after the other: each group waits for the log of the one before', () => {
  const mix = { read: 0, put: 0 }
  const { hot, others } = simulate(systemOf(4, { ...small, callers: 400, servers: 16, mix, hotShare: 0.5 }))
  assert.ok(hot.p99Us > 3 * others.p99Us)
  assert.ok(hot.perSecond > 0 && others.perSecond > 0)
})

test('the same seed gives the same figures, another one others', () => {
  const run = (seed: number): Figures => simulate(systemOf(2, { ...small, seed }))
  assert.deepEqual(run(1), run(1))
  assert.notDeepEqual(run(1), run(2))
})

test('10^9 objects fit one database, 10^10 need 33', () => {
  const prices = { core: 1, terabyte: 1 }
  assert.deepEqual(
    [1e9, 1e10].map((objects) => store(objects, prices).shards),
    [1, 33]
  )
})
