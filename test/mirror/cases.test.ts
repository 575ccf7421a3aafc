/** The example `mirror` where a run is not the first, not complete, or cannot copy everything. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { type MirrorOptions, mirror, type Progress } from '../../cli/mirror/mirror.ts'
import type { Plan } from '../../cli/mirror/plan.ts'
import { verify } from '../../cli/mirror/verify.ts'
import type { Interceptor, Operation, Repository } from '../../src/index.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { GitRepository } from '../support/git.ts'
import { type HistoryOptions, longHistory } from '../support/history/long-history.ts'
import { writeHistory } from '../support/history/write-history.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

const someone = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']

let served: TestServer
let count = 0

before(async (context) => {
  served = atEnd(context as never, await testServer())
})

async function makeSource(context: TestContext, options: HistoryOptions): Promise<GitRepository> {
  const source = new GitRepository(context, options.format ?? 'sha1')
  await writeHistory(source, longHistory(options))
  return source
}

/** A repository of its own, with nothing in it. */
const newRepo = (): Repository => served.client().repository(`case-${count++}`)

async function refsOf(repo: Repository): Promise<string[]> {
  const lines: string[] = []
  for await (const { oid, name } of repo.refs()) lines.push(`${oid} ${name}`)
  return lines
}

const refsIn = (source: GitRepository) =>
  source.run(['for-each-ref', '--format=%(objectname) %(refname)']).trim().split('\n')

const run = (source: GitRepository, repo: Repository, options: Partial<MirrorOptions> = {}) =>
  mirror({ source: source.directory, repo, ...options })

test('a repository with sha256', async (context) => {
  const source = await makeSource(context, { commits: 10, format: 'sha256' })
  const repo = newRepo()
  const done = await run(source, repo)
  assert.deepEqual(await verify({ ...done, repo }), [])
  assert.deepEqual(await refsOf(repo), refsIn(source))
})

test('a later run sends what is new, moves refs wherever they went, and deletes only when told to', async (context) => {
  const source = await makeSource(context, { commits: 20 })
  const repo = newRepo()
  await run(source, repo)
  const before = refsIn(source).map((line) => `^${line.split(' ')[0]}`)
  await writeHistory(source, longHistory({ commits: 30 }), { replace: true })
  source.run(['update-ref', '-d', 'refs/heads/gh-pages'])
  const fresh = source.run(['--no-replace-objects', 'rev-list', '--objects', '--all', '--stdin'], before.join('\n'))
  const kept = await run(source, repo)
  assert.ok(kept.files > 0 && kept.files <= fresh.trim().split('\n').length)
  const [difference, ...others] = await verify({ ...kept, repo })
  assert.match(difference ?? '', /^only on the server: [0-9a-f]{40} refs\/heads\/gh-pages$/)
  assert.deepEqual(others, [])
  const pruned = await run(source, repo, { prune: true })
  assert.deepEqual([pruned.totalFiles, pruned.refs], [0, 1])
  assert.deepEqual(await refsOf(repo), refsIn(source))
})

test('a ref that becomes a directory of refs', async (context) => {
  const source = await makeSource(context, { commits: 3 })
  const repo = newRepo()
  await run(source, repo)
  source.run(['update-ref', '-d', 'refs/heads/gh-pages'])
  source.run(['update-ref', 'refs/heads/gh-pages/new', 'refs/heads/main'])
  const kept = await run(source, repo)
  assert.equal(kept.leftOut[0]?.name, 'refs/heads/gh-pages/new')
  assert.match(kept.leftOut[0]?.reason ?? '', /cannot exist together/)
  assert.deepEqual((await run(source, repo, { prune: true })).leftOut, [])
  assert.deepEqual(await refsOf(repo), refsIn(source))
})

test('a run that ends early leaves every ref as it was, and the next one sends the rest', async (context) => {
  const source = await makeSource(context, { commits: 20 })
  const repo = newRepo()
  let blobs = 0
  const stopped = run(source, repo, {
    onPlan: ({ objects }) => {
      blobs = objects.blob.length
    },
    onProgress: ({ files }) => {
      if (files >= blobs) throw new Error('stopped here')
    }
  })
  await assert.rejects(stopped, /stopped here/)
  assert.deepEqual(await refsOf(repo), [])
  const rest = await run(source, repo)
  const all = source.run(['--no-replace-objects', 'rev-list', '--objects', '--all']).trim().split('\n').length
  assert.equal(rest.files, all - blobs)
  assert.deepEqual(await verify({ ...rest, repo }), [])
})

