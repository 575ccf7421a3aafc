/** Every RPC once with its answer, which must be the same over every transport and every store. */
import assert from 'node:assert/strict'
import { hashObject, zeroOid } from '../../src/git/oid.ts'
import type { BlobwireError, Client, ObjectFormat, Repository } from '../../src/index.ts'
import { everyObject } from './every-object.ts'

const author = { name: 'Ada Lovelace', email: 'ada@example.org', timeSeconds: 1_700_000_000, zone: '+0100' }
/** Compressible, above every threshold for compression. */
const large = new TextEncoder().encode('all work and no play makes a dull blob\n'.repeat(3000))
const binary = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) & 0xff)

/** The oids that a run leaves, to compare between transports and stores. */
export interface Outcome {
  head: string
  tree: string
}

type Step = (run: Run) => Promise<void>

interface Run {
  client: Client
  repo: Repository
  format: ObjectFormat
  /** Oids that later steps build on. */
  oids: Record<string, string>
}

const oidOf = (run: Run, content: Uint8Array) => hashObject('blob', content, run.format)

const repositories: Step = async ({ client, repo, format }) => {
  const expected = { repository: repo.name, objectFormat: format, defaultBranch: 'refs/heads/main' }
  for (const created of [true, false]) {
    assert.deepEqual(await repo.createRepository({ objectFormat: format }), { ...expected, created })
  }
  const other = format === 'sha1' ? 'sha256' : 'sha1'
  await assert.rejects(repo.createRepository({ objectFormat: other }), { code: 'already_exists' })
  assert.deepEqual(await repo.getRepository(), expected)
  const gone = client.repository(`${repo.name}-gone`)
  await assert.rejects(gone.getRepository(), { code: 'not_found', reason: 'repository' })
  await gone.createRepository()
  const names: string[] = []
  for await (const { repository } of client.repositories({ prefix: repo.name, pageSize: 1 })) names.push(repository)
  assert.deepEqual(names, [repo.name, gone.name])
  for (const deleted of [true, false]) assert.deepEqual(await gone.deleteRepository(), { deleted })
  await assert.rejects(gone.getRepository(), { code: 'not_found', reason: 'repository' })
}

/** The default branch is `main` again at the end. */
const defaultBranch: Step = async ({ client, repo }) => {
  const { objectFormat } = await repo.getRepository()
  const changed = { repository: repo.name, objectFormat, defaultBranch: 'refs/heads/trunk' }
  assert.deepEqual(await repo.updateRepository({ defaultBranch: 'trunk' }, { requestKey: 'trunk' }), changed)
  assert.deepEqual(await repo.getRepository(), changed)
  await repo.updateRepository({ defaultBranch: 'refs/heads/main' })
  // The repetition of what was done has its answer, and no effect.
  assert.deepEqual(await repo.updateRepository({ defaultBranch: 'trunk' }, { requestKey: 'trunk' }), changed)
  assert.equal((await repo.getRepository()).defaultBranch, 'refs/heads/main')
  await assert.rejects(repo.updateRepository({ defaultBranch: 'refs/tags/v1' }), { code: 'invalid_argument' })
  const absent = client.repository(`${repo.name}-absent`).updateRepository({ defaultBranch: 'main' })
  await assert.rejects(absent, { code: 'not_found', reason: 'repository' })

  const other = client.repository(`${repo.name}-trunk`)
  for (const created of [true, false]) {
    const { defaultBranch, ...made } = await other.createRepository({ objectFormat, defaultBranch: 'trunk' })
    assert.deepEqual([defaultBranch, made.created], ['refs/heads/trunk', created])
  }
  const kept = await other.createRepository({ objectFormat, defaultBranch: 'another' })
  assert.equal(kept.defaultBranch, 'refs/heads/trunk')
  const author = { name: 'A', email: 'a@example.org' }
  const { oid } = await other.commitFiles({ branch: 'trunk', changes: { a: 'a' }, message: 'a', author })
  assert.equal((await other.getCommit()).commit.oid, oid)
  await other.deleteRepository()
}

