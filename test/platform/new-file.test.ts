/** Files that are written beside their target and take its place, and streams of the runtime. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as newFileOnNode from '../../src/platform/new-file.ts'
import type { NewFileFunctions, StreamFunctions } from '../../src/platform/platform.ts'
import * as streamsOnNode from '../../src/platform/streams.ts'

const { createFile }: NewFileFunctions = newFileOnNode
const { nodeStream }: StreamFunctions = streamsOnNode

const directory = await mkdtemp(join(tmpdir(), 'blobwire-new-file-'))
after(() => rm(directory, { recursive: true }))

test('a new file is there whole or not at all, however many chunks it has', async () => {
  const path = join(directory, 'new.bin')
  const chunks = Array.from({ length: 3000 }, (_, index) => new Uint8Array((index * 7919) % 5000).fill(index))
  const file = await createFile(path)
  for (const chunk of chunks) await file.write(chunk)
  await assert.rejects(stat(path), { code: 'ENOENT' })
  assert.deepEqual((await readdir(directory)).length, 1)
  await file.commit()
  await file.discard()
  assert.ok((await readFile(path)).equals(Buffer.concat(chunks)))
  assert.deepEqual(await readdir(directory), ['new.bin'])
  assert.equal((await stat(path)).mode & 0o777, 0o666 & ~process.umask())
  await rm(path)
})

test('a file that is discarded leaves the old one as it was', async () => {
  const path = join(directory, 'kept')
  await writeFile(path, 'old')
  const file = await createFile(path)
  file.write(new Uint8Array(10))
  await file.write(new Uint8Array(2 * 1024 * 1024))
  await file.discard()
  await file.discard()
  assert.equal(await readFile(path, 'utf8'), 'old')
  assert.deepEqual(await readdir(directory), ['kept'])
  await rm(path)
})

test('a file that is replaced keeps its mode, and a link stays one', async () => {
  const path = join(directory, 'tool')
  const link = join(directory, 'link')
  await writeFile(path, 'old')
  await chmod(path, 0o751)
  await symlink('tool', link)
  const file = await createFile(pathToFileURL(link))
  file.write(Buffer.from('new'))
  await file.commit()
  assert.equal(await readFile(path, 'utf8'), 'new')
  assert.equal((await stat(path)).mode & 0o7777, 0o751)
  assert.ok((await lstat(link)).isSymbolicLink())
  await rm(link)
  await rm(path)
})

test('directories, sockets and missing directories are refused before anything is written', async () => {
  const path = join(directory, 'sub')
  await mkdir(path)
  await assert.rejects(createFile(path), { code: 'EISDIR' })
  await assert.rejects(createFile(join(directory, 'none/')), { code: 'EISDIR' })
  const server = createServer().listen(join(directory, 'socket'))
  await once(server, 'listening')
  await assert.rejects(createFile(join(directory, 'socket')), { code: 'ENOTSUP' })
  server.close()
  await once(server, 'close')
  await assert.rejects(createFile(join(directory, 'none/file')), { code: 'ENOENT' })
  await assert.rejects(createFile(new URL('http://localhost/file')), TypeError)
  assert.deepEqual(await readdir(directory), ['sub'])
  await rm(path, { recursive: true })
})

test('a Node stream gives the bytes, and destroying it returns the iterator', async () => {
  async function* chunks() {
    yield new Uint8Array([1, 2])
    yield new Uint8Array([3])
  }
  const stream = nodeStream(chunks()) as Readable
  assert.deepEqual(Buffer.concat(await stream.toArray()), Buffer.from([1, 2, 3]))
  const returned = Promise.withResolvers<IteratorReturnResult<undefined>>()
  const never = {
    next: () => new Promise<never>(() => undefined),
    return() {
      const result = { done: true, value: undefined } as const
      returned.resolve(result)
      return Promise.resolve(result)
    },
    [Symbol.asyncIterator]: () => never
  }
  const destroyed = nodeStream(never) as Readable
  destroyed.resume()
  await new Promise((resolve) => setImmediate(resolve))
  destroyed.destroy()
  await returned.promise
})
