/** Names of refs by Git's rules, at every path that takes one, at the server and at the client. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolveOptions } from '../../src/client/options.ts'
import { TransportFactory } from '../../src/client/transport-factory.ts'
import { newCounters } from '../../src/core/counters.ts'
import type { BlobwireError, TransportName } from '../../src/core/error.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods } from '../../src/schema/methods.ts'
import { atEnd, testServer } from '../support/server.ts'

const zero = '0'.repeat(40)
/** Names that Git makes no branch with; the last ones are no names of refs at all. */
const badBranches = [
  '-x',
  '-',
  'HEAD',
  'a..b',
  'a.lock',
  '.a',
  'a b',
  'a~1',
  'a@{0}',
  'a/',
  'a//b',
  'a\\b',
  'a\0',
  'a.'
]
const badNames = ['', 'main', 'HEAD', 'refs/', '../x', ...badBranches.map((name) => `refs/heads/${name}`)]
const badPrefixes = ['main', '/', '../', 'refs/heads/a b', 'refs//', 'refs/heads/..', 'refs/heads/a\0']
const author = { name: 'A', email: 'a@example.com', timeSeconds: 1, zone: '+0000' }

for (const transport of ['json', 'msgpack', 'grpc'] as const satisfies TransportName[]) {
  test(`${transport}: the server refuses names of refs that Git refuses`, async (context) => {
    const { server, data } = atEnd(context, await testServer({ store: 'git' }))
    const factory = new TransportFactory(resolveOptions({ endpoint: server.http }), newCounters(), () => undefined)
    const channel = await factory.connect(server.http, transport)
    context.after(() => channel.close())
    const call = (method: Method, request: object) => {
      const signal = AbortSignal.timeout(10_000)
      return channel.unary({ method, request, headers: {}, signal, remainingMs: () => 10_000 })
    }
    const refused = (method: Method, request: object, field: RegExp) =>
      assert.rejects(call(method, { repository: 'demo', ...request }), (error: BlobwireError) => {
        assert.equal(error.code, 'invalid_argument', JSON.stringify(request))
        assert.match(error.details.violations?.[0]?.field ?? '', field)
        return true
      })
    await call(methods.createRepository, { repository: 'demo', objectFormat: '' })
    const changes = [{ path: 'a', content: Buffer.from('a'), mode: '' }]
    const commit = { repository: 'demo', author, committer: author, message: 'x', changes }
    const { oid } = (await call(methods.commitFiles, { ...commit, branch: 'main' })) as { oid: string }
    for (const name of badNames) {
      await refused(methods.updateRefs, { updates: [{ name, expectedOid: zero, newOid: oid }] }, /^updates\[0\]\.name$/)
    }
    for (const branch of badBranches) await refused(methods.commitFiles, { ...commit, branch }, /branch$/)
    for (const prefix of badPrefixes) await refused(methods.listRefs, { prefix, pageSize: 0, pageToken: '' }, /prefix$/)
    // Git itself makes such a ref when it is told to; it can be read, listed and deleted.
    const name = 'refs/heads/-x'
    execFileSync('git', ['-C', join(data, 'demo.git'), 'update-ref', name, oid])
    const read = (await call(methods.getCommit, { repository: 'demo', revision: name })) as { commit: { oid: string } }
    assert.equal(read.commit.oid, oid)
    const list = { repository: 'demo', prefix: 'refs/heads/-', pageSize: 0, pageToken: '' }
    assert.deepEqual(await call(methods.listRefs, list), { refs: [{ name, oid }], nextPageToken: '' })
    await call(methods.updateRefs, { repository: 'demo', updates: [{ name, expectedOid: oid, newOid: zero }] })
    assert.deepEqual(await call(methods.listRefs, list), { refs: [], nextPageToken: '' })
  })
}

test('the client refuses them before it sends anything', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  const repo = client.repository('demo')
  const refusal = { code: 'invalid_argument', sent: 'never' }
  for (const name of badNames) {
    await assert.rejects(repo.updateRefs([{ name, expectedOid: null, newOid: 'ab'.repeat(20) }]), refusal, name)
  }
  const input = { changes: { a: 'a' }, message: 'x', author }
  for (const branch of badBranches) await assert.rejects(repo.commitFiles({ ...input, branch }), refusal, branch)
  for (const prefix of badPrefixes) await assert.rejects(repo.listRefs({ prefix }), refusal, prefix)
  assert.equal(client.stats().connections.opened, 0)
})