const blobs: Step = async (run) => {
  const { repo, oids } = run
  for (const [name, content] of Object.entries({ empty: new Uint8Array(0), binary, large })) {
    const stored = await repo.storeBlob(content)
    assert.deepEqual(stored, { oid: oidOf(run, content), size: content.length })
    assert.deepEqual(await repo.getBlob(stored.oid), { ...stored, content })
    oids[name] = stored.oid
  }
  const absent = oidOf(run, new TextEncoder().encode('absent'))
  await assert.rejects(repo.getBlob(absent), { code: 'not_found', reason: 'object' })
  const asked = [absent, oids['binary'] as string, absent]
  assert.deepEqual(await repo.findMissing(asked), { missing: [absent] })
}

const trees: Step = async ({ repo, oids, format }) => {
  const { binary = '', large = '', empty = '' } = oids
  const stored = await repo.storeTree([
    { path: 'sub/deep/b.bin', mode: '100644', oid: binary },
    { path: 'sub/run', mode: '100755', oid: large },
    { path: 'Grüße 🎉', mode: '100644', oid: empty },
    { path: 'sub.x', mode: '120000', oid: empty }
  ])
  oids['tree'] = stored.oid
  const listed = await repo.getTree({ revision: stored.oid, recursive: true })
  assert.equal(listed.oid, stored.oid)
  const names = ['Grüße 🎉', 'sub.x', 'sub', 'sub/deep', 'sub/deep/b.bin', 'sub/run']
  assert.deepEqual(
    listed.entries.map(({ path }) => path),
    names
  )
  const level = await repo.getTree({ revision: stored.oid, path: 'sub' })
  assert.deepEqual(
    level.entries.map(({ path, mode }) => [path, mode]),
    [
      ['deep', '040000'],
      ['run', '100755']
    ]
  )
  const root = await repo.getTree({ revision: stored.oid })
  assert.equal((await repo.storeTree(root.entries)).oid, stored.oid)
  const files = listed.entries.filter((entry) => entry.mode !== '040000')
  assert.equal((await repo.storeTree(files)).oid, stored.oid)
  const edited = await repo.storeTree([{ path: 'sub/run', mode: '100644', oid: '' }], { baseTree: stored.oid })
  const rest = await repo.getTree({ revision: edited.oid, recursive: true })
  assert.deepEqual(
    rest.entries.map(({ path }) => path),
    names.slice(0, 5)
  )
  const absent = 'ab'.repeat(zeroOid(format).length / 2)
  await assert.rejects(repo.storeTree([{ path: 'a', mode: '100644', oid: absent }]), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.reason], ['failed_precondition', 'missing_object'])
    assert.deepEqual(error.details.missingOids, [absent])
    return true
  })
  await assert.rejects(repo.storeTree([{ path: '../a', mode: '100644', oid: empty }]), { code: 'invalid_argument' })
}

const commits: Step = async ({ repo, oids, format }) => {
  const { tree = '' } = oids
  const first = await repo.storeCommit({ tree, author, message: 'First, without a newline' })
  const committer = { ...author, timeSeconds: author.timeSeconds + 5, zone: '-0330' }
  const second = await repo.storeCommit({ tree, parents: [first.oid], author, committer, message: 'Zweiter — ✓\n' })
  oids['first'] = first.oid
  oids['second'] = second.oid
  const { commit } = await repo.getCommit(second.oid)
  assert.deepEqual(commit, {
    oid: second.oid,
    tree,
    parents: [first.oid],
    author,
    committer,
    message: 'Zweiter — ✓\n',
    raw: new Uint8Array(0),
    encoding: ''
  })
  const ref = 'refs/heads/side'
  assert.deepEqual(await repo.updateRefs([{ name: ref, expectedOid: null, newOid: second.oid }]), {
    refs: [{ name: ref, oid: second.oid }],
    results: ['created']
  })
  const log: string[] = []
  for await (const { oid } of repo.commits({ revision: 'side', pageSize: 1 })) log.push(oid)
  assert.deepEqual(log, [second.oid, first.oid])
  assert.equal((await repo.getCommit('side~1')).commit.oid, first.oid)
  await assert.rejects(repo.getCommit('nowhere'), { code: 'not_found', reason: 'revision' })
  assert.equal(first.oid.length, zeroOid(format).length)
}