test('blobs above the limit of a message travel as streams, and count in the progress as they go', async (context) => {
  const large = Buffer.alloc(3 * 1024 * 1024, 'a line of a large file\n')
  const source = await makeSource(context, { commits: 5, large })
  const repo = newRepo()
  const seen: Progress[] = []
  const done = await run(source, repo, { onProgress: (progress) => seen.push(progress) })
  assert.deepEqual(done.leftOut, [])
  assert.deepEqual(await verify({ ...done, repo }), [])
  const path = 'assets/large.bin'
  const copy = await repo.download({ revision: 'refs/heads/large', path }).bytes()
  assert.ok(Buffer.compare(copy, large) === 0)
  const last = seen.at(-1) ?? assert.fail('nothing was told')
  assert.deepEqual([last.files, last.transferredBytes, last.refs], [last.totalFiles, last.totalBytes, last.totalRefs])
  assert.ok(seen.every(({ transferredBytes }, at) => transferredBytes >= (seen[at - 1]?.transferredBytes ?? 0)))
  assert.equal((await run(source, repo)).totalFiles, 0)
})

test('objects above the limit: precisely the refs that reach them are left out, told before anything is sent', async (context) => {
  const large = new Uint8Array(1024 * 1024 + 1)
  const source = await makeSource(context, { commits: 5, large })
  source.run([...someone, 'tag', '-a', '-m', 'Large', 'large-tag', 'refs/heads/large'])
  source.run(['update-ref', 'refs/trees/large', 'refs/heads/large^{tree}'])
  const repo = newRepo()
  const told: Plan[] = []
  const limits = { ...defaultLimits, maxBlobBytes: 1024 * 1024 }
  const options = { limits, onPlan: (plan: Plan) => told.push(plan) }
  const refused = await run(source, repo, { ...options, strict: true })
  assert.equal(refused.files, 0)
  await assert.rejects(repo.getRepository(), { reason: 'repository' })
  const done = await run(source, repo, options)
  assert.equal(told.length, 2)
  for (const plan of told) {
    const oid = source.run(['rev-parse', 'refs/heads/large:assets/large.bin']).trim()
    assert.deepEqual(plan.large, [{ oid, kind: 'blob', size: large.length, path: 'assets/large.bin' }])
    const names = plan.leftOut.map(({ name }) => name)
    assert.deepEqual(names, ['refs/heads/large', 'refs/tags/large-tag', 'refs/trees/large'])
    for (const { reason } of plan.leftOut) assert.match(reason, /^blob [0-9a-f]{40} has 1048577 bytes.*large\.bin/)
  }
  assert.deepEqual(
    await refsOf(repo),
    refsIn(source).filter((line) => !line.includes('large'))
  )
  const commit = source.run(['rev-parse', 'refs/heads/large']).trim()
  assert.deepEqual((await repo.findMissing([commit])).missing, [commit])
  assert.deepEqual(await verify({ ...done, repo }), [])
  const again = await run(source, repo, { limits })
  assert.deepEqual([again.totalFiles, again.totalRefs, again.leftOut.length], [0, 0, 3])
})

test('refs whose names the server does not take are left out, each with the reason', async (context) => {
  const source = await makeSource(context, { commits: 2 })
  const oid = source.run(['rev-parse', 'refs/heads/main']).trim()
  for (const name of ['refs/stash', 'refs/heads/-dash']) source.run(['update-ref', name, oid])
  const repo = newRepo()
  const done = await run(source, repo)
  const reasons = new Map(done.leftOut.map(({ name, reason }) => [name, reason]))
  assert.deepEqual([...reasons.keys()], ['refs/heads/-dash'])
  assert.match(reasons.get('refs/heads/-dash') ?? '', /must not be a branch that is HEAD or begins with "-"/)
  assert.deepEqual(await verify({ ...done, repo }), [])
  assert.equal((await refsOf(repo)).length, refsIn(source).length - 1)
})

test('an object that the server refuses: what reaches it is left out, and the object is named', async (context) => {
  const source = await makeSource(context, { commits: 4 })
  const tip = source.run(['rev-parse', 'refs/heads/gh-pages']).trim()
  const content = source.bytes(['cat-file', 'commit', tip])
  const spoil = (operation: Operation): Operation =>
    content.equals((operation.storeObject?.content ?? Buffer.alloc(0)) as Buffer)
      ? { storeObject: { kind: 'commit', content: 'no commit' } }
      : operation
  const interceptor: Interceptor = (call, next) =>
    call.method === 'batch'
      ? next({ ...call, message: { operations: call.message.operations.map(spoil) } })
      : next(call)
  const repo = served.client({ interceptors: [interceptor] }).repository('refused')
  const done = await run(source, repo)
  assert.deepEqual(
    done.leftOut.map(({ name }) => name),
    ['refs/heads/gh-pages']
  )
  assert.match(done.leftOut[0]?.reason ?? '', new RegExp(`; the server refuses ${tip}: .*content`))
  assert.deepEqual([done.files, done.refs], [done.totalFiles - 1, done.totalRefs - 1])
  assert.deepEqual(await verify({ ...done, repo }), [])
})

