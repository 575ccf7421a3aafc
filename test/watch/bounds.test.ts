/** The bounds of watches: how many there are, how long their rights last, and what waits for those who are slow. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { RawSession } from '../support/raw-session.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { commit, main, repositoryOf, Taker } from './support.ts'

const watchOf = (id: number, rest: object = {}) => ({
  watch: { id, request: { repository: 'demo', snapshot: true, ...rest } }
})

/** All updates of a session, in order. */
const updatesOf = (session: RawSession) => session.messages.flatMap(({ value }) => value.updates ?? [])

for (const transport of ['msgpack', 'grpc'] as const) {
  test(`a server takes so many watches, and another one when there is room (${transport})`, async (context) => {
    const fixture = atEnd(context, await testServer({ watches: { maxWatches: 2 } }))
    const client = fixture.client({ transport, retry: { maxAttempts: 1 } })
    const { repo } = await repositoryOf(client, 'demo')
    const [first, second, third] = [new Taker(repo), new Taker(repo), new Taker(repo)]
    await Promise.all([first.next(), second.next()])
    await assert.rejects(third.next(), {
      code: 'resource_exhausted',
      reason: 'too_many_watches',
      message: /the server has 2 watches, which is the most/
    })
    await first.end()
    await until(() => fixture.server.metrics.snapshot().watches === 1, 'one watch')
    const fourth = new Taker(repo)
    await fourth.next()
    await commit(repo, 'b')
    const told = await Promise.all([second.next(), fourth.next()])
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['moves', 'moves']
    )
    await Promise.all([second.end(), fourth.end()])
  })
}

test('a session takes 1,000 watches, and goes on after the refusal of another one', async (context) => {
  const fixture = atEnd(context, await testServer())
  const { repo } = await repositoryOf(fixture.client(), 'demo')
  const session = new RawSession(fixture.server.http)
  for (let id = 0; id <= 1000; id++) session.send(watchOf(id))
  const errors = () => updatesOf(session).filter(({ error }) => error)
  await until(() => errors().length > 0 && fixture.server.metrics.snapshot().watches === 1000, 'a refusal')
  assert.deepEqual(
    errors().map(({ ids, error }) => [ids, error.code, error.message]),
    [[[1000], 'resource_exhausted', 'the session has 1000 watches, which is the most']]
  )
  const moved = await commit(repo, 'b')
  const told = () =>
    updatesOf(session)
      .filter(({ update }) => update?.events?.[0]?.moves[0].newOid === moved)
      .flatMap(({ ids }) => ids)
  await until(() => told().length === 1000, 'all watches have heard')
  session.stream.close()
})

test('updates do not overtake each other where the client takes compressed answers', async (context) => {
  const store = new MemoryStore()
  const fixture = atEnd(context, await testServer({ store }))
  const { repo, oids } = await repositoryOf(fixture.client(), 'demo')
  const names = Array.from({ length: 1100 }, (_, index) => `refs/tags/${String(index).padStart(60, '0')}`)
  const updates = names.map((name) => ({ name, expectedOid: null, newOid: oids[0] ?? '' }))
  await repo.updateRefs(updates)
  const session = new RawSession(fixture.server.http, { 'connect-accept-encoding': 'gzip' })
  session.send(watchOf(1))
  await until(() => updatesOf(session).some(({ update }) => update.page?.last), 'the last page')
  const pages = updatesOf(session).map(({ update }) => update.page)
  assert.deepEqual(
    pages.flatMap(({ refs }) => refs.map(({ name }: { name: string }) => name)),
    [main, ...names]
  )
  session.stream.close()
})

test('a watch whose token expires goes on with a fresh one', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const hour = 3_600_000
  const grant = (token: string, hours: number) => ({
    token,
    access: 'write' as const,
    repositories: ['*'],
    expires: new Date(Date.now() + hours * hour).toISOString()
  })
  const fixture = atEnd(context, await testServer({ grants: [grant('short', 1), grant('long', 9)] }))
  const { repo, oids } = await repositoryOf(fixture.client({ token: 'long' }), 'demo')
  for (const transport of ['msgpack', 'grpc'] as const) {
    let token = 'short'
    const watching = fixture.client({ transport, token: () => token })
    const taker = new Taker(watching.repository('demo'))
    assert.equal((await taker.next()).kind, 'start')
    const old = new Taker(fixture.client({ transport, token: 'short' }).repository('demo'))
    await old.next()
    context.mock.timers.setTime(Date.now() + hour)
    token = 'long'
    const refused = assert.rejects(old.next(), { code: 'unauthenticated', reason: 'expired_token' })
    oids.push(await commit(repo, transport))
    assert.deepEqual((await taker.next()).moves, [{ name: main, oldOid: oids.at(-2), newOid: oids.at(-1) }])
    await refused
    await taker.end()
    context.mock.timers.setTime(Date.now() - hour)
  }
})

test('what waits for a slow application is bounded; it misses nothing', async (context) => {
  const fixture = atEnd(context, await testServer())
  const { repo, oids } = await repositoryOf(fixture.client(), 'demo')
  const taker = new Taker(repo)
  await taker.next()
  const names = Array.from({ length: 500 }, (_, index) => `refs/tags/${index}`)
  const ways = [null, ...oids, await commit(repo, 'b')]
  assert.equal((await taker.next()).kind, 'moves')
  const move = (turn: number) => {
    const [expectedOid = null, newOid = null] = turn === 0 ? ways : turn % 2 ? [ways[1], ways[2]] : [ways[2], ways[1]]
    return repo.updateRefs(names.map((name) => ({ name, expectedOid, newOid })))
  }
  for (let turn = 0; turn < 8; turn++) await move(turn)
  await until(() => fixture.server.metrics.snapshot().watches === 0, 'the watch has ended at the server')
  for (let turn = 8; turn < 12; turn++) await move(turn)
  for (let turn = 0; turn < 12; turn++) {
    const { kind, moves } = await taker.next()
    assert.deepEqual([kind, moves.length, moves[0]?.newOid], ['moves', 500, turn % 2 ? ways[2] : ways[1]])
  }
  await taker.end()
})
