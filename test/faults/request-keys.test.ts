/** Writes have one effect and one answer, whatever happens to their attempts, on all transports and on each store. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Effect } from '../../server-fixture/faults/effects.ts'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { Client, ClientOptions } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { later } from '../support/until.ts'

const stores = ['memory', 'git'] as const
const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1 }
const name = 'refs/locks/x'
const ways = ['session', 'request'] as const

interface Way {
  readonly store: (typeof stores)[number]
  readonly transport: (typeof transports)[number]
  readonly way: (typeof ways)[number]
}

/** A repository with three commits that no ref points to, and clients of it. */
async function harness(context: TestContext, { store, transport, way }: Way) {
  const faults = new Faults()
  const effects: Effect[] = []
  const fixture = atEnd(context, await testServer({ store, faults, onEffect: (effect) => effects.push(effect) }))
  const batch = way === 'session' ? {} : (false as const)
  const connect = (options: Partial<ClientOptions> = {}): Client =>
    fixture.client({ transport, batch, retry: { baseMs: 1 }, breaker: false, ...options })
  const repo = connect().repository('demo')
  await repo.createRepository()
  const { oid: blob } = await repo.storeBlob('a\n')
  const { oid: tree } = await repo.storeTree([{ path: 'a', mode: '100644', oid: blob }])
  const commit = async (message: string) => (await repo.storeCommit({ tree, message, author })).oid
  const [a, b, c] = [await commit('a'), await commit('b'), await commit('c')]
  const place = async (ref = name) => (await repo.listRefs({ prefix: ref })).refs[0]?.oid
  const moves = () => effects.filter(({ kind }) => kind === 'ref').map(({ oid }) => oid)
  const lose = (rpc: string) => faults.add({ rpc, count: 1, fault: { kind: 'lost_answer' } })
  return { faults, effects, connect, repo, a, b, c, place, moves, lose }
}

/** One test for each transport and way, and for each store: the Git store, which knows nothing of either, with one. */
function everywhere(what: string, run: (context: TestContext, way: Way) => Promise<void>): void {
  for (const store of stores)
    for (const transport of store === 'git' ? (['grpc'] as const) : transports)
      for (const way of store === 'git' ? (['session'] as const) : ways)
        test(`${what} (${store}, ${transport}, ${way})`, { timeout: 30_000 }, (context) =>
          run(context, { store, transport, way })
        )
}

everywhere('a lost answer: the retry has no effect and the first answer', async (context, way) => {
  const { effects, repo, a, moves, lose } = await harness(context, way)
  lose('UpdateRefs')
  const moved = await repo.updateRefs([{ name, expectedOid: null, newOid: a }])
  assert.deepEqual(moved, { refs: [{ name, oid: a }], results: ['created'] })
  lose('CommitFiles')
  const made = await repo.commitFiles({ branch: 'main', changes: { f: '1' }, message: 'm', author, expectedHead: null })
  assert.equal(made.result, 'created')
  assert.deepEqual(moves(), [a, made.oid])
  const count = (kind: Effect['kind']) => effects.filter((effect) => effect.kind === kind).length
  lose('DeleteRepository')
  assert.deepEqual(await repo.deleteRepository(), { deleted: true })
  lose('CreateRepository')
  assert.equal((await repo.createRepository()).created, true)
  assert.deepEqual([count('repository_deleted'), count('repository_created')], [1, 2])
})

everywhere('a refusal whose answer was lost is the answer, though the state has changed', async (context, way) => {
  const { repo, connect, a, b, place } = await harness(context, way)
  const requestKey = 'job'
  const updates = [{ name, expectedOid: b, newOid: a }]
  const refusal = { code: 'aborted', reason: 'ref_mismatch' }
  await assert.rejects(repo.updateRefs(updates, { requestKey }), refusal)
  await repo.updateRefs([{ name, expectedOid: null, newOid: b }])
  await assert.rejects(connect().repository('demo').updateRefs(updates, { requestKey }), (error: Error) => {
    const { code, reason, details } = error as Error & { code: string; reason: string; details: object }
    assert.deepEqual({ code, reason }, refusal)
    assert.deepEqual(details, { refMismatches: [{ name, expectedOid: b, foundOid: '0'.repeat(40) }] })
    return true
  })
  assert.equal(await place(), b)
})

