/** HEAD and the default branch: as Git has them, and as they follow what is there. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { CallContext } from '../../server-fixture/service/context.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import type { BlobwireError, Repository } from '../../src/index.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { atEnd, testServer } from '../support/server.ts'
import { history, runGit } from './odd-refs.ts'

const author = { name: 'A', email: 'a@example.com', timeSeconds: 1_700_000_000 }
const commit = (branch: string) => ({ branch, changes: { [branch]: branch }, message: branch, author })
const headOf = async (repo: Repository) => {
  const { defaultBranch } = await repo.getRepository()
  const oid = await repo.getCommit().then((found) => found.commit.oid)
  return { defaultBranch, oid }
}

/** A server of a store with a repository as it is created. */
async function created(context: TestContext, store: 'memory' | 'git', defaultBranch?: string) {
  const fixture = atEnd(context, await testServer({ store }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository({ defaultBranch })
  const written = async () => (store === 'git' ? readFile(join(fixture.data, 'demo.git/HEAD'), 'utf8') : undefined)
  return { repo, written }
}

for (const store of ['memory', 'git'] as const) {
  test(`a repository without commits says so (${store} store)`, async (context) => {
    const { repo } = await created(context, store)
    const calls = [() => repo.getCommit(), () => repo.getTree(), () => repo.listCommits(), () => repo.getCommit('main')]
    for (const call of calls) {
      await assert.rejects(call(), ({ code, reason, message }: BlobwireError) => {
        assert.deepEqual([code, reason], ['not_found', 'revision'])
        assert.match(message, /the repository has no commits yet/)
        return true
      })
    }
    assert.equal((await repo.getRepository()).defaultBranch, 'refs/heads/main')
  })

  test(`the first branch becomes the default branch (${store} store)`, async (context) => {
    const { repo, written } = await created(context, store)
    const { oid } = await repo.commitFiles(commit('trunk'))
    const expected = { defaultBranch: 'refs/heads/trunk', oid }
    assert.deepEqual(await headOf(repo), expected)
    for (const branch of ['a', 'main']) await repo.commitFiles(commit(branch))
    assert.deepEqual(await headOf(repo), expected)
    assert.equal((await repo.createRepository()).defaultBranch, expected.defaultBranch)
    assert.equal((await written()) ?? 'ref: refs/heads/trunk\n', 'ref: refs/heads/trunk\n')
  })

  test(`of branches made at once, the usual name becomes the default branch (${store} store)`, async (context) => {
    const { repo } = await created(context, store)
    const { oid } = await repo.commitFiles(commit('tmp'))
    await repo.updateRefs([{ name: 'refs/heads/tmp', expectedOid: oid, newOid: null }])
    const make = ['a', 'master', 'z'].map((name) => ({ name: `refs/heads/${name}`, expectedOid: null, newOid: oid }))
    const results = await repo.batch(
      [{ updateRefs: { updates: make } }, { getRepository: {} }, { getCommit: {} }] as const,
      { atomic: true }
    )
    assert.equal(results[1].value?.defaultBranch, 'refs/heads/master')
    assert.equal(results[2].value?.commit.oid, oid)
    assert.deepEqual(await headOf(repo), { defaultBranch: 'refs/heads/master', oid })
    const remove = ['a', 'master'].map((name) => ({ name: `refs/heads/${name}`, expectedOid: oid, newOid: null }))
    await repo.updateRefs(remove)
    assert.deepEqual(await headOf(repo), { defaultBranch: 'refs/heads/z', oid })
  })

  test(`a default branch that somebody chose stays, whether it exists or not (${store} store)`, async (context) => {
    const { repo } = await created(context, store, 'refs/heads/chosen')
    await repo.commitFiles(commit('main'))
    const unborn = /HEAD names refs\/heads\/chosen, which does not exist: choose another branch with updateRepository/
    await assert.rejects(repo.getCommit(), unborn)
    assert.equal((await repo.getRepository()).defaultBranch, 'refs/heads/chosen')
    await repo.updateRepository({ defaultBranch: 'other' })
    await assert.rejects(repo.getCommit(), { code: 'not_found' })
    const { oid } = await repo.commitFiles(commit('other'))
    assert.deepEqual(await headOf(repo), { defaultBranch: 'refs/heads/other', oid })
  })
}

test('a server that is older than the default branch is told of', async (context) => {
  const older = (service: VcsService): VcsService =>
    new Proxy(service, {
      get(target, key) {
        if (key !== 'call')
          return typeof target[key as 'call'] === 'function'
            ? target[key as 'call'].bind(target)
            : target[key as 'call']
        return (method: string, request: Messages['ApplyRequest'], caller: CallContext) => {
          const createRepository = request.createRepository && { ...request.createRepository, defaultBranch: '' }
          return target.call(method, { ...request, createRepository, updateRepository: undefined }, caller)
        }
      }
    })
  const { client } = atEnd(context, await testServer({ decorate: older }))
  const repo = client().repository('demo')
  const tooOld = { code: 'unimplemented', reason: 'no_such_method' }
  await assert.rejects(repo.createRepository({ defaultBranch: 'trunk' }), tooOld)
  await assert.rejects(repo.updateRepository({ defaultBranch: 'trunk' }), tooOld)
  assert.equal((await repo.createRepository({ defaultBranch: 'main' })).created, false)
})

test('HEAD in the forms that Git knows, in a repository that nobody prepared', async (context) => {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-heads-'))
  context.after(() => rm(data, { recursive: true }))
  const gitDir = join(data, 'demo.git')
  const [first = '', second = ''] = history(gitDir, ['refs/heads/master', 'refs/heads/other'])
  runGit(gitDir, ['symbolic-ref', 'refs/heads/alias', 'refs/heads/other'])
  const { client } = atEnd(context, await testServer({ store: 'git', data }))
  const repo = client().repository('demo')
  const judge = (args: readonly string[]) => {
    const git = () => execFileSync('git', [...args], { cwd: gitDir, stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      return git().toString().trim()
    } catch {
      return ''
    }
  }
  const forms = [
    'ref: refs/heads/other\n',
    'ref:  refs/heads/other \n\n',
    'ref: refs/heads/alias\n',
    'ref: refs/tags/v1\n',
    `${first}\n`,
    second.toUpperCase()
  ]
  for (const form of forms) {
    await writeFile(join(gitDir, 'HEAD'), form)
    const expected = { defaultBranch: judge(['symbolic-ref', 'HEAD']), oid: judge(['rev-parse', 'HEAD^{commit}']) }
    assert.deepEqual(await headOf(repo), expected, form)
  }
  // As early versions of Git wrote it.
  await rm(join(gitDir, 'HEAD'))
  await symlink('refs/heads/other', join(gitDir, 'HEAD'))
  assert.equal((await headOf(repo)).defaultBranch, judge(['symbolic-ref', 'HEAD']))
  // One that names nothing follows the usual name, and the only branch.
  await rm(join(gitDir, 'HEAD'))
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n')
  assert.equal(judge(['rev-parse', '--verify', '--quiet', 'HEAD']), '')
  assert.equal((await headOf(repo)).defaultBranch, 'refs/heads/master')
  assert.equal((await client().listRepositories()).repositories[0]?.defaultBranch, 'refs/heads/master')
  await rm(join(gitDir, 'refs/heads/master'))
  await rm(join(gitDir, 'refs/heads/alias'))
  assert.equal((await headOf(repo)).defaultBranch, 'refs/heads/other')
  // A branch that is made beside it does not take its place.
  await repo.commitFiles(commit('a'))
  assert.equal(judge(['symbolic-ref', 'HEAD']), 'refs/heads/other')
})
