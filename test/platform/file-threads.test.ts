/** Threads that write files do what their interface says. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { openDirectory } from '../../src/platform/directories.ts'
import * as threadsOnNode from '../../src/platform/file-threads.ts'
import type {
  ContentOfFiles,
  FileBatch,
  FileFailure,
  FileThreadFunctions,
  NewFileKind
} from '../../src/platform/platform.ts'
import { temporaryDirectory } from '../files/tree.ts'

const { openFileThreads }: FileThreadFunctions = threadsOnNode
const onlyLinux = { skip: process.platform !== 'linux' }

async function opened(context: TestContext) {
  const place = await temporaryDirectory(context)
  const directory = await openDirectory(place, { make: false })
  const threads = await openFileThreads()
  assert.ok(threads)
  context.after(async () => {
    await threads.close()
    await directory.close()
  })
  const write = (contents: ContentOfFiles[], directories: FileBatch['directories'] = []) =>
    threads.write({ base: directory.base, directories, contents })
  return { place, write }
}

const codeOf = (failure: FileFailure | undefined) => (failure?.error as NodeJS.ErrnoException | undefined)?.code

/** A content that is to have the hash of `expected`. */
function content(
  expected: string,
  name: string,
  { directory = -1, kind = 'file' as NewFileKind, bytes = Buffer.from(expected) } = {}
): ContentOfFiles {
  const digest = createHash('sha1')
    .update(`blob ${Buffer.byteLength(expected)}\0${expected}`)
    .digest('hex')
  const hash = { algorithm: 'sha1', header: `blob ${Buffer.byteLength(expected)}\0`, digest } as const
  return { bytes, inflatedBytes: undefined, hash, files: [{ directory, name, kind }] }
}

const deflated = (text: string, name: string, inflatedBytes = text.length): ContentOfFiles => ({
  ...content(text, name, { bytes: deflateSync(text) }),
  inflatedBytes
})

test(
  'files, executables and links are written, deflated or not, into directories that are made',
  onlyLinux,
  async (context) => {
    const { place, write } = await opened(context)
    await mkdir(join(place, 'a'))
    await writeFile(join(place, 'file'), 'old')
    const directories = [
      { above: -1, name: 'a', isNew: false },
      { above: 0, name: Buffer.from('b\u00e9').toString('latin1'), isNew: true }
    ]
    const contents = [
      content('new', 'file'),
      content('run', 'run', { directory: 0, kind: 'executable' }),
      content('run', 'link', { directory: 1, kind: 'link' }),
      deflated('x'.repeat(1e5), 'large'),
      deflated('', 'empty')
    ]
    assert.equal(await write(contents, directories), undefined)
    assert.equal(await readFile(join(place, 'file'), 'utf8'), 'new')
    assert.equal(await readFile(join(place, 'large'), 'utf8'), 'x'.repeat(1e5))
    assert.equal(await readFile(join(place, 'empty'), 'utf8'), '')
    assert.equal((await lstat(join(place, 'a/run'))).mode & 0o111, 0o111 & ~process.umask())
    assert.equal(await readlink(join(place, 'a/b\u00e9/link')), 'run')
    assert.deepEqual((await readdir(place)).sort(), ['a', 'empty', 'file', 'large'])
  }
)

test(
  'a content of another hash or length, or that is no zlib stream, is not written; those before it are',
  onlyLinux,
  async (context) => {
    const { place, write } = await opened(context)
    const wrong = [
      content('right', 'wrong', { bytes: Buffer.from('wrong') }),
      deflated('text', 'wrong', 3),
      deflated('text', 'wrong', 5),
      deflated('text', 'wrong', 2 ** 40),
      { ...deflated('text', 'wrong'), bytes: deflateSync('text').subarray(0, 8) },
      { ...deflated('text', 'wrong'), bytes: deflateSync('tent') }
    ]
    for (const failing of wrong) {
      assert.deepEqual(await write([content('x', 'first'), failing]), { content: 1, file: 0, error: undefined })
      assert.deepEqual(await readdir(place), ['first'])
    }
  }
)

test('no link is followed; what failed leaves no part of a file, and is told', onlyLinux, async (context) => {
  const { place, write } = await opened(context)
  await mkdir(join(place, 'elsewhere'))
  await symlink('elsewhere', join(place, 'link'))
  const directories = [{ above: -1, name: 'link', isNew: true }]
  const failure = await write([content('x', 'file', { directory: 0 })], directories)
  assert.match(codeOf(failure) ?? '', /ENOTDIR|ELOOP/)
  assert.deepEqual(await readdir(join(place, 'elsewhere')), [])
  // A file cannot have the place of a directory.
  const second = await write([content('x', 'elsewhere')])
  assert.equal(codeOf(second), 'EISDIR')
  assert.deepEqual((await readdir(place)).sort(), ['elsewhere', 'link'])
})

test('a thread that dies fails the batches that it has, and those that come', {
  ...onlyLinux,
  timeout: 10_000
}, async (context) => {
  const { write } = await opened(context)
  const deadly = { bytes: Buffer.from('x'), files: undefined } as unknown as ContentOfFiles
  await Promise.all([assert.rejects(write([deadly]), /undefined/), assert.rejects(write([deadly]), /undefined/)])
  for (const file of ['a', 'b']) await assert.rejects(write([content('x', file)]), /undefined/)
})

test('threads that end before they begin leave the files to others', onlyLinux, () => {
  const preload = 'import { isMainThread } from "node:worker_threads"; if (!isMainThread) process.exit(0)'
  const module = JSON.stringify(new URL('../../src/platform/file-threads.ts', import.meta.url))
  const script = `import(${module}).then(({ openFileThreads }) => openFileThreads()).then((opened) => console.log(String(opened)))`
  const args = ['--no-warnings', '--import', `data:text/javascript,${preload}`, '--eval', script]
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 10_000 }), 'undefined\n')
})