everywhere('moved, and moved back by another before the retry: it changes nothing', async (context, way) => {
  const { repo, connect, a, b, place, moves } = await harness(context, way)
  await repo.updateRefs([{ name, expectedOid: null, newOid: a }])
  const move = [{ name, expectedOid: a, newOid: b }]
  const first = await repo.updateRefs(move, { requestKey: 'job' })
  await connect()
    .repository('demo')
    .updateRefs([{ name, expectedOid: b, newOid: a }])
  assert.deepEqual(await connect().repository('demo').updateRefs(move, { requestKey: 'job' }), first)
  assert.equal(await place(), a)
  assert.deepEqual(moves(), [a, b, a])
})

everywhere('an attempt that was held up and runs after its retry changes nothing', async (context, way) => {
  const { faults, repo, connect, a, b, place, moves } = await harness(context, way)
  await repo.updateRefs([{ name, expectedOid: null, newOid: a }])
  faults.add({ rpc: 'UpdateRefs', count: 1, fault: { kind: 'delay', ms: 300 } })
  const move = [{ name, expectedOid: a, newOid: b }]
  const heldUp = repo.updateRefs(move, { requestKey: 'job' })
  while (faults.fired('delay') === 0) await later(1)
  const other = connect().repository('demo')
  const answer = await other.updateRefs(move, { requestKey: 'job' })
  await other.updateRefs([{ name, expectedOid: b, newOid: a }])
  assert.deepEqual(await heldUp, answer)
  assert.equal(await place(), a)
  assert.deepEqual(moves(), [a, b, a])
})

everywhere('two clients create one ref at the same oid: one of them is told that it did', async (context, way) => {
  const { connect, a, moves } = await harness(context, way)
  const take = () =>
    connect()
      .repository('demo')
      .updateRefs([{ name, expectedOid: null, newOid: a }])
  const outcomes = await Promise.allSettled([take(), take()])
  const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.reason] : []))
  assert.deepEqual(failed, ['ref_mismatch'])
  assert.deepEqual(moves(), [a])
})

everywhere('another request under the same key is refused', async (context, way) => {
  const { repo, a, b, place } = await harness(context, way)
  await repo.updateRefs([{ name, expectedOid: null, newOid: a }], { requestKey: 'k' })
  const reused = { code: 'invalid_argument', reason: 'request_key_reused' }
  await assert.rejects(repo.updateRefs([{ name, expectedOid: a, newOid: b }], { requestKey: 'k' }), reused)
  await assert.rejects(repo.deleteRepository({ requestKey: 'k' }), reused)
  assert.equal(await place(), a)
})

everywhere('two attempts at once have one effect and one answer', async (context, way) => {
  const { connect, moves } = await harness(context, way)
  const commit = { branch: 'main', changes: { f: 'x' }, message: 'm', author: { name: 'A', email: 'a@b' } }
  const one = () =>
    connect()
      .repository('demo')
      .commitFiles({ ...commit, expectedHead: null }, { requestKey: 'once' })
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, one))
  for (const other of others) assert.deepEqual(other, first)
  assert.deepEqual(moves(), [first?.oid])
})

everywhere('batches: each operation has its key, an atomic batch has one', async (context, way) => {
  const { repo, a, b, c, place, moves, lose } = await harness(context, way)
  const move = (ref: string, expectedOid: string | null, newOid: string) => ({
    updateRefs: { updates: [{ name: ref, expectedOid, newOid }] }
  })
  const values = (results: readonly { value?: unknown; error?: unknown }[]) =>
    results.map(({ value, error }) => (value as { results: string[] } | undefined)?.results[0] ?? error)
  lose('UpdateRefs')
  const plain = await repo.batch([move(name, null, a), move(name, a, b)])
  assert.deepEqual(values(plain), ['created', 'moved'])
  lose('BatchOperations')
  const atomic = await repo.batch([move(name, b, c), move('refs/locks/y', null, a)], { atomic: true })
  assert.deepEqual(values(atomic), ['moved', 'created'])
  const requestKey = 'whole'
  const refused = await repo.batch([move(name, a, b), move('refs/locks/z', null, a)], { atomic: true, requestKey })
  await repo.updateRefs([{ name, expectedOid: c, newOid: a }])
  const again = await repo.batch([move(name, a, b), move('refs/locks/z', null, a)], { atomic: true, requestKey })
  const reasonsOf = (results: typeof again) => results.map(({ error }) => error?.reason)
  assert.deepEqual(reasonsOf(again), reasonsOf(refused))
  assert.deepEqual(reasonsOf(again), ['ref_mismatch', 'batch_aborted'])
  assert.equal(await place(), a)
  assert.deepEqual(moves(), [a, b, c, a, a])
})

