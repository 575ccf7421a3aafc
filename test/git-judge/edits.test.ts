/** An edit of an odd tree changes what it names, and nothing else. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { encodeCommit } from '../../src/git/commit.ts'
import { hashObject } from '../../src/git/oid.ts'
import { parseTree, type TreeItem } from '../../src/git/tree.ts'
import { openRepository } from './judge.ts'
import { entry, oddTrees, sortKey } from './odd-trees.ts'

const { objects, trees } = oddTrees(31, 200, 'sha1')
const contents = new Map(objects.map(({ oid, content }) => [oid, content]))
const blob = hashObject('blob', Buffer.from('one\n'), 'sha1')
const someone = { name: 'A', email: 'a@example.org', timeSeconds: 1, zone: '+0000' }

function pieceOf({ name, mode, rawMode, oid }: TreeItem): Buffer {
  return entry(rawMode ?? (mode === '040000' ? '40000' : mode), name, oid)
}

/** The bytes that the entries have in one tree: each name once, as Git looks it up, in Git's order. */
function rewritten(items: readonly TreeItem[]): Buffer {
  const key = ({ name }: TreeItem) => Buffer.from(name).toString('latin1')
  const firsts = items.filter((item, index) => items.findIndex((other) => key(other) === key(item)) === index)
  const byOrder = (item: TreeItem) => sortKey({ name: Buffer.from(item.name), isTree: item.mode === '040000' })
  firsts.sort((left, right) => Buffer.compare(byOrder(left), byOrder(right)))
  return Buffer.concat(firsts.map(pieceOf))
}

test('entries that an edit does not name keep their bytes, and a tree in which nothing changes is the same', async (context) => {
  const repo = await openRepository(context, new MemoryStore(), { objects })
  const added = { path: 'm-added', mode: '100755', oid: blob } as const
  for (const baseTree of trees) {
    const items = parseTree(contents.get(baseTree) ?? assert.fail(), 'sha1')
    const { oid } = await repo.storeTree([added], { baseTree })
    const expected = rewritten([...items, { name: Buffer.from(added.path), mode: added.mode, oid: blob }])
    assert.equal(oid, hashObject('tree', expected, 'sha1'))
    // Below a directory, which is changed itself; the directories beside it are the same.
    const below = await repo.storeTree([{ ...added, path: 'm-added/below' }], { baseTree })
    const inside = hashObject('tree', entry('100755', Buffer.from('below'), blob), 'sha1')
    const around = rewritten([...items, { name: Buffer.from(added.path), mode: '040000', oid: inside }])
    assert.equal(below.oid, hashObject('tree', around, 'sha1'))
    const again = items.find(
      ({ name, mode, rawMode }) =>
        rawMode === undefined && mode === '100755' && /^[ab]$/.test(Buffer.from(name).toString())
    )
    if (again === undefined || items.some((item) => item !== again && Buffer.compare(item.name, again.name) === 0))
      continue
    const same = { path: Buffer.from(again.name).toString(), mode: '100755', oid: again.oid } as const
    assert.equal((await repo.storeTree([same], { baseTree })).oid, baseTree)
  }
})

/** A repository whose branch has one commit of this tree, and the trees in it. */
async function withTree(context: TestContext, tree: Uint8Array, ...inside: readonly Uint8Array[]) {
  const trees = [tree, ...inside].map((content) => {
    return { oid: hashObject('tree', content, 'sha1'), kind: 'tree', content } as const
  })
  const oid = hashObject('tree', tree, 'sha1')
  const content = encodeCommit({ tree: oid, parents: [], author: someone, committer: someone, message: '' })
  const head = hashObject('commit', content, 'sha1')
  return openRepository(context, new MemoryStore(), {
    objects: [...objects, ...trees, { oid: head, kind: 'commit', content }],
    refs: { 'refs/heads/main': head }
  })
}

test('what is moved gets the mode that Git reads', async (context) => {
  const inside = entry('100664', Buffer.from('odd'), blob)
  const insideOid = hashObject('tree', inside, 'sha1')
  const tree = Buffer.concat([
    entry('100664', Buffer.from('a'), blob),
    entry('100775', Buffer.from('b'), blob),
    entry('040000', Buffer.from('c'), insideOid),
    entry('100600', Buffer.from('d'), blob),
    entry('40755', Buffer.from('e'), insideOid)
  ])
  const repo = await withTree(context, tree, inside)
  const changes = { f: { moveFrom: 'a' }, g: { moveFrom: 'b' }, h: { moveFrom: 'c' } }
  const made = await repo.commitFiles({ branch: 'main', changes, message: 'm\n', author: someone })
  const expected = [
    entry('100600', Buffer.from('d'), blob),
    entry('40755', Buffer.from('e'), insideOid),
    entry('100644', Buffer.from('f'), blob),
    entry('100755', Buffer.from('g'), blob),
    entry('40000', Buffer.from('h'), insideOid)
  ]
  assert.equal(made.tree, hashObject('tree', Buffer.concat(expected), 'sha1'))
  const { entries } = await repo.getTree()
  assert.deepEqual(
    entries.map(({ path, mode, rawMode }) => `${path} ${mode} ${rawMode}`),
    ['d 100644 100600', 'e 040000 40755', 'f 100644 ', 'g 100755 ', 'h 040000 ']
  )
  // A listing can be given back; its tree is one that Git writes.
  const copy = await repo.storeTree(entries)
  const clean = await repo.getTree({ revision: copy.oid })
  assert.ok(clean.entries.every(({ rawMode }) => rawMode === ''))
})

test('paths that no new tree may have can be read, guarded, moved away and removed', async (context) => {
  const tree = Buffer.concat([
    entry('100644', Buffer.from('.GIT'), blob),
    entry('100644', Buffer.from('.git'), blob),
    entry('120000', Buffer.from('.gitmodules'), blob),
    entry('100644', Buffer.from('kept'), blob)
  ])
  const repo = await withTree(context, tree)
  assert.equal((await repo.getBlob({ revision: 'main', path: '.git' })).oid, blob)
  const made = { branch: 'main', message: 'm\n', author: someone }
  const changes = { '.GIT': null, link: { moveFrom: '.gitmodules', expectedOid: blob } } as const
  await repo.commitFiles({ ...made, changes, guards: { '.git': blob } })
  await repo.storeTree([{ path: '.git', mode: '', oid: '' }], { baseTree: hashObject('tree', tree, 'sha1') })
  const { entries } = await repo.getTree()
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['.git', 'kept', 'link']
  )
  for (const refused of [{ '.git': 'x' }, { '.git': { moveFrom: 'kept' } }])
    await assert.rejects(repo.commitFiles({ ...made, changes: refused }), { code: 'invalid_argument', sent: 'never' })
  await assert.rejects(repo.commitFiles({ ...made, changes: { '.git/': null } }), {
    code: 'invalid_argument',
    sent: 'never'
  })
})
