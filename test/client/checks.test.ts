/** Checks of answers that need more than one answer, and those that are left without the option `verify`. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { encodeCommit } from '../../src/git/commit.ts'
import { hashObject } from '../../src/git/oid.ts'
import { encodeTree } from '../../src/git/tree.ts'
import { type LyingServer, startLyingServer } from '../support/lying-server.ts'

const hello = new TextEncoder().encode('hello\n')
const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'
const otherOid = hashObject('blob', new TextEncoder().encode('other\n'), 'sha1')
const signature = { name: 'A', email: 'a@example.org', timeSeconds: 1, zone: '+0000' }
const commit = { oid: otherOid, tree: helloOid, author: signature, committer: signature, message: 'x' }
const file = (name: string) => ({ name: Buffer.from(name), mode: '100644', oid: helloOid })
const treeOid = hashObject('tree', encodeTree([file('a')], 'sha1'), 'sha1')
const { timeSeconds: _, ...undated } = signature
const later = { ...signature, timeSeconds: 2 }
const commitOid = (fields: object) => hashObject('commit', encodeCommit({ ...commit, parents: [], ...fields }), 'sha1')
const laterOid = commitOid({ tree: treeOid, author: later, committer: later })
const known = { GetRepository: { repository: 'demo', objectFormat: 'sha1', defaultBranch: 'refs/heads/main' } }

let server: LyingServer
before(async () => {
  server = await startLyingServer()
})
after(() => server[Symbol.asyncDispose]())

test('a later page of another tree', async () => {
  const pageOf = (oid: string, path: string, nextPageToken: string) => {
    return { oid, entries: [{ path, mode: '100644', oid: helloOid }], nextPageToken }
  }
  const twoFiles = hashObject('tree', encodeTree([file('a'), file('b')], 'sha1'), 'sha1')
  for (const [second, isSound] of [
    [twoFiles, true],
    [treeOid, false]
  ] as const) {
    const pages = [pageOf(twoFiles, 'a', 'more'), pageOf(second, 'b', '')]
    server.answers = {
      get GetTree() {
        return pages.shift() ?? assert.fail('a third page')
      }
    }
    const tree = server.client('msgpack').repository('demo').getTree()
    if (isSound) assert.equal((await tree).entries.length, 2)
    else await assert.rejects(tree, { code: 'data_loss', reason: 'integrity' })
  }
})

test('the tree of a first commit whose list of changes is too long for one request', async () => {
  server.answers = {
    ...known,
    GetCapabilities: { transports: [], limits: { maxBatchBytes: 4096 } },
    StoreTree: { oid: otherOid },
    CommitFiles: { oid: commitOid({ tree: otherOid }), tree: otherOid, parents: [], ref: 'refs/heads/main' }
  }
  const client = server.client('msgpack')
  await client.getCapabilities()
  const changes = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`file ${index}`, { oid: helloOid }]))
  const asked = { branch: 'main', changes, message: 'x', author: signature, expectedHead: null }
  const found = { code: 'data_loss', reason: 'integrity', message: /: tree of the new commit/ }
  await assert.rejects(client.commitFiles('demo', asked), found)
})

test('a commit without a date of its own is held against the clock that the answer tells', async () => {
  server.answers = {
    ...known,
    CommitFiles: { oid: laterOid, tree: treeOid, parents: [], ref: 'refs/heads/main', timeSeconds: 2 }
  }
  const repo = server.client('msgpack').repository('demo')
  const made = await repo.commitFiles({ branch: 'main', changes: { a: hello }, message: 'x', author: undated })
  assert.equal(made.oid, laterOid)
})

test('verify: false switches the checks off', async () => {
  server.answers = { GetBlob: { oid: helloOid, size: 6, content: Buffer.from('hellO\n') } }
  const { content } = await server.client('msgpack', { verify: false }).getBlob('demo', helloOid)
  assert.equal(Buffer.from(content).toString(), 'hellO\n')
})

test('verify: false does not let through a commit that lacks what its type promises', async () => {
  const { author, committer, ...bare } = commit
  const repo = server.client('msgpack', { verify: false }).repository('demo')
  for (const lacking of [undefined, bare, { ...bare, author }, { ...bare, committer }]) {
    server.answers = { GetCommit: lacking ? { commit: lacking } : {}, ListCommits: { commits: [lacking ?? bare] } }
    await assert.rejects(repo.getCommit(), { code: 'internal', reason: 'malformed_response' })
    await assert.rejects(repo.listCommits(), { code: 'internal', reason: 'malformed_response' })
  }
  server.answers = { GetCommit: { commit }, ListCommits: { commits: [commit] } }
  assert.equal((await repo.getCommit()).commit.author.name, 'A')
  assert.equal((await repo.listCommits()).commits.length, 1)
})

test('limits that a server leaves out are the defaults', async () => {
  server.answers = { GetCapabilities: { transports: [] } }
  assert.equal((await server.client('json').getCapabilities()).limits.maxInlineBytes, 1024 * 1024)
  server.answers = { GetCapabilities: { transports: [], limits: { maxInlineBytes: 5 } } }
  const { limits } = await server.client('json').getCapabilities()
  assert.deepEqual([limits.maxInlineBytes, limits.maxBatchOperations], [5, 1000])
})
