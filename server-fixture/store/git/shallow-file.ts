/** The commits at which the history of a shallow repository ends. Source: gitrepository-layout(5), "shallow". */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOid } from '../../../src/git/oid.ts'
import { isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import { versionOf } from './ref-files.ts'

/** Read again only when Git has replaced it. */
export class ShallowFile {
  readonly #path: string
  #read: { readonly version: string; readonly oids: ReadonlySet<string> } = { version: '', oids: new Set() }

  constructor(gitDir: string) {
    this.#path = join(gitDir, 'shallow')
  }

  /** The commits whose parents Git leaves out; none where the history is whole. */
  async oids(): Promise<ReadonlySet<string>> {
    try {
      const version = await versionOf(this.#path)
      if (version !== this.#read.version)
        this.#read = { version, oids: version === '' ? new Set() : await this.#load() }
      return this.#read.oids
    } catch (error) {
      if (isMissing(error)) return new Set()
      throw storageFailure('reading the file shallow', error)
    }
  }

  async #load(): Promise<ReadonlySet<string>> {
    const lines = (await readFile(this.#path, 'latin1')).split('\n')
    return new Set(lines.map((line) => line.trim()).filter((line) => isOid(line)))
  }
}
