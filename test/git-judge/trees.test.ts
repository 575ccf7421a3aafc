/** Odd trees, as Git lists and compares them; and edits, which leave alone whatever they do not name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashObject, isOid } from '../../src/git/oid.ts'
import { inGitsOrder, parseTree } from '../../src/git/tree.ts'
import type { PathChange, TreeEntry } from '../../src/index.ts'
import { bytesOf, fieldsOf, type Judged, judged } from './judge.ts'
import { entry, oddTrees } from './odd-trees.ts'

const { objects, trees } = oddTrees(12, 120, 'sha1')
/** All of them in one, so that one process lists them. */
const all = Buffer.concat(trees.map((oid, index) => entry('40000', Buffer.from(String(index + 1000)), oid)))
const root = hashObject('tree', all, 'sha1')
const contents = new Map(objects.map(({ oid, content }) => [oid, content]))
const itemsOf = (tree: string) => parseTree(contents.get(tree) ?? assert.fail(), 'sha1')

const kindOf = (mode: string) => (mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob')
const lineOf = (item: TreeEntry) => `${item.mode} ${kindOf(item.mode)} ${item.oid}\t${bytesOf(item)}`

const letters = { added: 'A', deleted: 'D', modified: 'M', type_changed: 'T' }
const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const submodule = 'ab'.repeat(20)
const zeros = '0'.repeat(40)
const changeOf = (change: PathChange) =>
  `:${change.oldMode || '000000'} ${change.newMode || '000000'} ${change.oldOid || zeros} ${change.newOid || zeros} ` +
  `${letters[change.status]}\0${bytesOf(change)}\0`

/** Trees that Git walks as we do: each name once, and in order. */
function isInOrder(tree: string): boolean {
  const items = itemsOf(tree)
  const names = new Set(items.map(({ name }) => Buffer.from(name).toString('latin1')))
  const isSorted = inGitsOrder(items).every((item, index) => item === items[index])
  return isSorted && names.size === items.length && items.every(({ mode, oid }) => mode !== '040000' || isInOrder(oid))
}

/** Paths of the listing, each in its own tree, as far as Git's own look-up finds them: it stops where the order is not its own. */
function pathsGitFinds(git: Judged['git'], listed: readonly string[]) {
  const asked = new Map<string, { tree: string; path: string }>()
  for (const line of listed) {
    const [, index = '', path = ''] = /\t(\d+)\/(.+)$/s.exec(line) ?? []
    const isPath = path !== '' && !/\n|\/$|\/\/|^\.\.?(?:\/|$)/.test(path)
    const tree = trees[Number(index) - 1000] ?? ''
    if (isPath) asked.set(`${tree}:${path}`, { tree, path })
  }
  const input = latin1([...asked.keys()].map((name) => `${name}\n`).join(''))
  const answers = git(['cat-file', '--batch-check=%(objectname)'], input).toString('latin1').trim().split('\n')
  return [...asked.values()].flatMap(({ tree, path }, index) => {
    const oid = answers[index] ?? ''
    // Of a submodule, Git tells that the object is not here.
    return oid.endsWith(`${submodule} missing`)
      ? [{ tree, path, oid: submodule }]
      : isOid(oid)
        ? [{ tree, path, oid }]
        : []
  })
}

test('odd trees', async (context) => {
  const given = [...objects, { oid: root, kind: 'tree', content: all } as const]
  const { repositories, git } = await judged(context, { objects: given })
  const listed = fieldsOf(git(['ls-tree', '-z', '-r', '-t', root]))
  assert.ok(listed.length > 1000)
  const ordered = trees.filter(isInOrder)
  const pairs = ordered.flatMap((tree, index) => [[tree, ordered[index - 1] ?? tree] as const])
  const differences = git(
    ['diff-tree', '--stdin', '-r', '-z', '--no-renames'],
    pairs.map((pair) => `${pair.join(' ')}\n`).join('')
  )
  const lookups = pathsGitFinds(git, listed)
  assert.ok(lookups.length > 500)
  for (const [store, repo] of repositories) {
    await context.test(`are listed as Git lists them, ${store} store`, async () => {
      const { entries } = await repo.getTree({ revision: root, recursive: true })
      assert.deepEqual(entries.map(lineOf), listed)
      // The client holds each against its oid.
      const alone = await Promise.all(trees.map((revision) => repo.getTree({ revision })))
      assert.deepEqual(
        alone.map((tree) => tree.entries.length),
        trees.map((tree) => itemsOf(tree).length)
      )
    })

    await context.test(`have at each path the object that Git finds there, ${store} store`, async () => {
      const operations = lookups.map(({ tree, path }) => ({ getObject: { revision: tree, path: latin1(path) } }))
      const results = await repo.batch(operations)
      const found = results.map((result) => (result.ok ? result.value.oid : result.error.reason))
      // A commit of a submodule is in another repository.
      assert.deepEqual(
        found.map((oid) => (oid === 'wrong_kind' ? submodule : oid)),
        lookups.map(({ oid }) => oid)
      )
    })

    await context.test(`are compared as Git compares them, ${store} store`, async () => {
      let found = ''
      for (const [base, head] of pairs) {
        found += `${base} ${head}\n`
        for await (const change of repo.changes({ base, head })) found += changeOf(change)
      }
      assert.deepEqual(found.split('\0'), differences.toString('latin1').split('\0'))
    })
  }
})