const refs: Step = async ({ repo, oids, format }) => {
  const { first = '', second = '' } = oids
  const tag = { name: 'refs/tags/v1', expectedOid: null, newOid: first }
  await repo.updateRefs([tag], { requestKey: 'tag' })
  await repo.updateRefs([tag], { requestKey: 'tag' })
  await assert.rejects(repo.updateRefs([tag]), { reason: 'ref_mismatch' })
  const wrong = { name: 'refs/heads/side', expectedOid: first, newOid: first }
  const fresh = { name: 'refs/heads/fresh', expectedOid: null, newOid: first }
  // At `second` and asked to be at `first`: the other ref must not be made either.
  const both = repo.updateRefs([fresh, { ...wrong, expectedOid: zeroOid(format) }])
  await assert.rejects(both, (error: BlobwireError) => {
    assert.deepEqual([error.code, error.reason, error.sent], ['aborted', 'ref_mismatch', 'processed'])
    const mismatch = { name: 'refs/heads/side', expectedOid: zeroOid(format), foundOid: second }
    assert.deepEqual(error.details.refMismatches, [mismatch])
    return true
  })
  const names: string[] = []
  for await (const { name } of repo.refs({ pageSize: 1 })) names.push(name)
  assert.deepEqual(names, ['refs/heads/side', 'refs/tags/v1'])
  await repo.updateRefs([{ name: 'refs/tags/v1', expectedOid: first, newOid: null }])
  assert.deepEqual((await repo.listRefs({ prefix: 'refs/tags/' })).refs, [])
}

const files: Step = async ({ repo, oids }) => {
  const base = { branch: 'main', author }
  const made = await repo.commitFiles({
    ...base,
    message: 'Begin\n',
    changes: { 'a.txt': 'a\n', 'dir/b.bin': binary, run: { content: '#!/bin/sh\n', mode: '100755' } }
  })
  assert.deepEqual([made.parents, made.ref], [[], 'refs/heads/main'])
  const changes = new Map<string, string | null | { moveFrom: string } | { oid: string; mode: '120000' }>([
    ['a.txt', null],
    ['moved/c.bin', { moveFrom: 'dir/b.bin' }],
    ['link', { oid: oids['empty'] as string, mode: '120000' }],
    ['__proto__', 'a file like any other\n']
  ])
  const next = await repo.commitFiles({ ...base, message: 'Go on\n', changes })
  assert.deepEqual(next.parents, [made.oid])
  oids['head'] = next.oid
  oids['headTree'] = next.tree
  const listed = await repo.getTree({ recursive: true })
  assert.deepEqual(
    listed.entries.map(({ path, mode }) => `${mode} ${path}`),
    ['100644 __proto__', '120000 link', '040000 moved', '100644 moved/c.bin', '100755 run']
  )
  const read = await repo.getBlob({ revision: 'main', path: 'moved/c.bin' })
  assert.deepEqual(read.content, binary)
  await assert.rejects(repo.getBlob({ revision: 'main', path: 'dir/b.bin' }), { code: 'not_found', reason: 'path' })
  const stale = repo.commitFiles({ ...base, message: 'x\n', changes: { x: 'x' }, expectedHead: made.oid })
  await assert.rejects(stale, { code: 'aborted', reason: 'ref_mismatch' })
  const again = repo.commitFiles({ ...base, message: 'x\n', changes: { x: 'x' }, expectedHead: null })
  await assert.rejects(again, { code: 'aborted', reason: 'ref_mismatch' })
  const nothing = repo.commitFiles({ ...base, message: 'x\n', changes: { 'not/there': null } })
  await assert.rejects(nothing, { code: 'failed_precondition', reason: 'path_not_found' })
  const compared: string[] = []
  for await (const { path, status } of repo.changes({ base: made.oid, head: 'main', pageSize: 2 })) {
    compared.push(`${status} ${path}`)
  }
  assert.deepEqual(compared, [
    'added __proto__',
    'deleted a.txt',
    'deleted dir/b.bin',
    'added link',
    'added moved/c.bin'
  ])
}

