/** `checkout`: the directory it leaves, the entries that it touches, and the paths that it refuses. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { equalNames, wantedTree } from '../../src/client/files/wanted-tree.ts'
import type { Repository, TransferProgress } from '../../src/index.ts'
import { fileNameProblem } from '../../src/platform/file-names.ts'
import { author, bytesOf, commitAllKinds, fixture, storeTree } from './tree.ts'

/** Paths, kinds and contents below a directory; a link is not followed. */
async function treeOf(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const item of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(item.parentPath, item.name)
    const name = path.slice(directory.length + 1)
    if (item.isSymbolicLink()) found[name] = `link ${await readlink(path)}`
    else if (item.isFile()) found[name] = (await readFile(path)).toString('latin1')
  }
  return found
}

async function commit(repo: Repository, changes: Record<string, string | null>): Promise<void> {
  await repo.commitFiles({ branch: 'main', changes, message: 'm', author })
}

test('writes all files with modes and links, large ones too; again, it writes and reads nothing', async (context) => {
  const { repo, directory } = await fixture(context)
  const contents = await commitAllKinds(repo)
  const target = join(directory, 'new/place')
  const result = await repo.checkout(target, { revision: 'main' })
  const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0)
  const { tree } = (await repo.getCommit('main')).commit
  const skipped = [{ path: 'module', oid: '1'.repeat(40) }]
  assert.deepEqual(result, { tree, written: 7, removed: 0, bytes, unchanged: 0, skipped })
  const expected = Object.fromEntries(
    [...contents].map(([path, content]) => [path, Buffer.from(content).toString('latin1')])
  )
  assert.deepEqual(await treeOf(target), { ...expected, link: 'link a/b.txt' })
  assert.equal((await lstat(join(target, 'bin/run'))).mode & 0o111, 0o111 & ~process.umask())
  assert.equal((await lstat(join(target, 'big'))).mode & 0o111, 0)
  const before = await lstat(join(target, 'big'), { bigint: true })
  const again = await repo.checkout(target, { revision: 'main' })
  assert.deepEqual(again, { ...result, written: 0, bytes: 0, unchanged: 7 })
  assert.equal((await lstat(join(target, 'big'), { bigint: true })).ino, before.ino)
})

