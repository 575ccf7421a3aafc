/** `repo.watch`, on sessions of each transport. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { atEnd, testServer } from '../support/server.ts'
import { commit, main, repositoryOf, Taker, told } from './support.ts'

const zero = '0'.repeat(7)
const cut = (oid: string | undefined) => (oid ?? '').slice(0, 7)

for (const store of ['memory', 'git'] as const) {
  describe(`store ${store}`, () => {
    for (const transport of ['json', 'msgpack', 'grpc'] as const) {
      test(`each move is told, in order, on the session of the calls (${transport})`, async (context) => {
        const fixture = atEnd(context, await testServer({ store }))
        const client = fixture.client({ transport })
        const { repo, oids } = await repositoryOf(client, 'demo', 2)
        const [, b] = oids
        const all = new Taker(repo)
        const tags = new Taker(repo, { prefix: 'refs/tags/' })
        assert.deepEqual(await all.take(1), [`start ${main} ${zero}-${cut(b)}`])
        assert.deepEqual(await tags.take(1), ['start'])
        const headers = { 'x-request-id': 'my-id' }
        const updates = ['refs/tags/v1', 'refs/tagsnot'].map((name) => ({ name, expectedOid: null, newOid: b ?? '' }))
        await repo.updateRefs(updates, { headers })
        const c = await commit(repo, 'c')
        const d = await commit(repo, 'd')
        const first = `moves my-id refs/tags/v1 ${zero}-${cut(b)}`
        const [both, ...commits] = await all.take(3)
        assert.equal(both, `${first} refs/tagsnot ${zero}-${cut(b)}`)
        assert.deepEqual(
          commits.map((text) => text.split(' ').slice(2).join(' ')),
          [`${main} ${cut(b)}-${cut(c)}`, `${main} ${cut(c)}-${cut(d)}`]
        )
        assert.deepEqual(await tags.take(1), [first])
        await repo.updateRefs([{ name: 'refs/tags/v1', expectedOid: b ?? '', newOid: null }], { headers })
        assert.deepEqual(await tags.take(1), [`moves my-id refs/tags/v1 ${cut(b)}-${zero}`])
        assert.equal(client.stats().sessions, 1)
        await Promise.all([all.end(), tags.end()])
      })
    }

    test('a watch goes on from a cursor, also in another client', async (context) => {
      const fixture = atEnd(context, await testServer({ store }))
      const { repo, oids } = await repositoryOf(fixture.client(), 'demo')
      const first = new Taker(repo)
      const { cursor } = await first.next()
      await first.end()
      const made = [oids[0]]
      for (const name of ['b', 'c']) made.push(await commit(repo, name))
      const other = fixture.client().repository('demo')
      const next = new Taker(other, { since: cursor ?? '' })
      const moves = []
      for (let index = 0; index < 2; index++)
        moves.push(
          told(await next.next())
            .split(' ')
            .slice(2)
            .join(' ')
        )
      assert.deepEqual(moves, [`${main} ${cut(made[0])}-${cut(made[1])}`, `${main} ${cut(made[1])}-${cut(made[2])}`])
      await next.end()
    })

    test('after a gap comes the difference to the refs that were known, or all refs where none were', async (context) => {
      const fixture = atEnd(context, await testServer({ store }))
      const client = fixture.client()
      const { repo, oids } = await repositoryOf(client, 'demo')
      const [a = ''] = oids
      await repo.updateRefs([{ name: 'refs/heads/gone', expectedOid: null, newOid: a }])
      const { refs } = await repo.listRefs()
      const first = new Taker(repo)
      const { cursor = '' } = await first.next()
      await first.end()
      await repo.deleteRepository()
      await repo.createRepository()
      const b = await commit(repo, 'other')
      await repo.updateRefs([{ name: 'refs/heads/new', expectedOid: null, newOid: b }])
      const known = new Taker(repo, { since: { cursor, refs } })
      const difference = told(await known.next())
      assert.deepEqual(
        difference.split(' ').slice(1).join(' '),
        [`${main} ${cut(a)}-${cut(b)}`, `refs/heads/new ${zero}-${cut(b)}`, `refs/heads/gone ${cut(a)}-${zero}`].join(
          ' '
        )
      )
      assert.match(difference, /^difference /)
      const c = await commit(repo, 'c')
      assert.match((await known.take(1))[0] ?? '', new RegExp(`^moves \\S+ ${main} ${cut(b)}-${cut(c)}$`))
      await known.end()
      const unknown = new Taker(repo, { since: cursor })
      assert.deepEqual(await unknown.take(2), [
        'gap',
        `start ${main} ${zero}-${cut(c)} refs/heads/new ${zero}-${cut(b)}`
      ])
      await unknown.end()
    })
  })
}

test('a watch of what is not there, or is deleted, ends', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  await assert.rejects(new Taker(client.repository('nobody')).next(), { code: 'not_found', reason: 'repository' })
  const { repo } = await repositoryOf(client, 'demo')
  const taker = new Taker(repo)
  await taker.next()
  await repo.deleteRepository()
  await assert.rejects(taker.next(), { code: 'not_found', reason: 'repository' })
  for (const options of [{ since: 'x' }, { since: { cursor: 'w1.a.0.00000000' } }]) {
    await repo.createRepository()
    await assert.rejects(new Taker(repo, options).next(), { code: 'invalid_argument' })
  }
  assert.throws(() => repo.watch({ prefix: 'a//b' }), { code: 'invalid_argument' })
  assert.throws(() => repo.watch({ prefix: 7 } as never), { code: 'invalid_argument' })
  assert.throws(() => repo.watch({ timeoutMs: 7 } as never), { code: 'invalid_argument', message: /unknown option/ })
})

test('an abort and the end of the client end a watch', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  const { repo } = await repositoryOf(client, 'demo')
  const controller = new AbortController()
  const aborted = new Taker(repo, { signal: controller.signal })
  const closed = new Taker(repo)
  await Promise.all([aborted.next(), closed.next()])
  const next = assert.rejects(aborted.next(), { code: 'cancelled' })
  controller.abort()
  await next
  const last = assert.rejects(closed.next(), { code: 'cancelled', reason: 'client_closed' })
  await client.close()
  await last
})
