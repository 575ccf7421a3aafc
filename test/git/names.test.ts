/** Names of refs, people and repositories: we refuse every name that git refuses. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { hashObject } from '../../src/git/oid.ts'
import { branchRef, refFormatProblem, refNameProblem, refPrefixProblem } from '../../src/git/ref-name.ts'
import { repositoryNameProblem } from '../../src/git/repository-name.ts'
import { formatSignature } from '../../src/git/signature.ts'
import { GitRepository } from '../support/git.ts'

function accepts(...args: string[]): boolean {
  try {
    execFileSync('git', ['check-ref-format', ...args], { stdio: 'ignore' })
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
    'refs/heads/-',
    'refs/heads/-x',
    'refs/heads/a/-x',
    'refs/heads/HEAD',
    'refs/heads/HEAD/x',
    'refs/heads/main',
    'refs/heads/a/b',
    'refs/heads/',
    'refs/heads/@',
    'refs/heads/a.lock',
    'refs/heads/a.lockx',
    'refs/heads/.a',
    'refs/heads/a.'
  ]
  for (let round = 0; round < 150; round++) {
    names.push(`refs/heads/${Array.from({ length: 1 + random(4) }, () => parts[random(parts.length)]).join('')}`)
  }
  let refused = 0
  for (const name of new Set(names)) {
    assert.equal(refFormatProblem(name) === undefined, accepts(name), JSON.stringify(name))
    // As the name of a branch, Git would read @{-1} as the one before.
    const isBranch = accepts(name) && accepts('--branch', name.slice('refs/heads/'.length))
    assert.equal(refNameProblem(name) === undefined, isBranch, JSON.stringify(name))
    refused += refNameProblem(name) ? 1 : 0
  }
  assert.ok(refused > 50 && refused < names.length - 20)
  // Ours to refuse, though git would take them: they are no full names of refs that are shared, or too long for a file.
  for (const name of ['main', 'HEAD', 'refs//x', `refs/heads/${'x'.repeat(241)}`, 'refs/heads/\ud800']) {
    assert.ok(refNameProblem(name), name)
  }
  // A prefix is possible where a name begins with it.
  const all = [...new Set(names)].filter((name) => refFormatProblem(name) === undefined)
  for (const name of all) {
    for (let end = 0; end <= name.length; end++) assert.equal(refPrefixProblem(name.slice(0, end)), undefined, name)
  }
  for (const prefix of ['main', '/', 'refs//', 'refs/heads/a b', 'refs/heads/a..', 'refs/heads/a.lock/']) {
    assert.ok(refPrefixProblem(prefix), prefix)
  }
  assert.equal(branchRef('main'), 'refs/heads/main')
  assert.equal(branchRef('refs/heads/a/b'), 'refs/heads/a/b')
  for (const branch of ['', '-x', 'HEAD', 'a..b', 'a '])
    assert.throws(() => branchRef(branch), { code: 'invalid_argument' })
  // Names of other refs, which would be taken for branches of a strange name.
  for (const branch of ['refs/tags/x', 'refs/x', 'refs/remotes/origin/x'])
    assert.throws(() => branchRef(branch), /"x" is short for "refs\/heads\/x"/)
  assert.throws(() => branchRef('heads/x'), /must be "x" or "refs\/heads\/x", not "heads\/x"/)
  assert.equal(branchRef('refs/heads/heads/x'), 'refs/heads/heads/x')
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
