/** `archive`: tar, unzip and Python read the archives; their members are those of `git archive`. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { tarHeader } from '../../src/client/files/tar.ts'
import type { ArchiveInput, Repository } from '../../src/index.ts'
import * as archivesOnNode from '../../src/platform/archives.ts'
import type { ArchiveFunctions } from '../../src/platform/platform.ts'
import { settlesAtOnce } from '../support/until.ts'
import { author, bytesOf, commitAllKinds, fixture, storeTree } from './tree.ts'

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'buffer' })

/** Writes the archive into a file. */
async function archiveTo(repo: Repository, file: string, input: ArchiveInput): Promise<void> {
  await writeFile(file, repo.archive(input))
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const list: Uint8Array[] = []
  for await (const chunk of chunks) list.push(chunk)
  return list
}

async function bytesOfArchive(repo: Repository, input: ArchiveInput): Promise<Buffer> {
  return Buffer.concat(await collect(repo.archive(input)))
}

async function checkExtracted(directory: string, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, content] of contents) {
    const at = join(directory, path)
    if (path === 'link') assert.equal(await readlink(at), Buffer.from(content).toString())
    else assert.deepEqual(await readFile(at), Buffer.from(content), path)
    assert.equal(
      Math.floor((await lstat(at)).mtimeMs / 1000),
      path === 'link' ? Math.floor((await lstat(at)).mtimeMs / 1000) : author.timeSeconds
    )
  }
  assert.equal((await lstat(join(directory, 'bin/run'))).mode & 0o100, 0o100)
  assert.equal((await lstat(join(directory, 'big'))).mode & 0o100, 0)
}

for (const format of ['tar', 'tar.gz'] as const) {
  test(`${format}: tar extracts every file, with modes, links and the time of the commit`, async (context) => {
    const { repo, directory } = await fixture(context)
    const contents = await commitAllKinds(repo)
    await archiveTo(repo, join(directory, 'archive'), { format, prefix: 'p-1/' })
    run('tar', '-xf', join(directory, 'archive'), '-C', directory)
    await checkExtracted(join(directory, 'p-1'), contents)
    assert.ok((await lstat(join(directory, 'p-1/module'))).isDirectory())
  })
}

test('tar: the members, modes and times are those of git archive, also with names that are long or not UTF-8', async (context) => {
  const { repo, directory } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const link = await repo.storeBlob(Buffer.concat([Buffer.from('to/'.repeat(50)), Buffer.from([0xff])]))
  const file = { mode: '100644', oid } as const
  const long = 'n'.repeat(120)
  const odd = (length: number) => Buffer.concat([Buffer.alloc(length, 0x61), Buffer.from([0xe9, 0x62])])
  const inner = await storeTree(repo, [
    { name: odd(30), ...file },
    { name: long, mode: '100755', oid }
  ])
  const middle = await storeTree(repo, [{ name: 'm'.repeat(90), mode: '040000', oid: inner }])
  const root = await storeTree(repo, [
    { name: 'd'.repeat(70), mode: '040000', oid: middle },
    { name: 'link', mode: '120000', oid: link.oid },
    { name: odd(3), ...file },
    { name: odd(150), ...file },
    { name: '\u6f22\u5b57', ...file }
  ])
  const commit = await repo.storeCommit({ tree: root, author, message: 'm' })
  await repo.updateRefs([{ name: 'refs/heads/main', expectedOid: null, newOid: commit.oid }])
  await archiveTo(repo, join(directory, 'ours.tar'), { format: 'tar' })

  const git = join(directory, 'git')
  run('git', 'init', '--quiet', git)
  for (const each of [oid, link.oid, inner, middle, root, commit.oid]) {
    const { kind, content } = await repo.getObject(each)
    const input = Buffer.from(content)
    execFileSync('git', ['-C', git, 'hash-object', '-w', '--literally', '-t', kind, '--stdin'], { input })
  }
  run('git', '-C', git, 'archive', '--format=tar', '-o', join(directory, 'git.tar'), commit.oid)
  const listing = (name: string) =>
    run('tar', '--full-time', '--quoting-style=escape', '-tvf', join(directory, name)).toString().split('\n').sort()
  assert.deepEqual(listing('ours.tar'), listing('git.tar'))
  assert.equal(listing('ours.tar').length, 9)
})

test('tar: a file of 9 GiB has its size in the header', async (context) => {
  const { directory } = await fixture(context)
  const common = { mode: 0o664, mtime: new Date(0), type: 'file' } as const
  const size = 9 * 2 ** 30
  await writeFile(join(directory, 'tar'), await tarHeader({ name: 'huge', size, ...common }))
  // The archive ends behind the header.
  const { stdout } = spawnSync('tar', ['-tvf', join(directory, 'tar')], { encoding: 'utf8' })
  assert.match(stdout, new RegExp(` ${size} `))
})

test('zip: unzip and Python extract every file, with modes, links and the time of the commit', async (context) => {
  const { repo, directory } = await fixture(context)
  const contents = await commitAllKinds(repo)
  const file = join(directory, 'archive.zip')
  await archiveTo(repo, file, { format: 'zip' })
  const out = join(directory, 'out')
  await mkdir(out)
  run('unzip', '-q', file, '-d', out)
  await checkExtracted(out, contents)
  const script =
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print("\\n".join(z.namelist()))'
  const names = run('python3', '-X', 'utf8', '-c', script, file).toString().trim().split('\n')
  const directories = ['.hidden/', 'a/', 'a/b/', 'a/b/c/', 'bin/', 'module/', 'na\u00efve/']
  assert.deepEqual(names.sort(), [...contents.keys(), ...directories].sort())
  assert.deepEqual(await bytesOfArchive(repo, { format: 'zip' }), await readFile(file))
})