test('a ref that somebody else moves meanwhile is not overwritten', async (context) => {
  const source = await makeSource(context, { commits: 12 })
  const repo = newRepo()
  const others = source.run(['--no-replace-objects', 'rev-parse', 'refs/heads/main~1']).trim()
  let isMoved = false
  const onProgress = async ({ files, totalFiles }: Progress) => {
    if (files < totalFiles || isMoved) return
    isMoved = true
    await repo.updateRefs([{ name: 'refs/heads/main', expectedOid: null, newOid: others }])
  }
  await assert.rejects(run(source, repo, { onProgress }), { reason: 'ref_mismatch' })
  assert.equal((await repo.getCommit('main')).commit.oid, others)
})

test('an object of the source that is not the one it is named for', async (context) => {
  const source = new GitRepository(context, 'sha1')
  const [wrong = '', right = ''] = source.storeAll('blob', [Buffer.from('wrong\n'), Buffer.from('right\n')])
  const pathOf = (oid: string) => join(source.directory, 'objects', oid.slice(0, 2), oid.slice(2))
  rmSync(pathOf(right))
  mkdirSync(dirname(pathOf(right)), { recursive: true })
  copyFileSync(pathOf(wrong), pathOf(right))
  const entry = Buffer.concat([Buffer.from('100644 right\0'), Buffer.from(right, 'hex')])
  source.run(['update-ref', 'refs/trees/wrong', source.store('tree', entry)])
  await assert.rejects(run(source, newRepo()), new RegExp(`object ${right} of the source was stored as ${wrong}`))
})

test('a shallow source: only where the server has the parents of its first commits', async (context) => {
  const source = await makeSource(context, { commits: 12 })
  const shallow = new GitRepository(context, 'sha1')
  const fetch = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--depth=2',
    `file://${source.directory}`,
    'refs/heads/main:refs/heads/copy'
  ]
  shallow.run(fetch)
  const repo = newRepo()
  const refused = await run(shallow, repo)
  assert.deepEqual([refused.files, refused.refs], [0, 0])
  assert.match(refused.leftOut[0]?.reason ?? '', /^the source is shallow: /)
  await run(source, repo)
  const copied = await run(shallow, repo)
  assert.deepEqual(copied.leftOut, [])
  assert.ok((await refsOf(repo)).some((line) => line.endsWith(' refs/heads/copy')))
})

test('a source that git cannot read sends nothing', async (context) => {
  const repo = newRepo()
  await assert.rejects(mirror({ source: '/nonexistent', repo }), /git rev-parse .*\/nonexistent/)
  const source = await makeSource(context, { commits: 2 })
  const tree = source.store('tree', Buffer.concat([Buffer.from('100644 gone\0'), Buffer.alloc(20, 1)]))
  source.run(['update-ref', 'refs/trees/damaged', tree])
  await assert.rejects(run(source, repo), /git rev-list.* missing blob object/s)
  await assert.rejects(repo.getRepository(), { reason: 'repository' })
})

test('HEAD names the branch of the source, and stays where the source has a detached one', async (context) => {
  const source = await makeSource(context, { commits: 2 })
  const repo = newRepo()
  const head = async () => (await repo.getRepository()).defaultBranch
  source.run(['symbolic-ref', 'HEAD', 'refs/heads/gh-pages'])
  await run(source, repo)
  assert.equal(await head(), 'refs/heads/gh-pages')
  source.run(['symbolic-ref', 'HEAD', 'refs/heads/main'])
  const moved = await run(source, repo)
  assert.equal(await head(), 'refs/heads/main')
  assert.deepEqual(await verify({ ...moved, repo }), [])
  source.run(['symbolic-ref', 'HEAD', 'refs/heads/not-yet'])
  await run(source, repo)
  assert.equal(await head(), 'refs/heads/not-yet')
  source.run(['update-ref', '--no-deref', 'HEAD', 'refs/heads/main'])
  const detached = await run(source, repo)
  assert.equal(await head(), 'refs/heads/not-yet')
  assert.deepEqual(await verify({ ...detached, repo }), [])
})

test('a repository of the other object format', async (context) => {
  const repo = newRepo()
  await repo.createRepository({ objectFormat: 'sha256' })
  const source = await makeSource(context, { commits: 1 })
  await assert.rejects(run(source, repo), /the source has sha1, and repository case-\d+ has sha256/)
})
