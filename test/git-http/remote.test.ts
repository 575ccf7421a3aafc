/** The remote of a repository, and the environment with which Git sends the client's token to it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'
import { WorkTree } from './git-client.ts'

test('Git pushes and clones with the environment of a client, whose token no URL and no other remote has', async (context) => {
  const grants = [{ token: 'Secret-1', access: 'write', repositories: ['*'] }] as const
  const { server, client } = atEnd(context, await testServer({ grants }))
  const repo = client({ token: async () => 'Secret-1' }).repository('team/a')
  await repo.createRepository()
  const url = repo.remoteUrl()
  assert.equal(url, `${server.http}/team/a.git`)
  const environment = await repo.gitEnvironment()
  assert.equal(environment['GIT_CONFIG_VALUE_0'], 'Authorization: Bearer Secret-1')
  const work = (await WorkTree.init(context)).with(environment)
  const oid = await work.commit('first')
  await work.git('push', '--quiet', url, 'main')
  assert.equal((await repo.getCommit('main')).commit.oid, oid)
  assert.equal((await work.run('config', '--get-urlmatch', 'http.extraHeader', `${server.http}/team/b.git`)).output, '')
  const without = await work.with({ GIT_CONFIG_COUNT: '0' }).run('push', url, 'main')
  assert.match(without.output, /could not read Username/)
})

test('a client without a token needs no environment, and one of gRPC alone has no remote', async () => {
  const client = createClient('https://example.com')
  assert.equal(client.remoteUrl('a/b'), 'https://example.com:443/a/b.git')
  assert.deepEqual(await client.gitEnvironment('a/b'), {})
  assert.throws(() => client.remoteUrl('a b'), /remoteUrl at https:\/\/example.com: .*segments of/)
  const other = createClient({ endpoint: 'grpc://127.0.0.1:1', token: 'x' })
  await assert.rejects(other.gitEnvironment('a'), /gitEnvironment at .*give the client an endpoint http:\/\/host:port/)
  await Promise.all([client.close(), other.close()])
})
