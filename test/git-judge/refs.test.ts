/** Odd refs, listed, read, moved and deleted as Git does it. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BlobwireError, Repository } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'
import { history, runGit, writeRef } from './odd-refs.ts'

const missing = '12'.repeat(20)

/** Names that are not UTF-8, one character for each byte: `é`, half a character among others, and one below a whole one. */
const latin = ['refs/heads/caf\xe9', 'refs/heads/caf\xc3\xa9\xff', 'refs/tags/\xe2\x82', 'refs/tags/\xe2\x82\xac']

/** A repository with refs of every kind, half of them packed. */
async function oddRepository(context: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-refs-'))
  context.after(() => rm(data, { recursive: true }))
  const gitDir = join(data, 'demo.git')
  const refs = ['refs/heads/packed', 'refs/stash', 'refs/notes/commits', 'refs/pull/1/head', 'refs/heads/main']
  const commits = history(gitDir, refs)
  const [one = '', two = '', three = ''] = commits
  runGit(gitDir, ['pack-refs', '--all'])
  const odd: Record<string, string> = {
    'refs/heads/packed': `${two}\n`,
    'refs/heads/a/b': `${one}\n`,
    'refs/heads/alias': 'ref: refs/heads/main\n',
    'refs/heads/chain': 'ref: refs/heads/alias\n',
    'refs/heads/dangling': 'ref: refs/heads/nowhere\n',
    'refs/heads/loop': 'ref: refs/heads/loop\n',
    'refs/remotes/origin/HEAD': 'ref: refs/remotes/origin/main\n',
    'refs/remotes/origin/main': `${one}\n`,
    'refs/heads/broken': 'no oid\n',
    'refs/heads/empty': '',
    'refs/heads/zero': `${'0'.repeat(40)}\n`,
    'refs/heads/missing': `${missing}\n`,
    'refs/heads/upper': one.toUpperCase(),
    'refs/heads/more': `${one} and more\n`,
    'refs/heads/bad..name': `${one}\n`,
    'refs/heads/x.lock': `${one}\n`,
    'refs/bisect/bad': `${one}\n`,
    [`refs/replace/${three}`]: `${one}\n`
  }
  for (const [name, content] of Object.entries(odd)) writeRef(gitDir, name, content)
  await mkdir(join(gitDir, 'refs/tags'), { recursive: true })
  for (const name of latin) writeRef(gitDir, Buffer.from(name, 'latin1'), `${one}\n`)
  await mkdir(join(gitDir, 'refs/heads/directory/of/nothing'), { recursive: true })
  runGit(gitDir, ['config', 'transfer.hideRefs', 'refs/pull'])
  return { data, gitDir, commits }
}

const linesOf = (output: Buffer) => output.toString('latin1').split('\n').slice(0, -1)

async function listed(repo: Repository, pageSize: number): Promise<string[]> {
  const lines: string[] = []
  for await (const { name, oid, rawName } of repo.refs({ pageSize })) {
    lines.push(`${oid} ${Buffer.from(rawName ?? Buffer.from(name)).toString('latin1')}`)
  }
  return lines
}

