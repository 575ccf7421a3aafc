/** Names that are not UTF-8 are addressed by their bytes, in every call that takes a path, on every transport. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlobwireError, Path, Repository } from '../../src/index.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { bytesOf, fieldsOf, judged } from './judge.ts'

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
/** Latin-1, Shift-JIS, and bytes of no encoding. */
const odd = ['caf\xe9.txt', '\x83e\x83X\x83g/\xff\xfe', 'dir/e\xcc'].map(latin1)
const [cafe, nested, deep] = odd as [Uint8Array, Uint8Array, Uint8Array]
const author = { name: 'A', email: 'a@example.org', timeSeconds: 1_700_000_000 }
const text = (content: Uint8Array) => Buffer.from(content).toString()

/** A commit whose files have these paths; each holds its path. */
async function begin(repo: Repository, paths: readonly Path[]): Promise<string> {
  const changes = new Map(
    paths.map((path) => [path, typeof path === 'string' ? path : Buffer.from(path).toString('latin1')])
  )
  return (await repo.commitFiles({ branch: 'main', changes, message: 'first\n', author })).oid
}

async function pathsOf(repo: Repository, revision: string): Promise<string[]> {
  const { entries } = await repo.getTree({ revision, recursive: true })
  return entries.filter(({ mode }) => mode !== '040000').map(bytesOf)
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Every call with a path, by its bytes. Returns the commits, the newest first. */
async function everyCall(repo: Repository): Promise<string[]> {
  const first = await begin(repo, [...odd, 'é.txt'])
  const at = { revision: 'main' }
  assert.equal(text((await repo.getBlob({ ...at, path: cafe })).content), 'caf\xe9.txt')
  assert.equal((await repo.getObject({ ...at, path: nested })).kind, 'blob')
  // The call has read its path when it is made.
  const own = cafe.slice()
  const reading = repo.getBlob({ ...at, path: own })
  own.fill(0x61)
  assert.equal(text((await reading).content), 'caf\xe9.txt')
  // UTF-8 is the same by text and by bytes.
  assert.equal(
    (await repo.getBlob({ ...at, path: new TextEncoder().encode('é.txt') })).oid,
    (await repo.getBlob({ ...at, path: 'é.txt' })).oid
  )
  const below = await repo.getTree({ ...at, path: latin1('\x83e\x83X\x83g') })
  assert.deepEqual(below.entries.map(bytesOf), ['\xff\xfe'])

  const { oid } = await repo.getBlob({ ...at, path: deep })
  const second = await repo.commitFiles({
    branch: 'main',
    changes: new Map<Path, null | { moveFrom: Path; expectedOid: string }>([
      [cafe, null],
      [latin1('moved\xe9'), { moveFrom: deep, expectedOid: oid }]
    ]),
    guards: new Map([[nested, (await repo.getBlob({ ...at, path: nested })).oid]]),
    message: 'second\n',
    author
  })
  assert.deepEqual(await pathsOf(repo, 'main'), ['moved\xe9', '\x83e\x83X\x83g/\xff\xfe', 'Ã©.txt'].sort(compare))
  const changes = await all(repo.changes({ base: first, head: second.oid }))
  assert.deepEqual(
    changes.map((change) => `${change.status} ${bytesOf(change)}`),
    ['deleted caf\xe9.txt', 'deleted dir/e\xcc', 'added moved\xe9']
  )
  assert.deepEqual(
    (await all(repo.commits({ path: cafe }))).map((commit) => commit.oid),
    [second.oid, first]
  )
  assert.deepEqual(
    (await all(repo.commits({ path: nested }))).map((commit) => commit.oid),
    [first]
  )
  assert.deepEqual((await all(repo.commits({ path: cafe, pageSize: 1 }))).length, 2)

  // What a listing or a comparison tells can be given back.
  const { entries } = await repo.getTree({ revision: first })
  const whole = await repo.getTree({ revision: first })
  assert.equal((await repo.storeTree(entries)).oid, whole.oid)
  const edits = changes.map(({ path, rawPath, newMode, newOid }) => ({ path, rawPath, mode: newMode, oid: newOid }))
  assert.equal((await repo.storeTree(edits, { baseTree: whole.oid })).oid, second.tree)
  return [second.oid, first]
}

const compare = (left: string, right: string) => (left < right ? -1 : 1)

async function refusals(repo: Repository): Promise<void> {
  const missing = latin1('no\xe9\n')
  const at = { revision: 'main', path: missing }
  const shown = /"no\\xe9\\n"/
  await assert.rejects(repo.getBlob(at), { code: 'not_found', message: shown })
  await assert.rejects(repo.getTree(at), { code: 'not_found', message: shown })
  const commit = { branch: 'main', message: 'm\n', author }
  await assert.rejects(repo.commitFiles({ ...commit, changes: new Map([[missing, null]]) }), {
    reason: 'path_not_found',
    message: shown
  })
  await assert.rejects(repo.commitFiles({ ...commit, changes: { a: { moveFrom: missing } } }), {
    reason: 'path_not_found',
    message: shown
  })
  const guards = new Map([[missing, '1'.repeat(40)]])
  await assert.rejects(repo.commitFiles({ ...commit, changes: {}, guards }), (error: BlobwireError) => {
    assert.match(error.message, shown)
    assert.deepEqual(
      error.details.pathMismatches?.map(({ path, rawPath }) => [path, rawPath]),
      [['no\ufffd\n', missing]]
    )
    return true
  })
  // Not every beginning of a long path may be a name.
  await assert.rejects(repo.getBlob({ revision: 'main', path: `${'a/'.repeat(400_000)}a` }), { code: 'not_found' })
  const twice = new Map([
    [missing, 'a'],
    [missing.slice(), 'b']
  ])
  await assert.rejects(repo.commitFiles({ ...commit, changes: twice }), { code: 'invalid_argument', message: shown })
  // HFS+ reads a name up to the bytes that are not UTF-8.
  for (const path of ['.git\xff', 'a/.GIT\xe9/b', '.git\xff/b', 'a\0\xff', '../\xff', '\xff//a'].map(latin1)) {
    const changes = new Map([[path, 'a']])
    await assert.rejects(repo.commitFiles({ ...commit, changes }), { code: 'invalid_argument', sent: 'never' })
    const { oid } = await repo.storeBlob('a')
    const entry = { path, mode: '100644', oid } as const
    await assert.rejects(repo.storeTree([entry]), { code: 'invalid_argument' })
  }
}

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`names that are not UTF-8, ${transport}`, async (context) => {
    const fixture: TestServer = atEnd(context, await testServer())
    const client = fixture.client({ transport })
    await client.createRepository('demo')
    const repo = client.repository('demo')
    await everyCall(repo)
    await refusals(repo)
  })
}

