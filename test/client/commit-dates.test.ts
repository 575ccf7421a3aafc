/** Dates that the caller leaves out are the server's, and every date that is given means itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestInterceptor } from '../../src/index.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const ada = { name: 'Ada', email: 'ada@example.org' }
const bob = { name: 'Bob', email: 'bob@example.org', zone: '+0530' }

for (const transport of transports) {
  test(`a date left out stays out of the request and is the server's; date 0 is 1970 (${transport})`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const sent: Messages['CommitFilesRequest'][] = []
    const request: RequestInterceptor = (one, next) => {
      if (one.method === 'commitFiles') sent.push(one.message as Messages['CommitFilesRequest'])
      return next(one)
    }
    const repo = fixture.client({ transport, interceptors: [{ request }] }).repository('demo')
    await repo.createRepository()
    const commit = { branch: 'main', message: 'm\n', changes: { a: 'x' } }
    const first = await repo.commitFiles({ ...commit, author: ada })
    const [message] = sent
    assert.deepEqual([message?.author?.timeSeconds, message?.committer], [undefined, undefined])
    assert.ok(first.timeSeconds > 1_700_000_000)
    const { commit: made } = await repo.getCommit(first.oid)
    assert.deepEqual([made.author.timeSeconds, made.committer.timeSeconds], [first.timeSeconds, first.timeSeconds])

    const old = await repo.commitFiles({ ...commit, author: { ...ada, timeSeconds: 0 }, committer: bob })
    const { author, committer } = (await repo.getCommit(old.oid)).commit
    assert.deepEqual([author.timeSeconds, committer.timeSeconds], [0, old.timeSeconds])
    assert.deepEqual([committer.name, committer.zone], ['Bob', '+0530'])

    const [inBatch] = await repo.batch([{ commitFiles: { ...commit, author: { ...ada, timeSeconds: 0 } } }])
    assert.ok(inBatch.ok)
    const { commit: batched } = await repo.getCommit('main')
    assert.deepEqual([batched.oid, batched.parents], [inBatch.value.oid, [old.oid]])
    assert.deepEqual([batched.author.timeSeconds, batched.committer.timeSeconds], [0, 0])
  })
}
