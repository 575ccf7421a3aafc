/** The local repository: its refs, HEAD and form. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ObjectFormat } from '../../src/index.ts'
import { runGit } from './git.ts'
import type { RefName } from './ref-name.ts'

/** A ref as `git for-each-ref` lists it. */
export interface SourceRef {
  readonly name: RefName
  readonly oid: string
}

/** A local repository, as it was when it was looked at. */
export interface Source {
  readonly directory: string
  readonly objectFormat: ObjectFormat
  /** Sorted by name. A symbolic ref is listed with the oid that it leads to. */
  readonly refs: readonly SourceRef[]
  /** The branch that HEAD names, or the oid of a detached HEAD. */
  readonly head: { readonly branch: RefName } | { readonly oid: string }
  /** The commits at which the history of a shallow repository ends; empty = it is not shallow. */
  readonly shallow: readonly string[]
}

/** Looks at a repository, bare or not. @throws GitError where the directory is none, or a ref points to nothing */
export async function openSource(directory: string): Promise<Source> {
  const parse = ['rev-parse', '--show-object-format', '--is-shallow-repository', '--git-path', 'shallow']
  const [format = '', isShallow, shallowFile = ''] = (await runGit(directory, parse)).lines
  const refs: SourceRef[] = []
  // `objecttype` makes git look for each object.
  const { lines } = await runGit(directory, ['for-each-ref', '--format=%(objectname) %(objecttype) %(refname)'])
  for (const line of lines) {
    const [oid = '', , name = ''] = line.split(' ')
    refs.push({ name, oid })
  }
  return {
    directory,
    objectFormat: format as ObjectFormat,
    refs,
    head: await readHead(directory),
    shallow: isShallow === 'true' ? await readShallow(resolve(directory, shallowFile)) : []
  }
}

async function readHead(directory: string): Promise<Source['head']> {
  const symbolic = await runGit(directory, ['symbolic-ref', '-q', 'HEAD'], [0, 1])
  if (symbolic.code === 0) return { branch: symbolic.lines[0] ?? '' }
  return { oid: (await runGit(directory, ['rev-parse', 'HEAD'])).lines[0] as string }
}

async function readShallow(file: string): Promise<string[]> {
  return (await readFile(file, 'latin1')).split('\n').filter((line) => line !== '')
}
