/** Creates, finds and deletes the directories of repositories. */
import { randomBytes } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BlobwireError, invalidArgument } from '../../../src/core/error.ts'
import { repositoryNameProblem } from '../../../src/git/repository-name.ts'
import { compareNames, pageOfNames } from '../name-page.ts'
import { initialBranch } from '../ref-rules.ts'
import type { PageRequest, RepositoryInfo } from '../store.ts'
import { keptNames } from './data-format.ts'
import { exactNames, type FileNames, isSpelledSo, pathInTheWay, windowsProblem } from './file-names.ts'
import { fsyncDirectory, fsyncTree, fsyncUpTo, isMissing, makeDirectory } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import { runGit } from './git-process.ts'
import { chosenBranchFile } from './head-file.ts'
import { isIncoming } from './incoming-directory.ts'
import { nameListBounds } from './ref-store.ts'
import { type Inspection, inspectRepository } from './repository-form.ts'

/** Prefix of directories that are being created or removed; no repository's name may hold `~`. */
const temporaryPrefix = '~'

/** File in a repository's directory with its id; a clone has none. */
const instanceFile = 'blobwire-instance'

/** Objects may wait a long time for something that points to them, so a plain `git gc` must not drop them. */
const repositoryConfiguration = `[core]
\tfsync = all
[gc]
\tauto = 0
\tpruneExpire = never
[maintenance]
\tauto = false
[receive]
\tautogc = false
`

/** A repository to be created. */
interface NewRepository extends Pick<RepositoryInfo, 'repository' | 'objectFormat'> {
  readonly defaultBranch: string | undefined
}

/** The directories of repositories: `a/b` is the bare repository `a/b.git`. Allows one call at a time. */
export class RepositoryDirectories {
  readonly #directory: string
  readonly #program: string
  readonly fileNames: FileNames
  /** The names of all repositories, as the first page of a listing found them. */
  #listed: { readonly names: readonly string[]; readonly atMs: number } | undefined
  /** Counts repositories that were created and deleted. */
  #changes = 0

  constructor(directory: string, program: string, fileNames: FileNames = exactNames) {
    this.#directory = directory
    this.#program = program
    this.fileNames = fileNames
  }

  /** Path of the bare repository of this name, whether it exists or not. */
  pathOf(repository: string): string {
    return `${join(this.#directory, ...repository.split('/'))}.git`
  }

