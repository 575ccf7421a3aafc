import { randomBytes } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { RepositoryInfo } from '../store.ts'
import { isMissing, syncTree, syncUpTo } from './durable-files.ts'
import { storageFailure } from './git-failure.ts'
import { runGit } from './git-process.ts'

/** Folders being made or removed begin with this; `~` is in no repository's name. */
const temporaryPrefix = '~'

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

/** Where repositories lie: `a/b` is the bare repository `a/b.git` in the folder. Not to be called twice at a time. */
export class RepositoryFolders {
  readonly #directory: string
  readonly #program: string

  constructor(directory: string, program: string) {
    this.#directory = directory
    this.#program = program
  }

  /** The bare repository of this name, whether it is there or not. */
  pathOf(repository: string): string {
    return `${join(this.#directory, ...repository.split('/'))}.git`
  }

  /** What a repository's own files say of it; undefined = no such repository. Source: gitrepository-layout(5). */
  async inspect(repository: string): Promise<RepositoryInfo | undefined> {
    const path = this.pathOf(repository)
    try {
      const config = await readFile(join(path, 'config'), 'utf8')
      const head = await readFile(join(path, 'HEAD'), 'utf8')
      return {
        repository,
        objectFormat: /^\s*objectformat\s*=\s*sha256\s*$/im.test(config) ? 'sha256' : 'sha1',
        defaultBranch: /^ref: (.+)$/m.exec(head)?.[1]?.trim() ?? 'refs/heads/main'
      }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw storageFailure('opening a repository', error)
    }
  }

  /** Makes a repository aside and renames it to its place, so that a part of one is never seen. */
  async create(repository: string, format: ObjectFormat): Promise<void> {
    const path = this.pathOf(repository)
    const making = this.#temporaryPath()
    await runGit({ program: this.#program }, [
      'init',
      '--quiet',
      '--bare',
      '--template=',
      `--object-format=${format}`,
      '--initial-branch=main',
      making
    ])
    try {
      await appendFile(join(making, 'config'), repositoryConfiguration)
      await syncTree(making)
      await mkdir(dirname(path), { recursive: true })
      await rename(making, path)
      await syncUpTo(dirname(path), this.#directory)
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      throw storageFailure('creating a repository', error)
    }
  }

  /** Renames the repository away, which is when it is gone, then removes its files and the folders left empty. */
  async delete(repository: string): Promise<void> {
    const path = this.pathOf(repository)
    const removing = this.#temporaryPath()
    try {
      await rename(path, removing)
      await syncUpTo(dirname(path), this.#directory)
    } catch (error) {
      if (isMissing(error)) return
      throw storageFailure('deleting a repository', error)
    }
    await rm(removing, { recursive: true, force: true })
    for (let folder = dirname(path); folder.length > this.#directory.length; folder = dirname(folder)) {
      // Not empty: another repository is in it.
      if (
        !(await rmdir(folder).then(
          () => true,
          () => false
        ))
      )
        break
    }
  }

  /** The names of all repositories. */
  async names(): Promise<string[]> {
    return await this.#namesBelow('')
  }

  /** Removes what a killed server was making or removing. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(temporaryPrefix)) await rm(join(this.#directory, name), { recursive: true, force: true })
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
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      if (name.startsWith(temporaryPrefix)) continue
      if (name.endsWith('.git')) names.push(prefix + name.slice(0, -4))
      else names.push(...(await this.#namesBelow(`${prefix}${name}/`)))
    }
    return names
  }

  #temporaryPath(): string {
    return join(this.#directory, temporaryPrefix + randomBytes(8).toString('hex'))
  }
}

/** Makes the data folder if it is not there. @throws `failed_precondition` where it is something else */
export async function makeDataFolder(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    if ((await stat(directory)).isDirectory()) return
  } catch (error) {
    throw storageFailure(`opening the data folder ${directory}`, error)
  }
}
