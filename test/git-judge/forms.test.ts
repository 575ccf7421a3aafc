/** Repositories of every form that Git has, as nobody prepared them: served, or refused with the reason. */
import assert from 'node:assert/strict'
import { appendFile, cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import type { BlobwireError } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'
import { history, runGit } from './odd-refs.ts'

async function prepared(context: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-forms-'))
  context.after(() => rm(data, { recursive: true }))
  const gitDir = join(data, 'whole.git')
  const commits = history(
    gitDir,
    Array.from({ length: 5 }, () => 'refs/heads/main')
  )
  return { data, gitDir, commits }
}

test('a shallow repository: its boundary is the end of the history', async (context) => {
  const { data, gitDir } = await prepared(context)
  const shallow = join(data, 'shallow.git')
  runGit(data, ['clone', '--quiet', '--bare', '--depth=2', `file://${gitDir}`, shallow])
  const { client } = atEnd(context, await testServer({ store: 'git', data }))
  const repo = client().repository('shallow')
  const logOf = (path: string) =>
    runGit(shallow, ['log', '--format=%H', '--', path]).toString().split('\n').slice(0, -1)
  const list = async (path: string) => (await repo.listCommits({ path })).commits.map(({ oid }) => oid)
  const before = logOf('.')
  assert.equal(before.length, 2)
  assert.deepEqual(await list(''), before)
  assert.deepEqual(await list('f'), logOf('f'))
  // The commit itself is as it is stored, and names its parent.
  const end = await repo.getCommit('HEAD~1')
  assert.deepEqual([end.commit.oid, end.commit.parents.length], [before[1], 1])
  await assert.rejects(repo.getCommit('HEAD~2'), /has no parent 1: the history is shallow, and ends there/)
  const author = { name: 'A', email: 'a@example.com' }
  const { oid } = await repo.commitFiles({ branch: 'main', changes: { g: 'g' }, message: 'g', author })
  assert.deepEqual(await list(''), [oid, ...before])
  // More of the history comes while the repository is served.
  runGit(shallow, ['fetch', '--quiet', '--depth=4', `file://${gitDir}`])
  runGit(shallow, ['fsck', '--strict'])
  assert.deepEqual(await list(''), logOf('.'))
  assert.equal((await list('')).length, 5)
})

test('a repository with alternates, one behind a symbolic link, and one with hooks that refuse', async (context) => {
  const { data, gitDir, commits } = await prepared(context)
  runGit(data, ['clone', '--quiet', '--bare', '--shared', gitDir, 'shared.git'])
  await mkdir(join(data, 'aside'))
  await rename(join(data, 'shared.git'), join(data, 'aside/shared'))
  await symlink('aside/shared', join(data, 'link.git'))
  const hook = join(data, 'aside/shared/hooks/reference-transaction')
  await writeFile(hook, '#!/bin/sh\necho no >&2\nexit 1\n', { mode: 0o755 })
  const { client } = atEnd(context, await testServer({ store: 'git', data }))
  const names = (await client().listRepositories()).repositories.map(({ repository }) => repository)
  assert.deepEqual(names, ['link', 'whole'])
  const repo = client().repository('link')
  assert.equal((await repo.getCommit()).commit.oid, commits[4])
  assert.equal((await repo.listCommits({ pageSize: 10 })).commits.length, 5)
  // The server runs no hooks.
  const [first = ''] = commits
  await repo.updateRefs([{ name: 'refs/heads/new', expectedOid: null, newOid: first }])
  assert.equal(runGit(join(data, 'aside/shared'), ['rev-parse', 'refs/heads/new']).toString().trim(), first)
})

test('what cannot be served is refused with the reason', async (context) => {
  const { data, gitDir } = await prepared(context)
  const make = async (name: string, config: string, head?: string) => {
    await cp(gitDir, join(data, `${name}.git`), { recursive: true })
    await appendFile(join(data, `${name}.git/config`), config)
    if (head !== undefined) await writeFile(join(data, `${name}.git/HEAD`), head)
  }
  const reftable = '[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n'
  await make('reftable', reftable)
  await make('later', '[core]\n\trepositoryformatversion = 2\n')
  await make('unknown', '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tmagic = true\n')
  await make('dot-git', '[core]\n\tbare = false ; it has a work tree\n')
  await make('headless', '', 'broken\n')
  await mkdir(join(data, 'clone.git/.git'), { recursive: true })
  await mkdir(join(data, 'linked.git'))
  await writeFile(join(data, 'linked.git/commondir'), '../whole.git\n')
  await writeFile(join(data, 'file.git'), 'gitdir: ../whole.git\n')
  await mkdir(join(data, 'checkout/.git'), { recursive: true })
  const { client } = atEnd(context, await testServer({ store: 'git', data }))
  const reasons = {
    reftable: /keeps its refs as reftable.*git refs migrate --ref-format=files/,
    later: /its format has version 2/,
    unknown: /unknown repository extension found:\s+magic/,
    'dot-git': /it is not bare.*git clone --mirror/,
    headless: /its HEAD is missing or names neither/,
    clone: /it has a work tree.*git clone --mirror/,
    linked: /linked worktree/,
    file: /names another directory/
  }
  for (const [name, reason] of Object.entries(reasons)) {
    await assert.rejects(client().repository(name).getCommit(), (error: BlobwireError) => {
      const { code, retryable, attempts } = error
      const found = [code, error.reason, retryable, attempts]
      assert.deepEqual(found, ['failed_precondition', 'unsupported_repository', false, 1], `${name}: ${error.message}`)
      assert.match(error.message, reason)
      return true
    })
  }
  // Listed, so that they are not looked for; a work tree has no name.
  const listed = await client().listRepositories()
  const names = listed.repositories.map(({ repository }) => repository)
  assert.deepEqual(names, ['clone', 'dot-git', 'headless', 'later', 'linked', 'reftable', 'unknown', 'whole'])
  await assert.rejects(GitStore.open(gitDir), { reason: 'data_format', message: /is itself a repository/ })
})
