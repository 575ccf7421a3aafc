/** Looks whether a directory is a repository that the server can serve. Source: gitrepository-layout(5), git-config(1). */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../../src/core/error.ts'
import type { RepositoryInfo } from '../store.ts'
import { DefaultBranch } from './default-branch.ts'
import { isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import { RefFiles } from './ref-files.ts'

/** A repository's directory as it was found. */
export interface Inspection {
  readonly info: RepositoryInfo
  /** Why the server cannot serve it; undefined = it can. */
  readonly problem: string | undefined
}

const bareCopy = 'put a bare copy in its place: git clone --mirror'

/** Looks at the directory of a repository; undefined = there is none. */
export async function inspectRepository(repository: string, path: string): Promise<Inspection | undefined> {
  try {
    const config = await readText(join(path, 'config'))
    if (config === undefined) {
      const problem = await problemWithoutConfig(path)
      return problem === undefined
        ? undefined
        : { info: { repository, objectFormat: 'sha1', defaultBranch: '' }, problem }
    }
    const settings = parseConfig(config)
    const head = await new DefaultBranch(path, new RefFiles(path)).read()
    const objectFormat = settings.get('extensions.objectformat') === 'sha256' ? 'sha256' : 'sha1'
    const isHead = head.oid !== undefined || head.ref.startsWith('refs/')
    const problem =
      problemOf(settings) ?? (isHead ? undefined : 'its HEAD is missing or names neither a ref nor an object')
    return { info: { repository, objectFormat, defaultBranch: head.ref }, problem }
  } catch (error) {
    throw error instanceof BlobwireError ? error : storageFailure('opening a repository', error)
  }
}

/** The repository. @throws BlobwireError `failed_precondition`, reason `unsupported_repository` */
export function servable({ info, problem }: Inspection): RepositoryInfo {
  if (problem === undefined) return info
  const message = `the server cannot serve repository ${info.repository}: ${problem}`
  throw new BlobwireError({ reason: 'unsupported_repository', message })
}

function problemOf(settings: ReadonlyMap<string, string>): string | undefined {
  const version = Number(settings.get('core.repositoryformatversion') ?? 0)
  if (version > 1) return `its format has version ${version}, and the server knows 0 and 1`
  const refStorage = settings.get('extensions.refstorage') ?? 'files'
  if (refStorage !== 'files') {
    return `it keeps its refs as ${refStorage}, and the server reads files; convert it: git refs migrate --ref-format=files`
  }
  if (settings.get('core.bare') === 'false') return `it is not bare (core.bare is false); ${bareCopy}`
  return undefined
}

/** Forms of repositories that have no configuration of their own; undefined = there is no repository. */
async function problemWithoutConfig(path: string): Promise<string | undefined> {
  const isThere = (name: string) =>
    stat(join(path, name)).then(
      () => true,
      () => false
    )
  if (await isThere('commondir')) return `it is the directory of a linked worktree; ${bareCopy}`
  if (await isThere('.git')) return `it has a work tree, and its repository is the .git in it; ${bareCopy}`
  const link = await readText(path)
  return link?.startsWith('gitdir:') ? `it is a file that names another directory; ${bareCopy}` : undefined
}

/** Undefined = no such file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
    throw error
  }
}

/** Values by section and key, both in lower case; subsections are left out. */
function parseConfig(text: string): Map<string, string> {
  const settings = new Map<string, string>()
  let section: string | undefined
  for (const line of text.split('\n')) {
    const header = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)
    if (header) section = header[1]?.includes('"') ? undefined : header[1]?.toLowerCase()
    const [, key, value = 'true'] = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*"?([^"#;]*?)"?\s*(?:[#;].*)?)?$/.exec(line) ?? []
    if (section !== undefined && key !== undefined) settings.set(`${section}.${key.toLowerCase()}`, value.toLowerCase())
  }
  return settings
}
