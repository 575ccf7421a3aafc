/** Paths: we refuse every path that `git fsck --strict` refuses. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { modeProblem, pathProblem } from '../../src/git/path.ts'
import { encodeTree } from '../../src/git/tree.ts'
import { buildTrees } from '../../src/git/tree-builder.ts'
import { GitRepository } from '../support/git.ts'
import { randomNumbers } from '../support/random.ts'

const suspicious = [
  '.',
  '..',
  '.git',
  '.GIT',
  '.Git',
  '.git ',
  '.git.',
  '.git . .',
  '.git::$INDEX_ALLOCATION',
  '.git:x',
  'git~1',
  'GIT~1',
  'git~1.',
  '.g\u200cit',
  '.\u200dgit',
  '.git\ufeff',
  '.gi\u206ft',
  'x\\.git',
  '.git\\x',
  'a\\git~1',
  '.\u202egit'
]
const harmless = [
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
  'git',
  '.gitx',
  'git~2',
  '...',
  '.g it',
  'x.git',
  ' .git',
  'a\\b',
  'con',
  'nul',
  'a:b',
  'a ',
  'a.',
  '"',
  '*',
  '?',
  '\x01',
  '\n',
  '\u200c',
  'é',
  '__proto__'
]

/** The complaint of git fsck --strict about each name, alone in a tree with this mode. */
function refusedByGit(context: TestContext, names: readonly string[], mode: string): Map<string, string> {
  const git = new GitRepository(context, 'sha1')
  const file = { name: Buffer.from('file'), mode: '100644', oid: git.store('blob', Buffer.from('x')) }
  // Git complains of a directory in the place of a file by the name of the directory's tree: each has its own.
  const contentOf = (index: number) => encodeTree([{ ...file, name: Buffer.from(`file ${index}`) }], 'sha1')
  const inner =
    mode === '040000'
      ? git.storeAll(
          'tree',
          names.map((_, index) => contentOf(index))
        )
      : []
  const trees = names.map((name, index) =>
    encodeTree([{ name: Buffer.from(name), mode, oid: inner[index] ?? file.oid }], 'sha1')
  )
  const oids = [...git.storeAll('tree', trees), ...inner]
  const nameOf = new Map(oids.map((oid, index) => [oid, names[index % names.length] as string]))
  const refused = new Map<string, string>()
  for (const line of git.try(['fsck', '--strict', '--no-dangling']).text.split('\n')) {
    const [, oid = '', words = ''] = /^error in tree (\w+): (.*)/.exec(line) ?? []
    if (oid) refused.set(nameOf.get(oid) ?? assert.fail(line), words)
  }
  return refused
}

test('git fsck --strict refuses nothing that we accept, and harmless names pass', (context) => {
  const refused = refusedByGit(context, [...suspicious, ...harmless], '100644')
  assert.ok(refused.size > 10, 'git is asked at all')
  for (const [name, words] of refused) assert.ok(pathProblem(name), `git refuses ${JSON.stringify(name)}: ${words}`)
  for (const name of harmless) assert.equal(pathProblem(name), undefined, JSON.stringify(name))
  for (const name of suspicious) assert.ok(pathProblem(name), JSON.stringify(name))
})

test('.gitmodules cannot be a symbolic link, in any spelling that git knows', (context) => {
  const names = [
    '.gitmodules',
    '.GITMODULES',
    'gitmod~1',
    '.gitmodules ',
    '.git\u200cmodules',
    'gi7eba~1',
    '.gitmodulesx',
    'a'
  ]
  const refused = refusedByGit(context, names, '120000')
  assert.ok(refused.size >= 5)
  for (const name of names) {
    assert.equal(modeProblem(`dir/${name}`, '120000') !== undefined, refused.has(name), JSON.stringify(name))
  }
})

/** Pieces that Git, NTFS or HFS+ treat in a way of their own. */
const pieces = [
  ...['.git', 'git~1', '.gitmodules', 'gitmod~1', 'gitmod~4', 'gitmod~5', 'gi7eba~1', 'gi7eb~12', 'gi~12345'],
  ...['gi~01234', 'g~123456', '~1234567', '~0234567', '.gitattributes', 'gitatt~1', '.gitignore', '.mailmap'],
  ...['\\', ':', '.', ' ', '::$DATA', '~1', '|', 'x', '\x01', '\t', '\n', 'é', 'İ', 'K', 'ſ'],
  ...['\u200c', '\u202e', '\u2069', '\u206a', '\ufdd0', '\ufeff', '\ufffe', '\uffff', '\u{1fffe}', '\u{10ffff}']
]

/** Names of up to four pieces, some in another case, some with a piece inside. */
function madeUpNames(seed: number, count: number): string[] {
  const random = randomNumbers(seed)
  const pick = () => pieces[random(pieces.length)] as string
  const names = new Set<string>()
  while (names.size < count) {
    const parts = Array.from({ length: 1 + random(4) }, () => {
      const piece = random(3) > 0 ? pick() : [...pick()].map((c) => (random(2) ? c.toUpperCase() : c)).join('')
      const at = random(piece.length + 1)
      return random(6) > 0 ? piece : piece.slice(0, at) + pick() + piece.slice(at)
    })
    const name = parts.join('')
    if (name.isWellFormed()) names.add(name)
  }
  return [...names]
}

for (const mode of ['100644', '120000', '040000']) {
  test(`1,000 made-up names with mode ${mode}: git fsck --strict and we refuse the same`, (context) => {
    const names = madeUpNames(20, 1000)
    const refused = refusedByGit(context, names, mode)
    assert.ok(refused.size > 8, `git refuses ${refused.size}`)
    for (const name of names) {
      const ours = pathProblem(name) ?? modeProblem(name, mode)
      assert.equal(ours !== undefined, refused.has(name), `${JSON.stringify(name)}: ${refused.get(name)} / ${ours}`)
    }
  })
}

test('a submodule cannot stand where git reads a blob', (context) => {
  for (const name of ['.gitmodules', 'GITMOD~2', '.gitattributes', '.git\u200cattributes']) {
    const git = new GitRepository(context, 'sha1')
    const tree = encodeTree([{ name: Buffer.from(name), mode: '160000', oid: 'a'.repeat(40) }], 'sha1')
    git.store('tree', tree)
    assert.match(git.try(['fsck', '--strict']).text, /error in blob/)
    assert.ok(modeProblem(name, '160000'), name)
  }
})

test('paths that are none', () => {
  for (const path of [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    'a/../b',
    './a',
    'a\0b',
    '\ud800',
    'a/.git/config',
    'x'.repeat(4097)
  ]) {
    assert.ok(pathProblem(path), JSON.stringify(path))
  }
  const oid = 'a'.repeat(40)
  for (const paths of [
    ['a', 'a/b'],
    ['a/b', 'a'],
    ['a', 'a']
  ]) {
    const entries = paths.map((path) => ({ path, mode: '100644', oid }))
    assert.throws(() => buildTrees(entries, 'sha1'), { code: 'invalid_argument' })
  }
  for (const wrong of [{ mode: '100600' }, { oid: 'a' }, { oid: 'a'.repeat(64) }, { path: '..' }]) {
    const entry = { path: 'p', mode: '100644', oid, ...wrong }
    assert.throws(() => buildTrees([entry], 'sha1'), { code: 'invalid_argument' })
  }
})
