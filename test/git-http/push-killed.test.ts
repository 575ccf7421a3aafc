/** Pushes that break off: their clients go, or the server is killed. What they leave is removed, and by whom. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startServerProcess } from '../../server-fixture/process.ts'
import { LockFile } from '../../server-fixture/store/git/lock-file.ts'
import { createClient } from '../../src/index.ts'
import { git, temporaryDirectory } from '../store/support.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { WorkTree } from './git-client.ts'

/** Begins a push whose pack does not end. */
function beginPush(url: string, oid = '1'.repeat(40), pack = Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1')) {
  const sent = request(`${url}/git-receive-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-receive-pack-request' }
  })
  sent.on('error', () => undefined)
  const command = `${'0'.repeat(40)} ${oid} refs/heads/never\0 report-status`
  sent.write(`${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`)
  sent.write(pack)
  return { sent, closed: new Promise((resolve) => sent.once('close', resolve)) }
}

/** Directories of pushes in which objects are. */
const pushesIn = (directory: string) =>
  readdirSync(directory, { recursive: true }).filter((path) => String(path).endsWith('commondir'))

for (const store of ['git', 'memory'] as const) {
  test(`${store}: of a push whose client goes, nothing stays`, async (context) => {
    const { client, data } = atEnd(context, await testServer({ store }))
    const repo = client().repository('a')
    await repo.createRepository()
    const { sent, closed } = beginPush(repo.remoteUrl())
    await until(() => pushesIn(data).length > 0, 'the push has a directory')
    sent.destroy()
    await closed
    await until(() => pushesIn(data).length === 0, 'the directory is removed')
    assert.deepEqual((await repo.listRefs()).refs, [])
  })
}

test('a push that takes longer than the server waits ends, and its client is told', async (context) => {
  const { client, data } = atEnd(context, await testServer({ gitTimeoutMs: 1 }))
  const repo = client().repository('a')
  await repo.createRepository()
  const { sent } = beginPush(repo.remoteUrl())
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 504)
  sent.destroy()
  await until(() => pushesIn(data).length === 0, 'the directory is removed')
})

test('a server that was killed in two pushes has moved no ref, and the next one removes what they left', async (context) => {
  const data = await temporaryDirectory(context)
  const faults = join(data, 'faults.json')
  const never = { kind: 'delay', ms: 1_000_000 }
  writeFileSync(faults, JSON.stringify({ rules: [{ rpc: 'UpdateRefs', fault: never }] }))
  const directory = join(data, 'store')
  const first = await startServerProcess('--store', 'git', '--data', directory, '--faults', faults)
  context.after(() => first.kill())
  const client = createClient(first.http.origin)
  await client.createRepository('a')
  const gitDir = join(directory, 'a.git')
  const work = await WorkTree.init(context)
  const oid = await work.commit('first')
  const { closed } = beginPush(client.remoteUrl('a'))
  const pushing = work.run('push', client.remoteUrl('a'), 'main')
  const packs = () => readdirSync(join(gitDir, 'objects', 'pack')).filter((name) => name.endsWith('.idx'))
  // The objects are stored, and the ref is about to move.
  await until(() => packs().length === 1 && pushesIn(directory).length === 2, 'both pushes are under way')
  await first.kill()
  assert.notEqual((await pushing).status, 0)
  await closed
  await client.close()
  assert.equal(git(gitDir, ['for-each-ref']).output, '')

  const after = atEnd(context, await testServer({ store: 'git', data: directory })).client()
  await after.listRefs('a')
  assert.deepEqual(pushesIn(directory), [])
  await work.git('push', '--quiet', after.remoteUrl('a'), 'main')
  assert.equal((await after.getCommit('a', 'main')).commit.oid, oid)
  assert.equal(git(gitDir, ['fsck', '--strict']).status, 0)
})

test('a push that began before its repository was deleted and created again changes nothing in the new one', async (context) => {
  const { client, data } = atEnd(context, await testServer())
  const repo = client().repository('a')
  await repo.createRepository()
  const work = await WorkTree.init(context)
  const oid = await work.commit('first')
  await work.git('pack-objects', '--quiet', '--all', 'pack')
  const pack = readdirSync(work.path).find((name) => name.endsWith('.pack')) as string
  const { sent } = beginPush(repo.remoteUrl(), oid, readFileSync(join(work.path, pack)).subarray(0, 20))
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  await until(() => pushesIn(data).length > 0, 'the push has a directory')
  await repo.deleteRepository()
  await repo.createRepository()
  sent.end(readFileSync(join(work.path, pack)).subarray(20))
  const [response] = await answered
  assert.match(await text(response), /ng refs\/heads\/never the repository a was deleted and created again/)
  assert.deepEqual((await repo.findMissing([oid])).missing, [oid])
})

test('a repository is created where a push to one that was deleted has left its directory, and nowhere else', async (context) => {
  const { client, data } = atEnd(context, await testServer({ store: 'git' }))
  const left = join(data, 'a.git', 'objects')
  mkdirSync(join(left, 'blobwire-incoming-1', 'pack'), { recursive: true })
  await client().createRepository('a')
  assert.deepEqual((await client().listRefs('a')).refs, [])
  mkdirSync(join(data, 'b.git', 'objects', 'pack'), { recursive: true })
  await assert.rejects(client().createRepository('b'))
})

test('directories of pushes to other stores are removed by the next server, and those of servers that run are not', async (context) => {
  const { client, data } = atEnd(context, await testServer())
  const pushes = join(data, 'git-cache', '~pushes')
  for (const name of ['killed', 'running']) mkdirSync(join(pushes, name, 'push'), { recursive: true })
  writeFileSync(
    join(pushes, 'killed', 'server.lock'),
    JSON.stringify({ pid: 2 ** 22 + 1, started: '1', instance: 'x' })
  )
  const lock = await LockFile.acquire(join(pushes, 'running'))
  context.after(() => lock.release())
  const repo = client().repository('a')
  await repo.createRepository()
  const work = await WorkTree.init(context)
  await work.commit('first')
  await work.git('push', '--quiet', repo.remoteUrl(), 'main')
  assert.equal(existsSync(join(pushes, 'killed')), false)
  assert.equal(existsSync(join(pushes, 'running', 'push')), true)
  await until(() => pushesIn(data).length === 0, 'the directory of the push is removed')
})
