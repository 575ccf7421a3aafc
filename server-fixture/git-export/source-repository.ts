/** The repository of Git that is imported: its refs, and its objects by kind. */
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import { CatFile } from '../store/git/cat-file.ts'
import { type GitExit, gitFailure } from '../store/git/git-failure.ts'
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
  const gitDir = await gitDirOf(path)
  if (!(await isThere(join(gitDir, 'HEAD')))) throw invalidArgument('directory', `${path} is no repository of Git`)
  const context = { program, gitDir }
  const answers = await runGit(context, ['rev-parse', '--show-object-format', '--is-shallow-repository'])
  const [format, isShallow] = answers.toString('latin1').split('\n')
  if (isShallow === 'true') {
    const message = `${path} is shallow: commits that its history names are missing; complete it with git fetch --unshallow`
    throw new BlobwireError({ reason: 'unsupported_repository', message })
  }
  await refusePartial(path, context)
  const refs = await readRefs(path, context)
  const head = await runGit(context, ['symbolic-ref', '--quiet', 'HEAD']).catch(() => Buffer.alloc(0))
  return {
    context,
    format: format === 'sha256' ? 'sha256' : 'sha1',
    defaultBranch: linesOf(head)[0] || undefined,
    refs
  }
}

/** Work trees that share a repository have a file in its place, which tells where it is (gitrepository-layout(5)). */
async function gitDirOf(path: string): Promise<string> {
  const inWorkTree = join(path, '.git')
  if (!(await isThere(inWorkTree))) return path
  const told = await readFile(inWorkTree, 'utf8').catch(() => '')
  return told.startsWith('gitdir: ') ? resolve(path, told.slice('gitdir: '.length).trimEnd()) : inWorkTree
}

/** Git would ask another machine for what is missing, object by object. */
async function refusePartial(path: string, context: RepositoryContext): Promise<void> {
  const { status } = await run(context, ['config', '--get-regexp', String.raw`^remote\..*\.promisor$`, 'true'])
  if (status !== 0) return
  const message = `${path} is a partial clone: objects that its history names are missing; import a clone without --filter`
  throw new BlobwireError({ reason: 'unsupported_repository', message })
}

async function readRefs(path: string, context: RepositoryContext): Promise<Map<string, string>> {
  const exit = await run(context, ['for-each-ref', '--format=%(objectname) %(refname)'])
  if (exit.status !== 0) throw gitFailure('git for-each-ref', exit, context.gitDir)
  // Git leaves them out, and prune would delete them.
  const [broken] = /^warning: ignoring (?:broken ref|ref with broken name) .*$/m.exec(exit.stderr) ?? []
  if (broken) throw damaged(`a ref of ${path} is damaged: ${broken.slice('warning: ignoring '.length)}`, exit)
  const refs = new Map<string, string>()
  for (const line of linesOf(exit.output)) {
    const space = line.indexOf(' ')
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space))
  }
  return refs
}

/** Runs git to its end, whatever that is. */
async function run(context: RepositoryContext, args: readonly string[]): Promise<GitExit & { output: Buffer }> {
  const chunks: Buffer[] = []
  const git = new GitProcess(context, args, (chunk) => chunks.push(chunk))
  git.end()
  return { ...(await git.exited), output: Buffer.concat(chunks) }
}

const damaged = (message: string, { stderr }: GitExit) =>
  new BlobwireError({ reason: 'integrity', message, cause: new Error(stderr) })

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false
  )

/** The objects that refs reach, by kind; commits and tags in the order of `git rev-list --topo-order`. */
export type ObjectLists = Readonly<Record<ObjectKind, OidList>>

/** @param known oids of commits that are left out with all that they reach, where the repository has them */
export async function listObjects({ context, format }: GitSource, known: readonly string[]): Promise<ObjectLists> {
  const there = await thereOf(context, known)
  return listReached({ context, format }, { ends: ['--all', '--stdin'], oids: there.map((oid) => `^${oid}`) })
}

/** All objects that these reach, and that no ref of the repository does. */
export function listNewObjects(
  source: Pick<GitSource, 'context' | 'format'>,
  tips: readonly string[]
): Promise<ObjectLists> {
  return listReached(source, { ends: ['--stdin', '--not', '--all'], oids: tips })
}

/** @param ends where the walk of `git rev-list` begins and ends, of which some are told on its standard input */
async function listReached(
  { context, format }: Pick<GitSource, 'context' | 'format'>,
  { ends, oids }: { readonly ends: readonly string[]; readonly oids: readonly string[] }
): Promise<ObjectLists> {
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
  const command = ['rev-list', '--objects', '--no-object-names', '--topo-order', ...ends]
  const list = new GitProcess(context, command, (chunk) => check.write(chunk))
  list.write(oids.map((oid) => `${oid}\n`).join(''))
  list.end()
  const listed = await list.exited
  check.end()
  const checked = await check.exited
  if (listed.status !== 0) throw listFailure(listed, context.gitDir)
  if (checked.status !== 0) throw gitFailure('git cat-file', checked, context.gitDir)
  return lists
}

/** Those of the objects that the repository has. */
async function thereOf(context: RepositoryContext, oids: readonly string[]): Promise<string[]> {
  if (oids.length === 0) return []
  const git = new CatFile(context)
  try {
    const infos = await git.ask({ command: 'info', oids })
    return oids.filter((_, index) => infos[index] !== undefined)
  } finally {
    git.end()
    await git.exited
  }
}

/** Git names the first object that is missing or damaged. */
function listFailure(exit: GitExit, gitDir: string): BlobwireError {
  const failure = gitFailure('git rev-list', exit, gitDir)
  const told = /^fatal: (.*)$/m.exec(exit.stderr)?.[1]
  if (failure.reason !== 'git_failed' || told === undefined) return failure
  return damaged(`the repository that is imported is damaged: ${told.replaceAll(gitDir, '')}`, exit)
}

/** Calls for each line, however the output is cut into chunks. */
export function lineReader(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = ''
  return (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
}
