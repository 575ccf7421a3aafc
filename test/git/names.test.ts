/** Names of paths and refs: whatever git refuses, we refuse. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { hashObject } from '../../src/git/oid.ts'
import { pathProblem, symlinkProblem } from '../../src/git/path.ts'
import { branchRef, refNameProblem } from '../../src/git/ref-name.ts'
import { repositoryNameProblem } from '../../src/git/repository-name.ts'
import { formatSignature } from '../../src/git/signature.ts'
import { encodeTree } from '../../src/git/tree.ts'
import { buildTrees } from '../../src/git/tree-builder.ts'
import { GitRepository } from '../support/git.ts'

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

/** Which of the names, each alone in a tree with this mode, git fsck --strict complains of, and with what words. */
function refusedByGit(context: TestContext, names: readonly string[], mode: string): Map<string, string> {
  const git = new GitRepository(context, 'sha1')
  const blob = git.store('blob', Buffer.from('x'))
  const nameOf = new Map(
    names.map((name) => [git.store('tree', encodeTree([{ name: Buffer.from(name), mode, oid: blob }])), name])
  )
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
    assert.equal(symlinkProblem(`dir/${name}`) !== undefined, refused.has(name), JSON.stringify(name))
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

function accepts(name: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', name], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('ref names, against git check-ref-format', () => {
  const parts = [
    'a',
    'B',
    '.',
    '..',
    '@',
    '{',
    '@{',
    '~',
    '^',
    ':',
    '?',
    '*',
    '[',
    '\\',
    ' ',
    '/',
    '//',
    '.lock',
    '-',
    'é',
    '\x7f',
    '\x01',
    'HEAD'
  ]
  let state = 99
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const names = [
    'refs/heads/main',
    'refs/heads/a/b',
    'refs/heads/',
    'refs/heads/@',
    'refs/heads/a.lock',
    'refs/heads/a.lockx',
    'refs/heads/.a',
    'refs/heads/a.'
  ]
  for (let round = 0; round < 250; round++) {
    names.push(`refs/heads/${Array.from({ length: 1 + random(4) }, () => parts[random(parts.length)]).join('')}`)
  }
  let refused = 0
  for (const name of new Set(names)) {
    assert.equal(refNameProblem(name) === undefined, accepts(name), JSON.stringify(name))
    refused += refNameProblem(name) ? 1 : 0
  }
  assert.ok(refused > 50 && refused < names.length - 20)
  // Ours to refuse, though git would take them: they are no full names of refs that are shared, or too long for a file.
  for (const name of ['main', 'HEAD', 'refs/main', 'refs//x', `refs/heads/${'x'.repeat(241)}`, 'refs/heads/\ud800']) {
    assert.ok(refNameProblem(name), name)
  }
  assert.equal(branchRef('main'), 'refs/heads/main')
  assert.equal(branchRef('refs/heads/a/b'), 'refs/heads/a/b')
  for (const branch of ['', '-x', 'HEAD', 'a..b', 'a '])
    assert.throws(() => branchRef(branch), { code: 'invalid_argument' })
})

test('signatures that git fsck --strict refuses are refused, naming the field', (context) => {
  const git = new GitRepository(context, 'sha1')
  const tree = git.store('tree', Buffer.alloc(0))
  const good = { name: 'A', email: 'a@b', timeSeconds: 1, zone: '+0000' }
  const bad: [object, string][] = [
    [{ name: '' }, 'author.name'],
    [{ name: ' A' }, 'author.name'],
    [{ name: 'A<' }, 'author.name'],
    [{ name: 'A\n' }, 'author.name'],
    [{ name: '\ud800' }, 'author.name'],
    [{ email: 'a>b' }, 'author.email'],
    [{ email: 'a\0' }, 'author.email'],
    [{ timeSeconds: -1 }, 'author.timeSeconds'],
    [{ timeSeconds: 1.5 }, 'author.timeSeconds'],
    [{ timeSeconds: 2 ** 53 }, 'author.timeSeconds'],
    [{ zone: 'CET' }, 'author.zone'],
    [{ zone: '+100' }, 'author.zone']
  ]
  for (const [wrong, field] of bad) {
    assert.throws(
      () => formatSignature({ ...good, ...wrong }, 'author'),
      (error: { details: { violations?: { field: string }[] } }) => {
        assert.equal(error.details.violations?.[0]?.field, field)
        return true
      }
    )
  }
  for (const right of [{}, { email: '' }, { zone: '-0000' }, { name: 'a.b, "c"' }, { timeSeconds: 2 ** 40 }]) {
    const line = formatSignature({ ...good, ...right }, 'author')
    const content = Buffer.from(`tree ${tree}\nauthor ${line}\ncommitter ${line}\n\nx\n`)
    assert.equal(git.store('commit', content), hashObject('commit', content, 'sha1'))
  }
  const strict = git.try(['fsck', '--strict', '--no-dangling'])
  assert.ok(strict.ok, strict.text)
})

test('names of repositories', () => {
  for (const name of ['a', 'A.b-c_d', 'team/site', 'a/b/c', '.x', 'constructor', 'x'.repeat(200)]) {
    assert.equal(repositoryNameProblem(name), undefined, name)
  }
  for (const name of [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    'a/..',
    '../a',
    '__proto__',
    'a b',
    'a\0',
    'é',
    'ａ',
    '%2e',
    'a.git',
    'a.git/b',
    'a.lock',
    '-a',
    'x'.repeat(201)
  ]) {
    assert.ok(repositoryNameProblem(name), name)
  }
})