const batches: Step = async (run) => {
  const { repo, oids } = run
  const content = new TextEncoder().encode('in a batch\n')
  const oid = oidOf(run, content)
  const results = await repo.batch([
    { storeBlob: { content } },
    { getBlob: { oid } },
    { storeTree: { entries: [{ path: 'f', mode: '100644', oid }] } },
    { getBlob: { oid: oids['head'] as string } },
    { findMissing: { oids: [oid] } },
    { listRefs: { prefix: 'refs/heads/main' } },
    { getRepository: {} }
  ])
  assert.deepEqual(results[0], { ok: true, value: { oid, size: content.length } })
  assert.deepEqual(results[1], { ok: true, value: { oid, size: content.length, content } })
  assert.equal(results[2].value?.oid.length, oid.length)
  // A commit is no blob; its neighbours do not mind.
  assert.equal(results[3].error?.code, 'failed_precondition')
  assert.deepEqual(results[4], { ok: true, value: { missing: [] } })
  assert.equal(results[5].value?.refs[0]?.oid, oids['head'])
  assert.equal(results[6].value?.repository, repo.name)

  const to = (name: string, expectedOid: string | null) => ({
    updateRefs: { updates: [{ name, expectedOid, newOid: oids['head'] as string }] }
  })
  const failed = await repo.batch([to('refs/heads/one', null), to('refs/heads/main', null)], { atomic: true })
  // main is at head already, but was not expected to be.
  assert.deepEqual(
    failed.map(({ error }) => error?.reason),
    ['batch_aborted', 'ref_mismatch']
  )
  const none = await repo.batch([to('refs/heads/two', null), to('refs/heads/side', null)], { atomic: true })
  // Neither happens.
  assert.deepEqual(
    none.map(({ error }) => error?.reason),
    ['batch_aborted', 'ref_mismatch']
  )
  assert.deepEqual((await repo.listRefs({ prefix: 'refs/heads/two' })).refs, [])
}

const objects: Step = ({ repo, oids, format }) => everyObject(repo, { format, commit: oids['second'] as string })

const capabilities: Step = async ({ client }) => {
  const found = await client.getCapabilities()
  assert.deepEqual(found.transports.map(({ transport }) => transport).sort(), ['grpc', 'json', 'msgpack'])
  assert.deepEqual(found.limits, {
    maxInlineBytes: 1048576,
    maxBatchOperations: 1000,
    maxBatchBytes: 4194304,
    chunkBytes: 262144,
    maxBlobBytes: 5368709120,
    maxInFlightBytes: 67108864,
    maxConnectionInFlightBytes: 33554432,
    maxUploadBytes: 21474836480,
    uploadIdleSeconds: 86400
  })
  assert.deepEqual([found.atomic, found.session, found.resume], [true, true, true])
  assert.deepEqual(found.compressors, ['zstd', 'gzip', 'deflate'])
  assert.deepEqual(found.objectFormats, ['sha1', 'sha256'])
}

/** Runs all steps in one repository. */
export async function everyRpc(client: Client, name: string, format: ObjectFormat): Promise<Outcome> {
  const run: Run = { client, repo: client.repository(name), format, oids: {} }
  for (const step of [repositories, defaultBranch, blobs, trees, commits, objects, refs, files, batches, capabilities])
    await step(run)
  return { head: run.oids['head'] as string, tree: run.oids['headTree'] as string }
}
