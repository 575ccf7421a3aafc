/** The requests of Git's clients one by one: who may make them, which there are, and which are refused. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'A', email: 'a@example.com' }
const requestType = 'application/x-git-upload-pack-request'
const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
const lsRefs = `${line('command=ls-refs\n')}0000`

async function begin(context: TestContext, options: Partial<ServerOptions> = {}) {
  const fixture = atEnd(context, await testServer({ store: 'git', ...options }))
  const repo = fixture.client({ token: 'writer' }).repository('demo')
  await repo.createRepository()
  const { oid } = await repo.commitFiles({ branch: 'main', changes: { 'x.git/y': 'file' }, message: 'm', author })
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${fixture.server.http}${path}`, init)
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
  const command = (body: string | Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}) =>
    ask('/demo.git/git-upload-pack', {
      method: 'POST',
      body,
      headers: { 'content-type': requestType, 'git-protocol': 'version=2', ...headers }
    })
  return { fixture, oid, ask, command }
}

const refs = (service = 'git-upload-pack', name = 'demo') => `/${name}.git/info/refs?service=${service}`

test('the token is the password, the user name or a bearer token; what it does not permit is hidden or forbidden', async (context) => {
  const { ask } = await begin(context, {
    grants: [
      { token: 'writer', access: 'write', repositories: ['*'] },
      { token: 'reader', access: 'read', repositories: ['demo'] },
      { token: 'other', access: 'write', repositories: ['other'] }
    ]
  })
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const statusOf = async (path: string, authorization?: string) => {
    const { status, headers } = await ask(path, authorization ? { headers: { authorization } } : {})
    assert.equal(headers.has('www-authenticate'), status === 401)
    return status
  }
  const all = [basic('any:writer'), basic('writer:'), basic('x-access-token:reader'), 'Bearer reader', basic('u:other')]
  assert.deepEqual(await Promise.all(all.map((one) => statusOf(refs(), one))), [200, 200, 200, 200, 404])
  assert.deepEqual(
    await Promise.all([undefined, basic('any:wrong'), basic(''), 'Bearer wrong'].map((one) => statusOf(refs(), one))),
    [401, 401, 401, 401]
  )
  assert.equal(await statusOf(refs('git-receive-pack')), 401)
  assert.equal(await statusOf(refs('git-upload-pack', 'absent')), 401)
  assert.equal(await statusOf(refs('git-upload-pack', 'absent'), basic('any:writer')), 404)
  assert.equal(await statusOf(refs('git-receive-pack'), basic('any:reader')), 403)
  const { headers, text } = await ask(refs())
  assert.equal(headers.get('www-authenticate'), 'Basic realm="blobwire", charset="UTF-8"')
  // Git shows its user texts of this type alone.
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.match(text, /token/)
})

test('answers are those of the smart protocol, for no cache; other paths and methods are refused', async (context) => {
  const { ask, command, oid, fixture } = await begin(context)
  const advertised = await ask(refs())
  assert.equal(advertised.headers.get('content-type'), 'application/x-git-upload-pack-advertisement')
  assert.equal(advertised.headers.get('cache-control'), 'no-cache, max-age=0, must-revalidate')
  assert.match(advertised.text, new RegExp(`^001e# service=git-upload-pack\n0000[0-9a-f]{4}${oid} HEAD\0`))
  const second = await ask(refs(), { headers: { 'git-protocol': 'version=2' } })
  assert.match(second.text, /^000eversion 2\n/)
  const odd = await ask(refs(), { headers: { 'git-protocol': 'version=2:$(reboot)' } })
  assert.equal(odd.text, advertised.text)
  assert.match((await command(lsRefs)).text, new RegExp(`^[0-9a-f]{4}${oid} HEAD\n`))
  assert.match((await command(gzipSync(lsRefs), { 'content-encoding': 'gzip' })).text, /refs\/heads\/main\n/)
  const statuses = await Promise.all([
    ask('/demo.git/info/refs'),
    ask(refs('git-upload-archive')),
    ask('/demo.git/HEAD'),
    ask('/team/demo/info/refs?service=git-upload-pack'),
    ask('/demo.git/objects/info/packs'),
    ask(refs(), { method: 'POST' }),
    ask('/demo.git/git-upload-pack'),
    command(lsRefs, { 'content-type': 'text/plain' }),
    ask('/%2e%2e/demo.git/info/refs?service=git-upload-pack'),
    ask('/..%2fdemo.git/info/refs?service=git-upload-pack'),
    ask('/v1/repositories/demo/files/main/x.git/y')
  ])
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [403, 403, 404, 404, 404, 405, 405, 415, 200, 400, 200]
  )
  assert.match(statuses[0]?.text ?? '', /smart protocol of Git alone/)
  assert.match(statuses[3]?.text ?? '', /the URL of a repository ends in .git, as in \/team\/demo.git/)
  const session = connect(fixture.server.http)
  const stream = session.request({ ':path': refs() })
  const [headers] = await once(stream, 'response')
  assert.equal(headers[':status'], 200)
  stream.destroy()
  session.destroy()
})

test('a request that is too long is refused, and one that git does not take is an error', async (context) => {
  const { command } = await begin(context)
  const bomb = await command(gzipSync(Buffer.alloc(17 * 2 ** 20)), { 'content-encoding': 'gzip' })
  assert.equal(bomb.status, 413)
  assert.equal((await command('no packet line')).status, 500)
})
