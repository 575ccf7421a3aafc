/** A real tree to import: the installed dependencies, and a few files of the kinds that packages rarely have. */
import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mode } from '../src/index.ts'

/** One file of a tree. */
export interface SourceFile {
  path: string
  mode: Mode
  content: Uint8Array
}

/** A file that is not imported, and its size in bytes. */
export interface SkippedFile {
  path: string
  size: number
}

/** Packages that are not copied: the Node runtime for npm scripts is no dependency of the code, and a third of all bytes. */
const ignored = new Set(['node', '.package-lock.json'])

/** Copies the dependencies into `directory`, symbolic links as they are, without files above `maxBytes`. */
export async function makeSourceTree(
  directory: string,
  dependencies: string,
  maxBytes: number
): Promise<SkippedFile[]> {
  const skipped: SkippedFile[] = []
  await cp(dependencies, join(directory, 'dependencies'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (source) => {
      const path = source.slice(dependencies.length + 1)
      if (ignored.has(path.split('/', 1)[0] ?? '')) return false
      const stats = await lstat(source)
      if (!stats.isFile() || stats.size <= maxBytes) return true
      skipped.push({ path, size: stats.size })
      return false
    }
  })
  await addRareKinds(join(directory, 'rare'))
  return skipped
}

async function addRareKinds(directory: string): Promise<void> {
  await mkdir(join(directory, 'Ünïcödé', '日本語'), { recursive: true })
  await writeFile(join(directory, 'empty'), '')
  await writeFile(join(directory, 'Ünïcödé', '日本語', 'ファイル 🎉.txt'), 'non-ASCII names, and a space\n')
  await writeFile(join(directory, 'quote"back\\slash\tand tab'), 'a name that needs care\n')
  await writeFile(
    join(directory, 'binary.dat'),
    Uint8Array.from({ length: 65536 }, (_, index) => (index * 31) & 0xff)
  )
  await writeFile(join(directory, 'run.sh'), '#!/bin/sh\necho executable\n')
  await chmod(join(directory, 'run.sh'), 0o755)
  await symlink('run.sh', join(directory, 'link'))
  await symlink('../nowhere', join(directory, 'dangling link'))
  // Sorted by Git as "sort.a" < "sort/" < "sort0": a trap for code that compares names alone.
  await mkdir(join(directory, 'sort'))
  await writeFile(join(directory, 'sort', 'inside'), 'x\n')
  await writeFile(join(directory, 'sort.a'), 'x\n')
  await writeFile(join(directory, 'sort0'), 'x\n')
}

/** Every file below a directory, sorted by path; directories themselves are not listed, as in Git. */
export async function readTree(directory: string, below = ''): Promise<SourceFile[]> {
  const files: SourceFile[] = []
  const entries = await readdir(join(directory, below), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    const full = join(directory, path)
    if (path === '.git') continue
    if (entry.isDirectory()) files.push(...(await readTree(directory, path)))
    else if (entry.isSymbolicLink()) files.push({ path, mode: '120000', content: Buffer.from(await readlink(full)) })
    else {
      const executable = ((await lstat(full)).mode & 0o100) !== 0
      files.push({ path, mode: executable ? '100755' : '100644', content: await readFile(full) })
    }
  }
  return files
}

/** A handful of changes of every kind; returns the paths that are gone. */
export async function changeSourceTree(directory: string): Promise<string[]> {
  const files = (await readTree(directory)).filter(({ mode, path }) => mode === '100644' && path.endsWith('.js'))
  for (const { path, content } of files.slice(0, 3)) {
    await writeFile(join(directory, path), Buffer.concat([content, Buffer.from('\n// changed\n')]))
  }
  await writeFile(join(directory, 'rare', 'added.txt'), 'new in the second commit\n')
  await chmod(join(directory, 'rare', 'sort0'), 0o755)
  await rm(join(directory, 'rare', 'empty'))
  return ['rare/empty']
}