everywhere('made, deleted and made again: a late repetition has its first answer', async (context, way) => {
  const { connect, effects } = await harness(context, way)
  const other = connect().repository('other')
  const first = await other.createRepository({ requestKey: 'make' })
  assert.deepEqual(await other.deleteRepository({ requestKey: 'drop' }), { deleted: true })
  assert.deepEqual(await connect().repository('other').createRepository({ requestKey: 'make' }), first)
  assert.deepEqual(await connect().repository('other').deleteRepository({ requestKey: 'drop' }), { deleted: true })
  assert.equal((await other.deleteRepository()).deleted, false)
  assert.equal((await other.createRepository()).created, true)
  assert.deepEqual(await other.deleteRepository({ requestKey: 'drop' }), { deleted: true })
  await other.getRepository()
  assert.equal(effects.filter(({ repository }) => repository === 'other').length, 3)
})

everywhere('a move is answered from memory after its repository is gone', async (context, way) => {
  const { repo, connect, a } = await harness(context, way)
  // A client that knows the object format, as one does whose first answer was lost.
  const other = connect().repository('demo')
  await other.getRepository()
  const move = [{ name, expectedOid: null, newOid: a }]
  const first = await repo.updateRefs(move, { requestKey: 'move' })
  await repo.deleteRepository()
  assert.deepEqual(await other.updateRefs(move, { requestKey: 'move' }), first)
  await assert.rejects(other.updateRefs(move), { code: 'not_found', reason: 'repository' })
})

everywhere('a counter of 20 writers under one name is exact', async (context, way) => {
  const { connect, faults } = await harness(context, way)
  faults.add({ rpc: 'CommitFiles', probability: 0.1, fault: { kind: 'lost_answer' } })
  const retry = { baseMs: 1, maxAttempts: 50, budgetRatio: 1, budgetPerSecond: 1000 }
  const repo = connect({ retry }).repository('demo')
  const count = { branch: 'main', message: 'count', author }
  const { oid } = await repo.commitFiles({ ...count, changes: { n: '0' }, expectedHead: null })
  const add = async () => {
    for (let head = oid; ; ) {
      const { content } = await repo.getBlob({ revision: head, path: 'n' })
      const next = { n: String(Number(Buffer.from(content)) + 1) }
      try {
        return await repo.commitFiles({ ...count, changes: next, expectedHead: head })
      } catch (error) {
        const found = (error as { details: { refMismatches?: { foundOid: string }[] } }).details.refMismatches
        if (found === undefined) throw error
        head = found[0]?.foundOid as string
      }
    }
  }
  await Promise.all(Array.from({ length: 20 }, add))
  const { content } = await repo.getBlob({ revision: 'main', path: 'n' })
  assert.equal(String(Buffer.from(content)), '20')
})

everywhere('an operation whose caller has given up has no effect', async (context, way) => {
  const { faults, connect, a, place } = await harness(context, way)
  faults.add({ rpc: 'UpdateRefs', fault: { kind: 'delay', ms: 150 } })
  const caller = connect({ retry: false }).repository('demo')
  await caller.getRepository()
  // On a busy machine, a call may have given up before the server has it.
  while (faults.fired('delay') < 1) {
    const late = caller.updateRefs([{ name, expectedOid: null, newOid: a }], { timeoutMs: 50 })
    await assert.rejects(late, { code: 'deadline_exceeded' })
  }
  await later(250)
  assert.equal(await place(), undefined)
})