test('zip: many members; names that it cannot hold are listed before the first byte', async (context) => {
  const { repo, directory } = await fixture(context)
  const changes: Record<string, Uint8Array> = {}
  for (let index = 0; index < 200; index++) changes[`f${index}`] = bytesOf(index * 50, index)
  await repo.commitFiles({ branch: 'main', changes, message: 'm', author })
  const file = join(directory, 'archive.zip')
  await archiveTo(repo, file, { format: 'zip', glob: 'f1*' })
  const out = join(directory, 'out')
  await mkdir(out)
  run('unzip', '-q', file, '-d', out)
  const found = await readdir(out)
  assert.equal(found.length, 111)
  for (const name of found) assert.deepEqual(await readFile(join(out, name)), Buffer.from(changes[name] as Uint8Array))
  const { oid } = await repo.storeBlob('x')
  const tree = await storeTree(repo, [
    { name: 'a\\b', mode: '100644', oid },
    { name: Buffer.from([0xff]), mode: '100644', oid }
  ])
  await assert.rejects(bytesOfArchive(repo, { revision: tree, format: 'zip' }), {
    reason: 'unwritable_paths',
    method: 'archive',
    message: /"a\\\\b" must be UTF-8.*; "\\xff" must be UTF-8/
  })
})

test('names that lead out of the directory are refused in every format, before the first byte', async (context) => {
  const { repo } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const file = { mode: '100644', oid } as const
  const below = await storeTree(repo, [{ name: 'a', ...file }])
  for (const name of ['..', '.', '/a', 'a/../../b', 'a//b']) {
    const entry = name.includes('/') ? { name, ...file } : ({ name, mode: '040000', oid: below } as const)
    const revision = await storeTree(repo, [entry])
    for (const format of ['tar', 'tar.gz', 'zip'] as const) {
      await assert.rejects(
        bytesOfArchive(repo, { revision, format }),
        { reason: 'unwritable_paths' },
        `${name} ${format}`
      )
    }
  }
  const disk = await storeTree(repo, [{ name: 'C:a', ...file }])
  await assert.rejects(bytesOfArchive(repo, { revision: disk, format: 'zip' }), { reason: 'unwritable_paths' })
  assert.ok((await bytesOfArchive(repo, { revision: disk, format: 'tar' })).length > 0)
})

test('the time of a commit for which a format has no room is its first or last one', async (context) => {
  const { repo } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const tree = await storeTree(repo, [{ name: 'a', mode: '100644', oid }])
  for (const [timeSeconds, expected] of [
    [-5, '00000000000'],
    [2 ** 40, '77777777777']
  ] as const) {
    const content = `tree ${tree}\nauthor A <a@b> 0 +0000\ncommitter A <a@b> ${timeSeconds} +0000\n\nm\n`
    const { oid: revision } = await repo.storeObject({ kind: 'commit', content, check: 'lenient' })
    const tar = await bytesOfArchive(repo, { revision, format: 'tar' })
    assert.equal(tar.subarray(136, 147).toString(), expected)
    assert.ok((await bytesOfArchive(repo, { revision, format: 'zip' })).length > 0)
  }
})

test('cancelling the stream ends a request that is under way', async (context) => {
  const { repo, server } = await fixture(context)
  await commitAllKinds(repo)
  const asked = Promise.withResolvers<void>()
  const client = server.client({
    interceptors: [
      (call, next) => {
        if (call.method !== 'batch') return next(call)
        asked.resolve()
        return new Promise((_, reject) => call.signal?.addEventListener('abort', () => reject(call.signal?.reason)))
      }
    ]
  })
  const reader = client.repository('demo').archive({ format: 'tar', glob: 'a/b.txt' }).getReader()
  const reading = reader.read().then(() => reader.read())
  await asked.promise
  await settlesAtOnce(reader.cancel())
  await reading
})

test('a reader that leaves ends what is under way, and a wrong argument is refused at once', async (context) => {
  const { repo, server } = await fixture(context)
  await commitAllKinds(repo)
  for (const format of ['tar', 'tar.gz', 'zip'] as const) {
    const client = server.client()
    for await (const _ of client.repository('demo').archive({ format })) break
    await client.close()
  }
  assert.throws(() => repo.archive({ format: 'rar' as 'zip' }), {
    code: 'invalid_argument',
    message: /format: must be one of tar,/
  })
  for (const prefix of ['/a', '../', 'a//b', 'a\\b']) {
    assert.throws(() => repo.archive({ format: 'tar', prefix }), { code: 'invalid_argument', message: /prefix/ })
  }
  await assert.rejects(bytesOfArchive(repo, { format: 'tar', revision: 'none' }), {
    code: 'not_found',
    method: 'archive'
  })
})

test('an error of a source in the middle ends each format with that error', async () => {
  async function* failing() {
    yield Buffer.from('begin')
    throw new Error('cut')
  }
  const mtime = new Date(0)
  const members = [{ path: 'a', content: failing(), mode: 0o100644, mtime }]
  const { zipChunks: zip, gzipChunks: gzip }: ArchiveFunctions = archivesOnNode
  await assert.rejects(collect(zip(Readable.from(members))), /cut/)
  await assert.rejects(collect(gzip(failing())), /cut/)
})
