/** A real tree to import: the installed dependencies, and a few files of the kinds that packages rarely have. */
import {
  appendFile,
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile
} from 'node:fs/promises'
import { join } from 'node:path'
import type { Mode } from '../src/index.ts'

/** One file of a tree. */
export interface SourceFile {
  path: string
  mode: Mode
  /** A file by its name, a symbolic link by its target. */
  content: { file: string } | Uint8Array
  /** Bytes. */
  size: number
}

/** Packages that are not copied: the Node runtime for npm scripts is no dependency of the code, and a third of all bytes. */
const ignored = new Set(['node', '.package-lock.json'])

/** Copies the dependencies into `directory`, symbolic links as they are. */
export async function makeSourceTree(directory: string, dependencies: string): Promise<void> {
  await cp(dependencies, join(directory, 'dependencies'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !ignored.has(source.slice(dependencies.length + 1).split('/', 1)[0] ?? '')
  })
  await addRareKinds(join(directory, 'rare'))
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
    else if (entry.isSymbolicLink()) {
      const content = Buffer.from(await readlink(full))
      files.push({ path, mode: '120000', content, size: content.length })
    } else {
      const { mode, size } = await lstat(full)
      files.push({ path, mode: (mode & 0o100) === 0 ? '100644' : '100755', content: { file: full }, size })
    }
  }
  return files
}

/** A tree after a handful of changes of every kind. */
export interface ChangedTree {
  /** The tree before: what changed since is kept as bytes. */
  before: SourceFile[]
  /** Paths that are gone. */
  removed: string[]
}

/** Changes the files of a tree. */
export async function changeSourceTree(directory: string, files: readonly SourceFile[]): Promise<ChangedTree> {
  const edited = files.filter(({ mode, path }) => mode === '100644' && path.endsWith('.js')).slice(0, 3)
  const removed = ['rare/empty']
  const changing = new Set([...edited.map(({ path }) => path), ...removed])
  const keep = async (file: SourceFile) =>
    changing.has(file.path) ? { ...file, content: await readFile(join(directory, file.path)) } : file
  const before = await Promise.all(files.map(keep))
  for (const { path } of edited) await appendFile(join(directory, path), '\n// changed\n')
  await writeFile(join(directory, 'rare', 'added.txt'), 'new in the second commit\n')
  await chmod(join(directory, 'rare', 'sort0'), 0o755)
  for (const path of removed) await rm(join(directory, path))
  return { before, removed }
}
