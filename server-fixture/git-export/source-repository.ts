/** The repository of Git that is imported: its refs, and its objects by kind. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import { gitFailure } from '../store/git/git-failure.ts'
import { GitProcess, type RepositoryContext, runGit } from '../store/git/git-process.ts'
import { linesOf } from '../store/ref-bytes.ts'
import { OidList } from './oid-list.ts'

/** A repository of Git. */
export interface GitSource {
  readonly context: RepositoryContext
  readonly format: ObjectFormat
  /** Full name of the branch of HEAD; undefined = HEAD is detached. */
  readonly defaultBranch: string | undefined
  /** Oids by name, without HEAD. */
  readonly refs: ReadonlyMap<string, string>
}

/** @param path of a bare repository, or of one with a work tree. @throws BlobwireError where there is none, or not all of one */
export async function openSource(path: string, program: string): Promise<GitSource> {
  const gitDir = (await isThere(join(path, '.git'))) ? join(path, '.git') : path
  if (!(await isThere(join(gitDir, 'HEAD')))) throw invalidArgument('directory', `${path} is no repository of Git`)
  const context = { program, gitDir }
  const answers = await runGit(context, ['rev-parse', '--show-object-format', '--is-shallow-repository'])
  const [format, isShallow] = answers.toString('latin1').split('\n')
  if (isShallow === 'true') {
    const message = `${path} is shallow: commits that its history names are missing; complete it with git fetch --unshallow`
    throw new BlobwireError({ reason: 'unsupported_repository', message })
  }
  const refs = new Map<string, string>()
  for (const line of linesOf(await runGit(context, ['for-each-ref', '--format=%(objectname) %(refname)']))) {
    const space = line.indexOf(' ')
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space))
  }
  const head = await runGit(context, ['symbolic-ref', '--quiet', 'HEAD']).catch(() => Buffer.alloc(0))
  return {
    context,
    format: format === 'sha256' ? 'sha256' : 'sha1',
    defaultBranch: linesOf(head)[0] || undefined,
    refs
  }
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false
  )

/** The objects that refs reach, by kind; commits and tags in the order of `git rev-list --topo-order`. */
export type ObjectLists = Readonly<Record<ObjectKind, OidList>>

/** @param known oids of commits that are left out with all that they reach, where the repository has them */
export async function listObjects({ context, format }: GitSource, known: readonly string[]): Promise<ObjectLists> {
  const lists = {
    blob: new OidList(format),
    tree: new OidList(format),
    commit: new OidList(format),
    tag: new OidList(format)
  }
  const check = new GitProcess(
    context,
    ['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)', '--buffer'],
    lineReader((line) => {
      const [oid = '', kind = '', size] = line.split(' ')
      if (size === undefined) throw new Error(`git cat-file: ${line}`)
      lists[kind as ObjectKind].push(oid, Number(size))
    })
  )
  const command = ['rev-list', '--objects', '--no-object-names', '--topo-order', '--ignore-missing', '--all', '--stdin']
  const list = new GitProcess(context, command, (chunk) => check.write(chunk))
  list.write(known.map((oid) => `^${oid}\n`).join(''))
  list.end()
  const listed = await list.exited
  check.end()
  const checked = await check.exited
  if (listed.status !== 0) throw gitFailure('git rev-list', listed, context.gitDir)
  if (checked.status !== 0) throw gitFailure('git cat-file', checked, context.gitDir)
  return lists
}

/** Calls for each line, however the output is cut into chunks. */
function lineReader(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = ''
  return (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
}