  /** Looks at a repository; undefined = no such repository. */
  async inspect(repository: string): Promise<Inspection | undefined> {
    const found = await inspectRepository(repository, this.pathOf(repository))
    return found && (await this.#isNamedSo(repository)) ? found : undefined
  }

  /** The directory is not that of a name which the file system holds equal. */
  async #isNamedSo(repository: string): Promise<boolean> {
    return !this.fileNames.folds || (await isSpelledSo(this.#directory, `${repository}.git`))
  }

  /** @throws `failed_precondition`, reason `equal_names`, where the file system cannot hold the name beside those that are there */
  async checkNewName(repository: string): Promise<void> {
    const { folds, isWindows } = this.fileNames
    const problem = isWindows ? windowsProblem(repository) : undefined
    const other = folds && !problem ? await pathInTheWay(this.#directory, `${repository}.git`) : undefined
    if (problem === undefined && other === undefined) return
    const equal = `the server's file system holds it equal to ${JSON.stringify(other?.replace(/\.git$/, ''))}, which is there`
    const message = `a repository cannot have the name ${JSON.stringify(repository)}: ${problem ?? equal}`
    throw new BlobwireError({ reason: 'equal_names', message })
  }

  /** The id of a repository, which tells it from others of its name; undefined = no such repository. */
  async instanceOf(repository: string): Promise<string | undefined> {
    const path = this.pathOf(repository)
    if (!(await this.#isNamedSo(repository))) return undefined
    try {
      return (await readFile(join(path, instanceFile), 'utf8')).trim()
    } catch (error) {
      if (!isMissing(error)) throw storageFailure('opening a repository', error)
    }
    if (!(await this.inspect(repository))) return undefined
    // A server without request keys made this one.
    const instance = newInstance()
    try {
      await writeInstance(path, instance)
    } catch (error) {
      throw storageFailure('opening a repository', error)
    }
    return instance
  }

  /** Makes durable that a repository is there, or is not. */
  async syncPlace(repository: string): Promise<void> {
    await fsyncUpTo([dirname(this.pathOf(repository))], this.#directory)
  }

  /**
   * Creates a repository aside and renames it, so that nobody sees a part of one.
   *
   * @param info `defaultBranch` is undefined where nobody chose one
   * @param instance a new id
   */
  async create({ repository, objectFormat, defaultBranch }: NewRepository, instance: string): Promise<void> {
    const path = this.pathOf(repository)
    const making = this.#temporaryPath()
    await runGit({ program: this.#program }, [
      'init',
      '--quiet',
      '--bare',
      '--template=',
      `--object-format=${objectFormat}`,
      `--initial-branch=${(defaultBranch ?? initialBranch).slice('refs/heads/'.length)}`,
      making
    ])
    try {
      await appendFile(join(making, 'config'), repositoryConfiguration)
      await writeFile(join(making, instanceFile), `${instance}\n`)
      if (defaultBranch !== undefined) await writeFile(join(making, chosenBranchFile), `${defaultBranch}\n`)
      await fsyncTree(making)
      await mkdir(dirname(path), { recursive: true })
      await removeLeftOver(path)
      await rename(making, path)
      await this.syncPlace(repository)
      this.#changed()
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      throw storageFailure('creating a repository', error)
    }
  }

  /** Renames the repository away, which deletes it, then removes its files and the directories left empty. */
  async delete(repository: string): Promise<void> {
    const path = this.pathOf(repository)
    const removing = this.#temporaryPath()
    try {
      await rename(path, removing)
      await this.syncPlace(repository)
      this.#changed()
    } catch (error) {
      if (isMissing(error)) return
      throw storageFailure('deleting a repository', error)
    }
    await rm(removing, { recursive: true, force: true })
    for (let directory = dirname(path); directory.length > this.#directory.length; directory = dirname(directory)) {
      try {
        await rmdir(directory)
      } catch {
        // It is not empty: another repository is in it.
        break
      }
    }
  }

  /** A page of the names of all repositories; later pages go on with the names that the first one found. */
  async page(request: PageRequest): Promise<string[]> {
    const listed = this.#listed
    const isKept =
      listed !== undefined && request.after !== '' && performance.now() < listed.atMs + nameListBounds.maxAgeMs
    if (isKept) return pageOfNames(listed.names, request)
    const changes = this.#changes
    const names = (await this.#namesBelow('')).sort(compareNames)
    if (changes === this.#changes) this.#listed = { names, atMs: performance.now() }
    return pageOfNames(names, request)
  }

  /** The repository of a name that may be none. */
  async find(repository: string): Promise<Inspection | undefined> {
    return repositoryNameProblem(repository) ? undefined : await this.inspect(repository)
  }

  /** A page of the repositories, without those that vanish meanwhile. */
  async infos(page: PageRequest): Promise<RepositoryInfo[]> {
    const infos: RepositoryInfo[] = []
    for (let { after } = page; infos.length < page.limit; ) {
      const names = await this.page({ ...page, after, limit: page.limit - infos.length })
      const found = await Promise.all(names.map((name) => this.inspect(name)))
      for (const inspection of found) if (inspection) infos.push(inspection.info)
      after = names.at(-1) ?? ''
      if (after === '') break
    }
    return infos
  }

  #changed(): void {
    this.#changes++
    this.#listed = undefined
  }

  /** Removes directories that a killed server was creating or removing. */
  async removeTemporary(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (isTemporary(name)) await rm(join(this.#directory, name), { recursive: true, force: true })
    }
  }

  async #namesBelow(prefix: string): Promise<string[]> {
    const names: string[] = []
    let entries: Dirent[]
    try {
      entries = await readdir(join(this.#directory, prefix), { withFileTypes: true })
    } catch (error) {
      if (isMissing(error)) return []
      throw storageFailure('listing repositories', error)
    }
    for (const entry of entries) {
      const { name } = entry
      // A directory with a work tree has a `.git`.
      if (name.startsWith(temporaryPrefix) || name === '.git') continue
      if (name.endsWith('.git') && !entry.isFile()) names.push(prefix + name.slice(0, -4))
      else if (entry.isDirectory()) names.push(...(await this.#namesBelow(`${prefix}${name}/`)))
    }
    return names
  }

  #temporaryPath(): string {
    return join(this.#directory, temporaryPrefix + randomBytes(8).toString('hex'))
  }
}

/** A push to a repository that was deleted meanwhile may have made its directory again, with nothing else in it. */
async function removeLeftOver(path: string): Promise<void> {
  const objects = join(path, 'objects')
  const holdsOnly = async (directory: string, isLeft: (name: string) => boolean) =>
    (await readdir(directory).catch(() => [''])).every(isLeft)
  if ((await holdsOnly(path, (name) => name === 'objects')) && (await holdsOnly(objects, isIncoming)))
    await rm(path, { recursive: true, force: true })
}

/** An id for a repository. */
export function newInstance(): string {
  return randomBytes(16).toString('hex')
}

/** Aside first: a killed server must not leave a part of an id. */
async function writeInstance(gitDir: string, instance: string): Promise<void> {
  const path = join(gitDir, instanceFile)
  await writeFile(`${path}.new`, `${instance}\n`, { flush: true })
  await rename(`${path}.new`, path)
  await fsyncDirectory(gitDir)
}

const isTemporary = (name: string) => name.startsWith(temporaryPrefix) && !keptNames.has(name)

/**
 * Creates the data directory if it is missing.
 *
 * @throws `unavailable`, reason `storage`, where it cannot be used; `failed_precondition`, reason `data_format`, where it is
 *   a repository itself
 */
export async function makeDataDirectory(directory: string): Promise<void> {
  if ((await inspectRepository('', directory)) !== undefined) {
    const message = `the data directory ${directory} is itself a repository; give the directory that it lies in as NAME.git`
    throw new BlobwireError({ reason: 'data_format', message })
  }
  try {
    await makeDirectory(directory)
  } catch (error) {
    throw storageFailure(`opening the data directory ${directory}`, error)
  }
}

/** The service checks names too; here a wrong name would be a path out of the data directory. */
export function checkName(repository: string): void {
  const problem = repositoryNameProblem(repository)
  if (problem) throw invalidArgument('repository', problem)
}