test('the same as git has after a checkout of the same tree', async (context) => {
  const { repo, directory } = await fixture(context)
  await commitAllKinds(repo)
  const target = join(directory, 'out')
  const { tree } = await repo.checkout(target)
  const git = (...args: string[]) =>
    execFileSync('git', [`--git-dir=${directory}/git`, `--work-tree=${target}`, ...args], {
      cwd: target,
      encoding: 'utf8'
    })
  git('init', '--quiet')
  git('add', '--all', '--force')
  // Submodules are not written, so that the tree is that of the others.
  git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`)
  assert.equal(git('write-tree').trim(), tree)
})

test('writes what differs, by content, mode and kind, and leaves the rest and what is not in the tree', async (context) => {
  const { repo, directory } = await fixture(context)
  await commitAllKinds(repo)
  await repo.checkout(directory)
  await writeFile(join(directory, 'a/b.txt'), 'changed')
  await chmod(join(directory, 'bin/run'), 0o644)
  await rm(join(directory, 'link'))
  await writeFile(join(directory, 'link'), 'a/b.txt')
  await rm(join(directory, 'big'))
  await symlink('/etc/passwd', join(directory, 'big'))
  await writeFile(join(directory, 'a/extra'), 'stays')
  await mkdir(join(directory, 'module/.git'), { recursive: true })
  const { written, unchanged, removed } = await repo.checkout(directory)
  assert.deepEqual({ written, unchanged, removed }, { written: 4, unchanged: 3, removed: 0 })
  assert.equal(await readlink(join(directory, 'link')), 'a/b.txt')
  assert.ok((await lstat(join(directory, 'big'))).isFile())
  assert.equal((await lstat(join(directory, 'bin/run'))).mode & 0o111, 0o111)
  assert.equal(await readFile(join(directory, 'a/extra'), 'utf8'), 'stays')
})

test('remove: takes away what the tree does not have, follows no link, and leaves .git and submodules', async (context) => {
  const { repo, directory } = await fixture(context)
  const outside = join(directory, 'outside')
  const target = join(directory, 'target')
  await commitAllKinds(repo)
  await repo.checkout(target)
  await mkdir(join(outside), { recursive: true })
  await writeFile(join(outside, 'precious'), 'x')
  await symlink(outside, join(target, 'to-outside'))
  await mkdir(join(target, 'extra/deep/er'), { recursive: true })
  await writeFile(join(target, 'extra/deep/er/file'), 'x')
  for (const kept of ['.git', 'module/.git', 'nested/.git']) {
    await mkdir(join(target, kept), { recursive: true })
    await writeFile(join(target, kept, 'HEAD'), 'x')
  }
  await writeFile(join(target, 'nested/file'), 'x')
  const { removed, unchanged } = await repo.checkout(target, { remove: true })
  assert.deepEqual({ removed, unchanged }, { removed: 6, unchanged: 7 })
  const left = Object.keys(await treeOf(target)).filter((path) => path.includes('.git'))
  assert.deepEqual(left.sort(), ['.git/HEAD', 'module/.git/HEAD', 'nested/.git/HEAD'])
  assert.equal(await readFile(join(outside, 'precious'), 'utf8'), 'x')
  assert.equal(Object.keys(await treeOf(target)).length, 7 + 3)
})

test('a file where a directory belongs, the reverse, and a link to a directory: all listed, and replaced with remove', async (context) => {
  const { repo, directory } = await fixture(context)
  const outside = join(directory, 'outside')
  const target = join(directory, 'target')
  await mkdir(outside)
  await commit(repo, { 'a/b': '1', 'c/d': '2', e: '3', f: '4' })
  await mkdir(join(target, 'e/x'), { recursive: true })
  await writeFile(join(target, 'a'), 'a file')
  await symlink(outside, join(target, 'c'))
  const socket = createServer().listen(join(target, 'f'))
  context.after(() => socket.close())
  await once(socket, 'listening')
  const before = await treeOf(target)
  const refusal = await repo.checkout(target).then(
    () => assert.fail('was not refused'),
    (error) => error
  )
  assert.equal(refusal.reason, 'unwritable_paths')
  assert.deepEqual(refusal.details.violations.map(({ field }: { field: string }) => field).sort(), ['a', 'c', 'e', 'f'])
  assert.deepEqual(await treeOf(target), before)
  await repo.checkout(target, { remove: true })
  assert.deepEqual(await treeOf(target), { 'a/b': '1', 'c/d': '2', e: '3', f: '4' })
  assert.deepEqual(await readdir(outside), [])
})

test('names that Git refuses, and two of one name, are listed in one error before anything is written', async (context) => {
  const { repo, directory } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const file = { mode: '100644', oid } as const
  const inner = await storeTree(repo, [{ name: 'config', ...file }])
  const tree = await storeTree(repo, [
    { name: '.GIT', mode: '040000', oid: inner },
    { name: '..', ...file },
    { name: '.gitmodules', mode: '120000', oid },
    { name: 'a', ...file },
    { name: 'a', ...file },
    { name: 'b\u200c', ...file },
    { name: 'git~1', ...file },
    { name: 'n'.repeat(256), ...file }
  ])
  const target = join(directory, 'target')
  await assert.rejects(
    repo.checkout(target, { revision: tree }),
    (error: Error & { reason: string; details: object }) => {
      const { violations } = error.details as { violations: { field: string }[] }
      const fields = violations.map(({ field }) => field).sort()
      assert.deepEqual(fields, ['..', '.GIT', '.gitmodules', 'a', 'git~1', 'n'.repeat(256)])
      assert.match(error.message, /nothing was written.*"\.\." must not have/)
      return error.reason === 'unwritable_paths'
    }
  )
  await assert.rejects(lstat(target), { code: 'ENOENT' })
})

test('names that a file system holds equal are found in each directory', () => {
  const file = (path: string) => ({ path: Buffer.from(path).toString('latin1'), mode: '100644', oid: '' }) as const
  const { root } = wantedTree([
    file('README'),
    file('Readme'),
    file('d/\u00e9'),
    file('d/e\u0301'),
    file('D/x'),
    file('e/readme')
  ])
  const paths = (foldsCase: boolean, foldsForm: boolean) =>
    equalNames(root, { foldsCase, foldsForm }).map(({ path }) => Buffer.from(path, 'latin1').toString())
  assert.deepEqual(paths(false, false), [])
  assert.deepEqual(paths(true, false), ['Readme', 'D'])
  assert.deepEqual(paths(false, true), ['d/e\u0301'])
  assert.deepEqual(paths(true, true), ['Readme', 'D', 'd/e\u0301'])
})

test('names of devices, and characters and bytes that a system refuses', () => {
  const refused = (system: string) => (name: string) => fileNameProblem(name, system) !== undefined
  const names = ['con', 'NUL.txt', 'com1', 'a:b', 'a\\b', 'dot.', 'space ', '\xff', 'console', 'a.b']
  assert.deepEqual(names.filter(refused('win32')), names.slice(0, 8))
  assert.deepEqual(names.filter(refused('darwin')), ['\xff'])
  assert.deepEqual(names.filter(refused('linux')), [])
})

test('a name that is not UTF-8 is written as its bytes', { skip: process.platform !== 'linux' }, async (context) => {
  const { repo, directory } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const inner = await storeTree(repo, [{ name: Buffer.from([0xfe]), mode: '100644', oid }])
  const tree = await storeTree(repo, [{ name: Buffer.from([0x61, 0xff]), mode: '040000', oid: inner }])
  await repo.checkout(directory, { revision: tree })
  const [name] = await readdir(directory, { encoding: 'buffer' })
  assert.deepEqual(name, Buffer.from([0x61, 0xff]))
  assert.equal((await repo.checkout(directory, { revision: tree })).unchanged, 1)
})

test('a failure of the system says which file it was and how many were written, and leaves no part of it', async (context) => {
  const { repo, directory } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const target = await repo.storeBlob('t'.repeat(5000))
  const { oid: tree } = await repo.storeTree([
    { path: 'a', mode: '100644', oid },
    { path: 'b', mode: '120000', oid: target.oid }
  ])
  await assert.rejects(repo.checkout(directory, { revision: tree }), {
    code: 'aborted',
    reason: 'sink_failed',
    method: 'checkout',
    message: /could not write "b": ENAMETOOLONG: .*; [01] files were written and 0 entries removed before/
  })
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name !== 'a'),
    []
  )
  await writeFile(join(directory, 'file'), '')
  const below = repo.checkout(join(directory, 'file/below'), { revision: tree })
  await assert.rejects(below, { reason: 'sink_failed', message: /could not open the directory: (ENOTDIR|EEXIST)/ })
})

test('an abort ends the checkout, and no file is half-written', async (context) => {
  const { repo, directory } = await fixture(context)
  await commitAllKinds(repo)
  const controller = new AbortController()
  const onProgress = ({ phase }: TransferProgress) => {
    if (phase === 'write') controller.abort()
  }
  await assert.rejects(repo.checkout(directory, { onProgress }, { signal: controller.signal }), { code: 'cancelled' })
  for (const name of Object.keys(await treeOf(directory))) assert.doesNotMatch(name, /\.blobwire/)
})

test('progress counts files that are there as done', async (context) => {
  const { repo, directory } = await fixture(context)
  const contents = await commitAllKinds(repo)
  await repo.checkout(directory)
  await rm(join(directory, 'big'))
  const told: TransferProgress[] = []
  await repo.checkout(directory, { onProgress: (progress) => told.push(progress) })
  const { phase, files, totalFiles, transferredBytes } = told.at(-1) as TransferProgress
  const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0)
  assert.deepEqual(
    { phase, files, totalFiles, transferredBytes },
    { phase: 'write', files: 7, totalFiles: 7, transferredBytes: bytes }
  )
  assert.deepEqual([...new Set(told.map((each) => each.phase))], ['hash', 'write'])
})

test('a directory that becomes a link while files are written is not followed', {
  skip: process.platform !== 'linux'
}, async (context) => {
  const { repo, directory } = await fixture(context)
  const outside = join(directory, 'outside')
  const target = join(directory, 'target')
  await mkdir(outside)
  await commit(repo, { 'a/b/c': '1', 'a/d': '2', x: bytesOf(9, 1).toString() })
  await mkdir(join(target, 'a/b'), { recursive: true })
  const onProgress = ({ phase }: TransferProgress) => {
    if (phase !== 'write') return
    execFileSync('sh', ['-c', 'rm -rf a && ln -s ../outside a'], { cwd: target })
  }
  await assert.rejects(repo.checkout(target, { onProgress }), {
    reason: 'sink_failed',
    message: /"a\/.*(ENOTDIR|ELOOP)/
  })
  assert.deepEqual(await readdir(outside), [])
})
