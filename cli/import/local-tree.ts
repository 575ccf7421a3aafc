/** Lists a local directory: files and links with modes, as Git has them. */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Dirent, Stats } from 'node:fs'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import picomatch from 'picomatch'
import type { Mode, Path, UploadSource } from '../../src/index.ts'
import { CommandError } from '../errors.ts'

/** A file or a link. */
export interface LocalFile {
  /** Path in the repository; bytes where the name is not UTF-8. */
  readonly path: Path
  /** The path's bytes, a character each: the key in maps. */
  readonly key: string
  readonly mode: Mode
  /** In bytes. */
  readonly size: number
  readonly content: UploadSource
  /** On the disk; undefined for a link, whose content is its target. */
  readonly disk: Buffer | undefined
  /** Tells when a file was changed since. */
  readonly identity: string
}

/** A directory as it was found. */
export interface LocalTree {
  readonly files: readonly LocalFile[]
  /** Entries that no repository can have, each with the reason. */
  readonly leftOut: readonly string[]
  /** Directories without any entry, of which Git knows nothing. */
  readonly emptyDirectories: number
}

/** The key of a path that a listing of the repository tells. */
export function keyOf({ path, rawPath }: { readonly path: string; readonly rawPath?: Uint8Array | undefined }): string {
  return Buffer.from(rawPath?.length ? rawPath : path).toString('latin1')
}

/** @throws CommandError where a directory or a link cannot be read */
export async function readLocalTree(directory: string, exclude: readonly string[]): Promise<LocalTree> {
  const tree = { files: [] as LocalFile[], leftOut: [] as string[], emptyDirectories: 0 }
  const isExcluded = excluded(exclude)
  const root = Buffer.from(directory)
  const waiting: Buffer[] = [Buffer.alloc(0)]
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const entries = await readEntries(below.length === 0 ? root : join(root, below), directory)
    if (entries.length === 0 && below.length > 0) tree.emptyDirectories++
    for (const entry of entries) {
      const path = below.length === 0 ? entry.name : join(below, entry.name)
      if (isExcluded(path.toString())) continue
      const problem = problemOf(entry)
      if (problem !== undefined) tree.leftOut.push(`${path}: ${problem}`)
      else if (entry.isDirectory()) waiting.push(path)
      else tree.files.push(await readFile(join(root, path), path))
    }
  }
  tree.files.sort((a, b) => (a.key < b.key ? -1 : 1))
  return tree
}

function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name])
}

async function readEntries(disk: Buffer, directory: string): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(disk, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isRoot = disk.toString() === directory
    if (isRoot && code === 'ENOENT') throw new CommandError(`there is no directory ${directory}`)
    if (isRoot && code === 'ENOTDIR') throw new CommandError(`${directory} is a file, not a directory`)
    throw unreadable(disk, error)
  }
}

/** Git refuses `.git` in any case; devices, sockets and pipes have no content. */
function problemOf(entry: Dirent<Buffer>): string | undefined {
  if (entry.name.toString().toLowerCase() === '.git') return 'Git has no entries of this name'
  if (entry.isDirectory() || entry.isFile() || entry.isSymbolicLink()) return undefined
  return 'neither a file, a directory nor a link'
}

/** The file as it is now. @throws CommandError */
export async function readFile(disk: Buffer, name: Buffer): Promise<LocalFile> {
  const stats = await lstat(disk).catch((error) => {
    throw unreadable(disk, error)
  })
  const path = isUtf8(name) ? name.toString() : new Uint8Array(name)
  const key = name.toString('latin1')
  const identity = identityOf(stats)
  if (stats.isSymbolicLink()) {
    const content = await readlink(disk, { encoding: 'buffer' })
    return { path, key, identity, mode: '120000', size: content.length, content, disk: undefined }
  }
  const mode = (stats.mode & 0o100) === 0 ? '100644' : '100755'
  // A name in other bytes than UTF-8 has no string that leads to the file.
  const content = isUtf8(disk) ? { file: disk.toString() } : () => createReadStream(disk)
  return { path, key, identity, mode, size: stats.size, content, disk }
}

function identityOf({ size, mtimeMs, ino }: Stats): string {
  return [size, mtimeMs, ino].join('-')
}

function unreadable(disk: Buffer, error: unknown): CommandError {
  return new CommandError(`${disk} cannot be read: ${(error as Error).message}`, { cause: error })
}

/** A pattern without a slash is for names at any depth, one with a slash for paths from the directory on. */
function excluded(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false
  const patterns = globs.map((glob) => {
    const pattern = glob.replace(/^\/|\/$/g, '')
    return glob.replace(/\/$/, '').includes('/') ? pattern : `**/${pattern}`
  })
  return picomatch(patterns, { dot: true, nonegate: true })
}
