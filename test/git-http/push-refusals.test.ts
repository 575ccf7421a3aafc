/** Pushes that are refused, in whole or in part, those that only look odd, and the token with which Git pushes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { checkExecutable } from '../../server-fixture/git-http/proc-receive.ts'
import { CommandCounter } from '../../server-fixture/git-http/push-command.ts'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { createClient } from '../../src/index.ts'
import { temporaryDirectory } from '../store/support.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { WorkTree } from './git-client.ts'

async function begin(context: TestContext, options: Partial<ServerOptions> = {}) {
  const fixture = atEnd(context, await testServer(options))
  const client = fixture.client()
  const repo = client.repository('a')
  await repo.createRepository()
  const work = await WorkTree.init(context)
  const url = repo.remoteUrl()
  const push = (...args: readonly string[]) => work.run('push', ...args)
  const refs = async () => (await repo.listRefs()).refs.map(({ name }) => name)
  return { fixture, client, repo, work, url, push, refs }
}

test('of a push without --atomic, each ref has its own answer; with it, none is moved; by force, branches move back', async (context) => {
  const { work, url, push, refs, repo, fixture } = await begin(context)
  const first = await work.commit('first')
  const second = await work.commit('second')
  const some = await push(url, 'main', 'main:refs/heads/-x', 'main:refs/heads/main/a', 'main:refs/tags/some')
  assert.match(some.output, /! \[remote rejected\] main -> -x \(refs\/heads\/-x: must not be a branch that is HEAD or/)
  assert.match(some.output, /! \[remote rejected\] main -> main\/a \(.* cannot exist together/)
  assert.deepEqual(await refs(), ['refs/heads/main', 'refs/tags/some'])
  const none = await push('--atomic', url, 'main:refs/heads/-x', 'main:none')
  assert.match(none.output, /! \[remote rejected\] main -> none \(refs\/heads\/-x: must not be/)
  assert.deepEqual(await refs(), ['refs/heads/main', 'refs/tags/some'])
  await work.git('push', '--quiet', '--force', url, `${first}:main`, ':refs/tags/some')
  assert.deepEqual(await refs(), ['refs/heads/main'])
  assert.match((await push(`--force-with-lease=main:${second}`, url, 'main')).output, /stale info/)
  await work.git('push', '--quiet', `--force-with-lease=main:${first}`, url, 'main')
  assert.equal((await repo.getCommit('main')).commit.oid, second)
  const absent = await push(`${fixture.server.http}/other.git`, 'main')
  assert.match(absent.output, /a push does not create it: call createRepository before/)
})

test('an atomic push of which Git itself refuses a ref moves none, and other pushes of a shallow clone work', async (context) => {
  const { client, work, url, fixture } = await begin(context)
  await work.commit('first')
  await work.commit('second')
  await work.git('push', '--quiet', '--push-option=ignored', url, 'main')
  const shallow = await work.clone(url, '--depth=1')
  const oid = await shallow.commit('third')
  await shallow.git('push', '--quiet', url, 'main')
  assert.equal((await client.getCommit('a', 'main')).commit.oid, oid)
  await client.createRepository('b')
  await shallow.git('checkout', '--quiet', '--orphan', 'whole')
  await shallow.commit('whole')
  const refused = await shallow.run('push', '--atomic', `${fixture.server.http}/b.git`, 'main', 'whole')
  assert.match(refused.output, /main -> main \(shallow update not allowed\)/)
  assert.match(refused.output, /whole -> whole \(another ref of the atomic push was refused\)/)
  assert.deepEqual((await client.listRefs('b')).refs, [])
})

test('objects that git fsck reports, and those above a limit, are refused, and nothing of them stays', async (context) => {
  const { work, url, push, repo, fixture } = await begin(context, {
    store: 'git',
    limits: { maxBlobBytes: 1_200_000 },
    maxPushBytes: 1_500_000
  })
  // A program that the configuration of the repository names, for the refs of its alternates.
  const gitDir = join(fixture.data, 'a.git')
  await repo.listRefs()
  const other = join(fixture.data, 'other')
  for (const path of [join(gitDir, 'objects', 'info'), join(other, 'objects'), join(other, 'refs')])
    await mkdir(path, { recursive: true })
  await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${join(other, 'objects')}\n`)
  await appendFile(join(gitDir, 'config'), `[core]\n\talternateRefsCommand = "touch ${fixture.data}/ran;"\n`)
  const write = async (name: string, content: string | Uint8Array) => {
    await writeFile(join(work.path, name), content)
    await work.git('add', name)
    return await work.commit(name)
  }
  const first = await write('first', 'content')
  const tree = await work.git('rev-parse', 'HEAD^{tree}')
  await writeFile(join(work.path, 'bad'), `tree ${tree}\nauthor A<a@b> 0 +0000\ncommitter A <a@b> 0 +0000\n\nx\n`)
  const bad = await work.git('hash-object', '-t', 'commit', '--literally', '-w', 'bad')
  assert.match((await push(url, `${bad}:refs/heads/bad`)).output, /missingSpaceBeforeEmail/)
  // A pack of some kilobytes.
  const oversized = await write('zeros', Buffer.alloc(1_200_001))
  const large = await push(url, 'main')
  assert.match(large.output, /main -> main \(blob [0-9a-f]{40} has 1200001 bytes; the server takes 1200000 at most\)/)
  await work.git('reset', '--quiet', '--hard', first)
  // Sent in chunks, after a question whether the server takes the push, and more than the server takes.
  await write('random', randomBytes(1_800_000))
  assert.match((await push(url, 'main')).output, /pack exceeds maximum allowed size/)
  assert.equal((await repo.findMissing([bad, oversized, first])).missing.length, 3)
  const left = () => readdirSync(fixture.data, { recursive: true }).map(String)
  await until(() => !left().some((path) => path.endsWith('commondir')), 'the directories of the pushes are removed')
  assert.equal(left().includes('ran'), false)
})

test('the refs and options of a push have a bound, and a hook must be a program', async (context) => {
  const pkt = (text: string) => Buffer.from(`${(text.length + 4).toString(16).padStart(4, '0')}${text}`)
  const command = pkt(`${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/a\0 push-options`)
  const option = Buffer.concat(Array.from({ length: 17 }, () => pkt('o'.repeat(65_000))))
  const many = (counter: CommandCounter) => {
    for (let index = 0; index < 16; index++) counter.push(option)
  }
  const counter = new CommandCounter()
  counter.push(Buffer.concat([command, command, Buffer.from('0000'), command]))
  assert.equal(counter.count, 2)
  assert.throws(() => many(counter), { code: 'resource_exhausted' })
  const withPack = new CommandCounter()
  withPack.push(Buffer.concat([command, Buffer.from('00000000PACK')]))
  many(withPack)
  const path = join(await temporaryDirectory(context), 'hook')
  await writeFile(path, '', { mode: 0o600 })
  await assert.rejects(checkExecutable(path), /runs no programs \(noexec\)/)
})

test('a push may be compressed as a whole, and one without a command is none', async (context) => {
  const { url, repo } = await begin(context)
  const { oid } = await repo.commitFiles({
    branch: 'main',
    changes: { a: 'a' },
    message: 'api',
    author: { name: 'A', email: 'a@example.com' }
  })
  const post = (body: Uint8Array, encoding: string) =>
    fetch(`${url}/git-receive-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request', 'content-encoding': encoding },
      body: body as Uint8Array<ArrayBuffer>
    })
  const command = `${oid} ${'0'.repeat(40)} refs/heads/main\0 report-status`
  const line = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`
  assert.equal(await (await post(Buffer.from('0000'), 'identity')).text(), '')
  assert.equal((await post(Buffer.from(line), 'br')).status, 501)
  const noGzip = await post(Buffer.from(line), 'gzip')
  assert.equal(noGzip.status, 400)
  assert.match(await noGzip.text(), /content-encoding: is gzip, and the body is not/)
  const deleted = await post(gzipSync(line), 'gzip')
  assert.equal(deleted.headers.get('content-type'), 'application/x-git-receive-pack-result')
  assert.match(await deleted.text(), /ok refs\/heads\/main/)
  assert.deepEqual((await repo.listRefs()).refs, [])
  const garbage = await post(Buffer.from('nothing'), 'identity')
  assert.ok(garbage.status >= 400, String(garbage.status))
})

test('over TLS, where Git speaks HTTP/2, a large push of a repository of sha256 arrives, and a refused one is told why', async (context) => {
  const tls = { cert: pem('server.pem'), key: pem('server.key') }
  const fixture = atEnd(context, await testServer({ tls, maxPushBytes: 1_500_000 }))
  const repo = fixture.client({ tls: { ca: pem('ca.pem') } }).repository('a')
  await repo.createRepository({ objectFormat: 'sha256' })
  const work = await WorkTree.init(context, '--object-format=sha256')
  await work.git('config', 'http.sslVerify', 'false')
  await writeFile(join(work.path, 'random'), randomBytes(1_200_000))
  await work.git('add', '.')
  const oid = await work.commit('first')
  const trace = (await work.with({ GIT_CURL_VERBOSE: '1' }).run('push', repo.remoteUrl(), 'main')).output
  assert.match(trace, /HTTP\/2 200/)
  assert.equal((await repo.getCommit('main')).commit.oid, oid)
  await writeFile(join(work.path, 'random'), randomBytes(2_000_000))
  await work.git('add', '.')
  await work.commit('second')
  assert.match((await work.run('push', repo.remoteUrl(), 'main')).output, /pack exceeds maximum allowed size/)
})

test('Git pushes and clones with the environment of a client, whose token no URL and no other remote has', async (context) => {
  const grants = [
    { token: 'Secret-1', access: 'write', repositories: ['*'] },
    { token: 'Reader', access: 'read', repositories: ['*'] }
  ] as const
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
  const type = { 'content-type': 'application/x-git-receive-pack-request' }
  const push = async (headers: Record<string, string>) =>
    (await fetch(`${url}/git-receive-pack`, { method: 'POST', headers: { ...type, ...headers }, body: '0000' })).status
  assert.equal(await push({}), 401)
  assert.equal(await push({ authorization: 'Bearer Reader' }), 403)
  assert.equal(await push({ authorization: `Basic ${btoa('anyone:Secret-1')}` }), 200)
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
