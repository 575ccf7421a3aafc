/**
 * `DirectoryFunctions` of platform.ts on Node.
 *
 * Node has no `openat`. On Linux, `/proc/self/fd/N/name` is the same: the system resolves it from the directory that is
 * open, so that nobody can put a link in its way. Elsewhere, a directory is looked at when it is opened, and used by its
 * path.
 */
import type { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeHex, toNative } from './bytes.ts'
import { changeMode, closeFile, openFile, readAll, statFile, writeAll } from './descriptors.ts'
import {
  hasDescriptors,
  newFileFlags,
  noFollow,
  onlyDirectory,
  pathIn,
  pathOfOpen,
  temporaryName
} from './directory-paths.ts'
import type { Directory, DirectoryItem, IncrementalHash } from './platform.ts'

export { temporaryName } from './directory-paths.ts'
export { fileNameProblem } from './file-names.ts'

/** A FIFO would wait for its writer. */
const toRead = constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0)

export async function openDirectory(path: string | URL, { make }: { make: boolean }): Promise<Directory> {
  const absolute = resolve(path instanceof URL ? fileURLToPath(path) : path)
  if (make) await fs.mkdir(absolute, { recursive: true })
  if (hasDescriptors()) return OpenDirectory.at(absolute, onlyDirectory)
  await fs.opendir(absolute).then((directory) => directory.close())
  return new OpenDirectory(absolute, undefined)
}

class OpenDirectory implements Directory {
  readonly base: string
  readonly #descriptor: number | undefined

  constructor(base: string, descriptor: number | undefined) {
    this.base = base
    this.#descriptor = descriptor
  }

  static async at(path: string | Buffer, flags: number): Promise<OpenDirectory> {
    const descriptor = await openFile(path, flags)
    return new OpenDirectory(pathOfOpen(descriptor), descriptor)
  }

  #path(name: string): string | Buffer {
    return pathIn(this.base, name)
  }

  async list(): Promise<DirectoryItem[]> {
    const items = await fs.readdir(this.base, { withFileTypes: true, encoding: 'buffer' })
    return items.map((item) => {
      const name = item.name.toString('latin1')
      if (item.isSymbolicLink()) return { name, kind: 'link' }
      if (item.isDirectory()) return { name, kind: 'directory' }
      return { name, kind: item.isFile() ? 'file' : 'other' }
    })
  }

  async has(name: string): Promise<boolean> {
    return fs.lstat(this.#path(name)).then(
      () => true,
      () => false
    )
  }

  async open(name: string): Promise<Directory> {
    const path = this.#path(name)
    if (hasDescriptors()) return OpenDirectory.at(path, onlyDirectory | noFollow)
    const found = await fs.lstat(path)
    if (!found.isDirectory()) throw Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR' })
    return new OpenDirectory(path.toString(), undefined)
  }

  async make(name: string): Promise<void> {
    await fs.mkdir(this.#path(name)).catch((error) => {
      // Another process may have made it; what it is, shows when it is opened.
      if (error.code !== 'EEXIST') throw error
    })
  }

  async hashFile(name: string, newHash: (size: number) => IncrementalHash) {
    const descriptor = await openFile(this.#path(name), toRead)
    try {
      const { size, mode } = await statFile(descriptor)
      const hash = newHash(size)
      // A file that changes meanwhile has no oid.
      const isWhole = (await readAll(descriptor, size, (chunk) => hash.update(chunk))) === size
      return { digest: isWhole ? encodeHex(toNative(hash.digest())) : '', size, isExecutable: (mode & 0o100) !== 0 }
    } finally {
      await closeFile(descriptor)
    }
  }

  readLink(name: string): Promise<Uint8Array> {
    return fs.readlink(this.#path(name), { encoding: 'buffer' })
  }

  async setExecutable(name: string, isExecutable: boolean): Promise<void> {
    const descriptor = await openFile(this.#path(name), toRead)
    try {
      const { mode } = await statFile(descriptor)
      // Whoever may read the file may execute it, as Git does it.
      await changeMode(descriptor, isExecutable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111)
    } finally {
      await closeFile(descriptor)
    }
  }

  writeFile(
    name: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    { isExecutable }: { isExecutable: boolean }
  ): Promise<void> {
    return this.#beside(name, async (path) => {
      const descriptor = await openFile(path, newFileFlags, isExecutable ? 0o777 : 0o666)
      try {
        if (content instanceof Uint8Array) await writeAll(descriptor, content)
        else for await (const chunk of content) await writeAll(descriptor, chunk)
      } finally {
        await closeFile(descriptor)
      }
    })
  }

  makeLink(name: string, target: Uint8Array): Promise<void> {
    return this.#beside(name, (path) => fs.symlink(toNative(target) as unknown as Buffer, path))
  }

  /** Makes a file under a name of its own, and gives it its name when it is whole. */
  async #beside(name: string, make: (path: string) => Promise<void>): Promise<void> {
    const path = `${this.base}/${temporaryName()}`
    try {
      await make(path)
      await fs.rename(path, this.#path(name))
    } catch (error) {
      await fs.unlink(path).catch(() => undefined)
      throw error
    }
  }

  async remove(name: string): Promise<void> {
    await fs.unlink(this.#path(name))
  }

  async removeDirectory(name: string): Promise<void> {
    await fs.rmdir(this.#path(name))
  }

  async close(): Promise<void> {
    if (this.#descriptor !== undefined) await closeFile(this.#descriptor)
  }
}
