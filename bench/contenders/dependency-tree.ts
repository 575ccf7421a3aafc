/** A tree of some 8,000 files as applications have it: the dependencies of this project. */
import { copyFile, mkdir, mkdtemp, opendir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runGit } from './git-drivers.ts'

const dependencies = fileURLToPath(new URL('../../node_modules', import.meta.url))
/** Without the programs of Node itself, whose size depends on the platform. */
const leftOut = join(dependencies, 'node')
const maxFileBytes = 1024 * 1024

/** A file of a directory, with the mode that Git gives it. */
export interface TreeFile {
  readonly path: string
  readonly mode: '100644' | '100755'
  readonly bytes: number
}

/** A copy in a directory of its own. */
export interface DependencyTree extends AsyncDisposable {
  readonly directory: string
  readonly files: readonly TreeFile[]
  /** The tree by Git's own reckoning. */
  readonly oid: string
}

/** All regular files below a directory, up to 1 MiB each. */
async function filesBelow(directory: string): Promise<TreeFile[]> {
  const files: TreeFile[] = []
  const walk = async (at: string): Promise<void> => {
    for await (const entry of await opendir(at)) {
      const path = join(at, entry.name)
      if (entry.isDirectory() && path !== leftOut && entry.name !== '.git') await walk(path)
      if (!entry.isFile()) continue
      const { size, mode } = await stat(path)
      if (size > maxFileBytes) continue
      files.push({ path: relative(directory, path), mode: mode & 0o100 ? '100755' : '100644', bytes: size })
    }
  }
  await walk(directory)
  return files
}

export async function copyDependencyTree(): Promise<DependencyTree> {
  const root = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const directory = join(root, 'tree')
  const files = await filesBelow(dependencies)
  for (const { path } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await copyFile(join(dependencies, path), join(directory, path))
  }
  const scratch = `--git-dir=${join(root, 'scratch.git')}`
  await runGit([scratch, 'init', '--quiet', '--bare'])
  await runGit([scratch, `--work-tree=${directory}`, 'add', '--all', '--force', '.'])
  const oid = (await runGit([scratch, 'write-tree'])).trim()
  return { directory, files, oid, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}
