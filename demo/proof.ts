/** Proves an import with Git itself. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { readTree, type SourceFile } from './source-tree.ts'

const run = promisify(execFile)

async function git(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('git', args, { maxBuffer: 64 * 1024 * 1024 })
  return stdout + stderr
}

/** Facts of a repository that passed. */
export interface Proof {
  head: string
  /** One line for each commit, newest first. */
  log: string[]
}

/**
 * Checks the repository with `git fsck --strict`, clones it and compares the clone with the source, byte for byte and
 * mode for mode.
 * @throws Error naming the differences
 */
export async function prove(repository: string, clone: string, source: readonly SourceFile[]): Promise<Proof> {
  const findings = await git('-C', repository, 'fsck', '--strict', '--full')
  const bad = findings.split('\n').filter((line) => line !== '' && !/^(notice|Checking|dangling)/.test(line))
  if (bad.length > 0) throw new Error(`git fsck: ${bad.slice(0, 5).join('; ')}`)
  const log = (await git('-C', repository, 'log', '--format=%h %an %ad %s', '--date=iso', 'HEAD')).trim().split('\n')
  const head = (await git('-C', repository, 'rev-parse', 'HEAD')).trim()
  await git('clone', '--quiet', '--no-hardlinks', '-c', 'core.autocrlf=false', repository, clone)
  await compare(source, await readTree(clone))
  return { head, log }
}

const bytesOf = async ({ content }: SourceFile) => ('file' in content ? readFile(content.file) : content)

async function compare(source: readonly SourceFile[], cloned: readonly SourceFile[]): Promise<void> {
  const found = new Map(cloned.map((file) => [file.path, file]))
  const problems: string[] = []
  for (const file of source) {
    const { path, mode, size } = file
    const other = found.get(path)
    found.delete(path)
    if (other === undefined) problems.push(`${path} is not in the clone`)
    else if (other.mode !== mode) problems.push(`${path} has mode ${other.mode} instead of ${mode}`)
    else if (other.size !== size || Buffer.compare(await bytesOf(other), await bytesOf(file)) !== 0)
      problems.push(`${path} has other bytes`)
  }
  for (const path of found.keys()) problems.push(`${path} is in the clone only`)
  if (problems.length > 0)
    throw new Error(`the clone differs: ${problems.slice(0, 5).join('; ')} (${problems.length} in all)`)
}
