/** A real tree to import: the installed dependencies, and a few files of the kinds that packages rarely have. */
import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mode } from '../src/index.ts'

/** One file of a tree: where it is, what Git calls it, its bytes. */
export interface SourceFile {
  path: string
  mode: Mode
  content: Uint8Array
}

/** A file that stays behind, and its size in bytes. */
export interface LeftOut {
  path: string
  size: number
}

/** The Node runtime that npm scripts run on is no dependency of the code, and a third of all bytes. */
const skipped = new Set(['node', '.package-lock.json'])

/** Copies the dependencies into `folder`, symbolic links as they are, without files above `maxBytes`. */
export async function makeSourceTree(folder: string, dependencies: string, maxBytes: number): Promise<LeftOut[]> {
  const leftOut: LeftOut[] = []
  await cp(dependencies, join(folder, 'dependencies'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (source) => {
      const path = source.slice(dependencies.length + 1)
      if (skipped.has(path.split('/', 1)[0] ?? '')) return false
      const stats = await lstat(source)
      if (!stats.isFile() || stats.size <= maxBytes) return true
      leftOut.push({ path, size: stats.size })
      return false
    }
  })
  await addRareKinds(join(folder, 'rare'))
  return leftOut
}

async function addRareKinds(folder: string): Promise<void> {
  await mkdir(join(folder, 'Ünïcödé', '日本語'), { recursive: true })
  await writeFile(join(folder, 'empty'), '')
  await writeFile(join(folder, 'Ünïcödé', '日本語', 'ファイル 🎉.txt'), 'non-ASCII names, and a space\n')
  await writeFile(join(folder, 'quote"back\\slash\tand tab'), 'a name that needs care\n')
  await writeFile(
    join(folder, 'binary.dat'),
    Uint8Array.from({ length: 65536 }, (_, index) => (index * 31) & 0xff)
  )
  await writeFile(join(folder, 'run.sh'), '#!/bin/sh\necho executable\n')
  await chmod(join(folder, 'run.sh'), 0o755)
  await symlink('run.sh', join(folder, 'link'))
  await symlink('../nowhere', join(folder, 'dangling link'))
  // Sorted by Git as "sort.a" < "sort/" < "sort0": a trap for whoever compares names alone.
  await mkdir(join(folder, 'sort'))
  await writeFile(join(folder, 'sort', 'inside'), 'x\n')
  await writeFile(join(folder, 'sort.a'), 'x\n')
  await writeFile(join(folder, 'sort0'), 'x\n')
}

/** Every file below a folder, sorted by path; folders themselves are not in it, as in Git. */
export async function readTree(folder: string, below = ''): Promise<SourceFile[]> {
  const files: SourceFile[] = []
  const entries = await readdir(join(folder, below), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    const full = join(folder, path)
    if (path === '.git') continue
    if (entry.isDirectory()) files.push(...(await readTree(folder, path)))
    else if (entry.isSymbolicLink()) files.push({ path, mode: '120000', content: Buffer.from(await readlink(full)) })
    else {
      const executable = ((await lstat(full)).mode & 0o100) !== 0
      files.push({ path, mode: executable ? '100755' : '100644', content: await readFile(full) })
    }
  }
  return files
}

/** A handful of changes of every kind; returns the paths that are gone. */
export async function changeSourceTree(folder: string): Promise<string[]> {
  const files = (await readTree(folder)).filter(({ mode, path }) => mode === '100644' && path.endsWith('.js'))
  for (const { path, content } of files.slice(0, 3)) {
    await writeFile(join(folder, path), Buffer.concat([content, Buffer.from('\n// changed\n')]))
  }
  await writeFile(join(folder, 'rare', 'added.txt'), 'new in the second commit\n')
  await chmod(join(folder, 'rare', 'sort0'), 0o755)
  await rm(join(folder, 'rare', 'empty'))
  return ['rare/empty']
}