test('names that are not UTF-8, as Git has them', async (context) => {
  const { repositories, git } = await judged(context, { objects: [] })
  const repo = repositories.get('git')
  assert.ok(repo)
  const [head = '', first = ''] = await everyCall(repo)
  assert.deepEqual(await pathsOf(repo, first), fieldsOf(git(['ls-tree', '-r', '-z', '--name-only', first])))
  assert.deepEqual(await pathsOf(repo, head), fieldsOf(git(['ls-tree', '-r', '-z', '--name-only', head])))
  assert.equal(git(['fsck', '--strict', '--full']).toString(), '')
})

test('a refusal that names a path by its bytes is remembered under its key', { timeout: 20_000 }, async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    const repo = fixture.client({ transport }).repository(transport)
    await repo.createRepository()
    const changes = new Map([[cafe, { content: 'x', expectedOid: '1'.repeat(40) }]])
    const commit = () => repo.commitFiles({ branch: 'main', changes, message: 'm\n', author }, { requestKey: 'key' })
    const refusal = await commit().catch((error: BlobwireError) => error.details)
    assert.deepEqual(await commit().catch((error: BlobwireError) => error.details), refusal)
    assert.deepEqual((refusal as BlobwireError['details']).pathMismatches?.[0]?.rawPath, cafe)
  }
})
