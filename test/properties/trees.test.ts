/** Trees: what is built of paths, and the edits of the server, against a plain map and against Git. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BranchQueues } from '../../server-fixture/service/branch-queue.ts'
import { ReadCaches } from '../../server-fixture/service/read-caches.ts'
import { editTree } from '../../server-fixture/service/tree-edit.ts'
import { Workspace } from '../../server-fixture/service/workspace.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { binaryPath } from '../../src/git/raw-path.ts'
import { parseTree } from '../../src/git/tree.ts'
import { buildTrees } from '../../src/git/tree-builder.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { GitRepository } from '../support/git.ts'
import { holds, holdsLater } from '../support/property.ts'
import { anyEditing, anyEntries, anyModel, edited, type Leaf, type Model } from './tree-model.ts'

const entriesOf = (model: Model) => [...model].map(([path, leaf]) => ({ path, ...leaf }))
const sorted = (model: Model) => [...model].sort(([one], [other]) => (one < other ? -1 : 1))

/** The files of a tree, read from its objects. */
function filesOf(trees: ReadonlyMap<string, Uint8Array>, oid: string, prefix = ''): [string, Leaf][] {
  const items = parseTree(trees.get(oid) ?? assert.fail(`no tree ${oid}`), 'sha1')
  return items.flatMap(({ name, mode, oid: found }) => {
    const path = prefix + Buffer.from(name).toString()
    return mode === '040000' ? filesOf(trees, found, `${path}/`) : [[path, { mode, oid: found }] as [string, Leaf]]
  })
}

/** The tree that Git makes of the files, through an index. */
function treeOfGit(git: GitRepository, model: Model): string {
  const lines = [...model].map(([path, { mode, oid }]) => `${mode} ${oid}\t${path}\0`)
  git.run(['read-tree', '--empty'])
  git.run(['update-index', '-z', '--index-info'], lines.join(''))
  return git.run(['write-tree', '--missing-ok']).trim()
}

const repository = { repository: 'demo', objectFormat: 'sha1', defaultBranch: 'main' } as const

function newWorkspace(): Workspace {
  const commits = new BranchQueues()
  const caller = { signal: new AbortController().signal, deadlineMs: undefined, requestId: '' }
  const parts = { store: new MemoryStore(), repository, limits: defaultLimits, commits, caches: new ReadCaches() }
  return new Workspace({ ...parts, caller }, false)
}

/** The edited tree as the server makes it, or the reason of its refusal. */
async function editedByServer({ model, edits }: Parameters<Parameters<typeof anyEditing.map>[0]>[0]) {
  const workspace = newWorkspace()
  const { oid, trees } = buildTrees(entriesOf(model), 'sha1')
  for (const content of trees.values()) workspace.stage('tree', content)
  try {
    const named = edits.map((edit) => ({ ...edit, path: binaryPath(edit) }))
    return await editTree(workspace, model.size > 0 ? oid : '', named)
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    return { refusal: error.reason || error.code }
  }
}

test('trees of any files have these files, and only these', () => {
  holds(
    anyModel,
    (model) => {
      const { oid, trees } = buildTrees(entriesOf(model), 'sha1')
      assert.deepEqual(
        filesOf(trees, oid).sort(([one], [other]) => (one < other ? -1 : 1)),
        sorted(model)
      )
    },
    { runs: 1000 }
  )
})

test('trees of any paths are built, or refused where a path is there twice, or is a file and a directory', () => {
  holds(
    anyEntries,
    (entries) => {
      const paths = entries.map(([path]) => path)
      const isSound = paths.every((path, index) =>
        paths.every((other, place) => index === place || (path !== other && !other.startsWith(`${path}/`)))
      )
      const build = () =>
        buildTrees(
          entries.map(([path, leaf]) => ({ path, ...leaf })),
          'sha1'
        )
      if (isSound) assert.equal(build().oid, buildTrees(entriesOf(new Map(entries)), 'sha1').oid)
      else assert.throws(build, { code: 'invalid_argument' })
    },
    { runs: 1000 }
  )
})

test('Git makes the same trees', (context: TestContext) => {
  const git = new GitRepository(context, 'sha1')
  holds(anyModel, (model) => assert.equal(buildTrees(entriesOf(model), 'sha1').oid, treeOfGit(git, model)), {
    runs: 40
  })
})

test('edits make the tree that a map of paths would be, or are refused with a reason that it has, too', async () => {
  let refused = 0
  await holdsLater(
    anyEditing,
    async ({ model, edits }) => {
      const found = await editedByServer({ model, edits })
      const expected = edited(model, edits)
      if (expected instanceof Set) {
        refused++
        const refusal = typeof found === 'string' ? 'no refusal' : found.refusal
        assert.ok(expected.has(refusal), `${refusal}, not ${[...expected].join(' or ')}`)
      } else assert.deepEqual(found, buildTrees(entriesOf(expected), 'sha1').oid)
    },
    { runs: 2000 }
  )
  assert.ok(refused > 0, `${refused} refused`)
})

test('Git makes the same tree by the same edits', async (context: TestContext) => {
  const git = new GitRepository(context, 'sha1')
  await holdsLater(
    anyEditing.filter(({ model, edits }) => !(edited(model, edits) instanceof Set)),
    async ({ model, edits }) => {
      treeOfGit(git, model)
      for (const { path, remove } of edits) {
        if (!remove) continue
        const below = [...model.keys()].filter((each) => each === path || each.startsWith(`${path}/`))
        git.run(['update-index', '-z', '--index-info'], below.map((each) => `0 ${'0'.repeat(40)}\t${each}\0`).join(''))
      }
      const puts = edits.flatMap(({ path, put }) => (put ? [`${put.mode} ${put.oid}\t${path}\0`] : []))
      git.run(['update-index', '-z', '--index-info'], puts.join(''))
      assert.equal(await editedByServer({ model, edits }), git.run(['write-tree', '--missing-ok']).trim())
    },
    { runs: 30 }
  )
})
