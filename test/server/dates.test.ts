/** Dates of commits: absent is the server's clock, and 0 is 1970, whatever carries the request. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallInvoker } from '../../src/client/call-invoker.ts'
import { resolveOptions } from '../../src/client/options.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { atEnd, testServer } from '../support/server.ts'
import { put, setUp, storeKinds } from './commit-chain.ts'

const author = { name: 'A', email: 'a@b', zone: '+0000' }

for (const kind of storeKinds) {
  test(`each date of a commit is the one that was given, or the server's clock (${kind} store)`, async (context) => {
    const { call, commit } = await setUp(context, kind)
    context.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_500 })
    const read = async (revision: string) =>
      ((await call('GetCommit', { revision })) as Messages['GetCommitResponse']).commit?.author.timeSeconds
    const dates: [number | undefined, number][] = [
      [undefined, 1_800_000_000],
      [0, 0],
      [1_700_000_000, 1_700_000_000]
    ]
    for (const [timeSeconds, expected] of dates) {
      const made = await commit([put('a')], { author: { ...author, timeSeconds } })
      assert.equal(made.timeSeconds, 1_800_000_000)
      assert.equal(await read(made.oid), expected)
    }
    await assert.rejects(commit([put('a')], { author: { ...author, timeSeconds: -1 } }), { code: 'invalid_argument' })
  })
}

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  for (const batch of [{}, false] as const) {
    const name = `${transport}, ${batch ? 'in frames' : 'one request a call'}`
    test(`an absent date is the server's clock, and 0 is 1970 (${name})`, async (context) => {
      const { server } = atEnd(context, await testServer())
      const endpoint = transport === 'grpc' ? server.grpc.replace(/^http/, 'grpc') : server.http
      const invoker = new CallInvoker(resolveOptions({ endpoint, transport, batch }))
      const repository = 'demo'
      await invoker.invoke(methods.createRepository, { repository })
      const before = Math.floor(Date.now() / 1000)
      const commit = (timeSeconds?: number) =>
        invoker.invoke(methods.commitFiles, {
          ...{ repository, branch: 'main', message: 'm' },
          author: timeSeconds === undefined ? author : { ...author, timeSeconds },
          committer: { ...author, timeSeconds: 0 },
          changes: [{ path: 'a', content: Buffer.from('a') }]
        })
      const now = await commit()
      const epoch = await commit(0)
      const read = async (revision: string) =>
        (await invoker.invoke(methods.getCommit, { repository, revision })).commit
      assert.ok(now.timeSeconds >= before && now.timeSeconds <= Date.now() / 1000)
      assert.equal((await read(now.oid))?.author.timeSeconds, now.timeSeconds)
      assert.equal((await read(now.oid))?.committer.timeSeconds, 0)
      assert.equal((await read(epoch.oid))?.author.timeSeconds, 0)
      await invoker.close()
    })
  }
}