test('odd refs', async (context) => {
  const { data, gitDir, commits } = await oddRepository(context)
  const [one = '', two = '', three = '', four = '', five = ''] = commits
  const { client } = atEnd(context, await testServer({ store: 'git', data }))
  const repo = client().repository('demo')
  const judge = (args: readonly string[]) => linesOf(runGit(gitDir, args))
  const sameList = async () => {
    const expected = judge(['for-each-ref', '--format=%(objectname) %(refname)'])
    assert.deepEqual(await listed(repo, 1000), expected)
    assert.deepEqual(await listed(repo, 3), expected)
  }
  const move = (name: string, expectedOid: string | null, newOid: string | null) =>
    repo.updateRefs([{ name, expectedOid, newOid }])

  await context.test('are listed and read as Git does it', async () => {
    await sameList()
    const names = (await listed(repo, 1000))
      .map((line) => line.slice(41))
      .filter((name) => /^[!-~]+$/.test(name) && name !== 'refs/heads/missing')
    const found = await Promise.all(names.map((name) => repo.getCommit(name)))
    assert.deepEqual(
      found.map(({ commit }) => commit.oid),
      judge(['rev-parse', ...names.map((name) => `${name}^{commit}`)])
    )
    for (const name of ['dangling', 'loop', 'broken', 'empty', 'zero', 'x.lock']) {
      await assert.rejects(repo.getCommit(`refs/heads/${name}`), { code: 'not_found', reason: 'revision' }, name)
    }
  })

  await context.test('replaced commits are shown as they are stored', async () => {
    const { commits: log } = await repo.listCommits({ revision: 'main' })
    const expected = judge(['--no-replace-objects', 'log', '--format=%H', 'main'])
    assert.deepEqual(
      log.map(({ oid }) => oid),
      expected
    )
    assert.equal((await repo.getCommit(three)).commit.parents[0], two)
  })

  await context.test('a symbolic ref is moved by moving the ref that it names', async () => {
    await move('refs/heads/chain', five, four)
    assert.deepEqual(judge(['rev-parse', 'refs/heads/main']), [four])
    assert.equal(await readFile(join(gitDir, 'refs/heads/chain'), 'utf8'), 'ref: refs/heads/alias\n')
    await move('refs/heads/dangling', null, one)
    assert.deepEqual(judge(['rev-parse', 'refs/heads/nowhere']), [one])
    await sameList()
  })

  await context.test('a symbolic ref is deleted, and the ref that it names stays', async () => {
    await move('refs/remotes/origin/HEAD', one, null)
    await move('refs/heads/alias', four, null)
    assert.deepEqual(judge(['rev-parse', 'refs/remotes/origin/main', 'refs/heads/main']), [one, four])
    await sameList()
  })

  await context.test('packed refs, refs without an object, and refs anywhere are moved and deleted', async () => {
    await move('refs/heads/packed', two, three)
    await move('refs/heads/packed', three, null)
    await move('refs/heads/missing', missing, one)
    await move('refs/stash', two, one)
    await move('refs/notes/commits', three, null)
    await move('refs/pull/1/head', four, five)
    await move('refs/heads/directory', null, one)
    await move('refs/heads/upper', one, two)
    await move(`refs/replace/${three}`, one, null)
    await sameList()
  })

  await context.test('refs whose names are not UTF-8 are moved and deleted by their bytes', async () => {
    const [first, second] = latin.map((name) => Buffer.from(name, 'latin1'))
    assert.ok(first && second)
    const { refs } = await repo.updateRefs([{ name: first, expectedOid: one, newOid: two }])
    assert.deepEqual(refs, [{ name: 'refs/heads/caf\ufffd', oid: two, rawName: new Uint8Array(first) }])
    await sameList()
    await assert.rejects(repo.updateRefs([{ name: first, expectedOid: one, newOid: null }]), { reason: 'ref_mismatch' })
    await repo.updateRefs([{ name: second, expectedOid: one, newOid: null }])
    await repo.updateRefs([{ name: Buffer.from('refs/heads/new/\xe9', 'latin1'), expectedOid: null, newOid: two }])
    runGit(gitDir, ['pack-refs', '--all'])
    await sameList()
    await repo.updateRefs([{ name: first, expectedOid: two, newOid: null }])
    // Bytes of a name that is UTF-8 are the same name.
    await repo.updateRefs([{ name: Buffer.from('refs/tags/€'), expectedOid: one, newOid: two }])
    await sameList()
  })

  await context.test("Git's refusals are told as they are, and not retried", async () => {
    const refusals = [
      ['refs/heads/broken', 'ref_refused', /unable to resolve reference 'refs\/heads\/broken': reference broken/],
      ['refs/heads/empty', 'ref_refused', /reference broken/],
      ['refs/heads/a', 'ref_conflict', /refs\/heads\/a and refs\/heads\/a\/b cannot exist together/],
      ['refs/heads/main/x', 'ref_conflict', /refs\/heads\/main/],
      ['refs/heads/broken/x', 'ref_conflict', /refs\/heads\/broken/]
    ] as const
    for (const [name, reason, words] of refusals) {
      await assert.rejects(move(name, null, one), (error: BlobwireError) => {
        const { code, retryable, attempts, message } = error
        assert.deepEqual([code, error.reason, retryable, attempts], ['failed_precondition', reason, false, 1], message)
        assert.match(message, words)
        assert.doesNotMatch(message, /blobwire-refs-/, 'no path of the server')
        return true
      })
    }
    const both = ['refs/heads/nowhere', 'refs/heads/dangling'].map((name) => ({ name, expectedOid: one, newOid: two }))
    await assert.rejects(repo.updateRefs(both), { reason: 'ref_refused', retryable: false })
    await sameList()
  })
})
