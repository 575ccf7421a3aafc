/** Counts the packs that a server writes, from outside: as their indexes appear in its repositories. */
import { watch } from 'node:fs'
import { join } from 'node:path'

/** Those that join other packs count, too; there are few. */
export class PackCounter {
  readonly #seen = new Set<string>()
  readonly #watchers: { close(): void }[]

  constructor(gitDirs: readonly string[]) {
    this.#watchers = gitDirs.map((gitDir) =>
      watch(join(gitDir, 'objects', 'pack'), (_event, name) => {
        if (name?.endsWith('.idx')) this.#seen.add(`${gitDir} ${name}`)
      })
    )
  }

  get count(): number {
    return this.#seen.size
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}
