/** Names of refs and paths in trees: Git accepts what we accept, and but for our own limits the reverse. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { hashObject } from '../../src/git/oid.ts'
import { modeProblem, pathProblem } from '../../src/git/path.ts'
import { branchRef, refFormatProblem, refNameProblem, refPrefixProblem } from '../../src/git/ref-name.ts'
import { encodeTree } from '../../src/git/tree.ts'
import { GitRepository } from '../support/git.ts'
import { holds } from '../support/property.ts'

/** Pieces that Git's rules of refs name, among harmless ones. */
const refPieces = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'main', 'é', 'x-y', '/', '/') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '.',
      '..',
      '@',
      '@{',
      '{',
      '.lock',
      '.lock/',
      '-',
      '~',
      '^',
      ':',
      '?',
      '*',
      '[',
      '\\',
      ' '
    )
  },
  { weight: 1, arbitrary: fc.constantFrom('HEAD', '\x01', '\x1f', '\x7f', '\u0080', '\u00a0', '\ufeff', '//') },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }).filter((text) => !text.includes('\0'))
  }
)
const refEnds = fc.array(refPieces, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
const refStarts = fc.constantFrom('refs/heads/', 'refs/heads/', 'refs/tags/', 'refs/', 'refs/x/', '', 'heads/')

test('names of refs: as git check-ref-format has them', (context: TestContext) => {
  const git = new GitRepository(context, 'sha1')
  const counts = { accepted: 0, refused: 0 }
  holds(
    fc.tuple(refStarts, refEnds).map((parts) => parts.join('')),
    (name) => {
      const byGit = git.try(['check-ref-format', name]).ok
      const problem = refFormatProblem(name)
      if (problem === undefined) assert.ok(byGit, `Git refuses ${JSON.stringify(name)}`)
      counts[problem === undefined ? 'accepted' : 'refused']++
      if (byGit && name.startsWith('refs/')) assert.equal(problem, undefined, JSON.stringify(name))
      if (problem !== undefined) return
      const [, branch] = /^refs\/heads\/(.*)$/s.exec(name) ?? []
      const canBeMade = branch === undefined || git.try(['check-ref-format', '--branch', branch]).ok
      assert.equal(refNameProblem(name) === undefined, canBeMade, JSON.stringify(name))
      // What begins a name is no wrong prefix of a listing.
      const prefixes = Array.from(name, (_, index) => name.slice(0, index)).filter((prefix) => prefix.isWellFormed())
      for (const prefix of prefixes) assert.equal(refPrefixProblem(prefix), undefined, JSON.stringify(prefix))
    },
    { runs: 120 }
  )
  assert.ok(counts.accepted > 0 && counts.refused > 0, JSON.stringify(counts))
})

test('names of branches: as git check-ref-format --branch has them', (context: TestContext) => {
  const git = new GitRepository(context, 'sha1')
  const accepted = (name: string) => {
    try {
      return branchRef(name)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'invalid_argument')
      return undefined
    }
  }
  holds(
    refEnds.filter((name) => !/^(?:refs\/|heads\/)/.test(name)),
    (name) => {
      const { ok, text } = git.try(['check-ref-format', '--branch', name])
      assert.equal(accepted(name), ok && text === `${name}\n` ? `refs/heads/${name}` : undefined, JSON.stringify(name))
    },
    { runs: 120 }
  )
})

/** Pieces of the names that Git, NTFS or HFS+ treat in a way of their own, among harmless ones. */
const pathPieces = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'dir', 'é', 'x.txt', '/', '/') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('.git', '.GIT', 'git~1', '.', '..', ' ', ':', '\\', '\u200c', '\ufeff', '\uffff')
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('.gitmodules', 'GITMOD~1', '.gitattributes', 'gi7eba~1', '//', '~1', '\n', '"')
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }).filter((text) => !text.includes('\0'))
  }
)
const anyPath = fc.array(pathPieces, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
const modes = fc.constantFrom('100644', '100755', '120000')
const anyPlaces = fc.uniqueArray(fc.tuple(anyPath, modes), { maxLength: 150, size: 'max', selector: ([path]) => path })
type Place = readonly [path: string, mode: string]

/** All trees on the way to a file, without our checks, by their oids; undefined where no tree can hold the path. */
function uncheckedTrees([path, mode]: Place, blob: string, index: number): Map<string, Uint8Array> | undefined {
  const trees = new Map<string, Uint8Array>()
  let item = { mode, oid: blob }
  for (const segment of path.split('/').reverse()) {
    if (segment === '') return undefined
    // Git tells of a fault by the tree's oid: no two paths have a tree in common.
    const other = { name: Buffer.from(`file ${index}`), mode: '100644', oid: blob }
    const tree = encodeTree([{ name: Buffer.from(segment), ...item }, other], 'sha1')
    item = { mode: '040000', oid: hashObject('tree', tree, 'sha1') }
    trees.set(item.oid, tree)
  }
  return trees
}

/** Which of the trees `git fsck --strict` finds a fault in. */
function faultyTrees(context: TestContext, trees: Uint8Array[]): { git: GitRepository; faulty: Set<string> } {
  const git = new GitRepository(context, 'sha1')
  git.store('blob', new Uint8Array())
  if (trees.length > 0) git.storeAll('tree', trees)
  const { text } = git.try(['fsck', '--strict', '--no-dangling'])
  return { git, faulty: new Set(Array.from(text.matchAll(/^error in tree (\w+)/gm), ([, oid = '']) => oid)) }
}

test('paths in trees: as git fsck and the index of git have them', (context: TestContext) => {
  const counts = { accepted: 0, refused: 0 }
  holds(
    anyPlaces,
    (places) => {
      const blob = hashObject('blob', new Uint8Array(), 'sha1')
      const chains = places.flatMap((place, index) => {
        const trees = uncheckedTrees(place, blob, index)
        const problem = pathProblem(place[0]) ?? modeProblem(...place)
        if (trees === undefined) assert.ok(problem, JSON.stringify(place))
        return trees ? [{ place, trees, problem }] : []
      })
      const { git, faulty } = faultyTrees(
        context,
        chains.flatMap(({ trees }) => [...trees.values()])
      )
      for (const { place, trees, problem } of chains) {
        const isFaulty = [...trees.keys()].some((oid) => faulty.has(oid))
        assert.equal(problem !== undefined, isFaulty, `${JSON.stringify(place)}: ${problem}`)
        counts[isFaulty ? 'refused' : 'accepted']++
      }
      const sound = chains.filter(({ problem }) => problem === undefined)
      // Each in a directory of its own, as one can be the directory of another.
      const lines = sound.map(({ place: [path, mode] }, index) => `${mode} ${blob}\t${index}/${path}\0`)
      const everywhere = ['-c', 'core.protectNTFS=true', '-c', 'core.protectHFS=true']
      git.run([...everywhere, 'update-index', '-z', '--index-info'], lines.join(''))
      assert.equal(git.run(['ls-files', '-z']).split('\0').length - 1, sound.length)
    },
    { runs: 8 }
  )
  assert.ok(counts.accepted > 0 && counts.refused > 0, JSON.stringify(counts))
})
