/** HEAD of one repository, and the branch that it follows. */
import { firstBranch, followedBranches } from '../ref-rules.ts'
import type { Head, RefMove } from '../store.ts'
import { chosenBranch, writeHead } from './head-file.ts'
import type { RefFiles } from './ref-files.ts'

/**
 * HEAD, which follows the branches as long as it names one that does not exist and that nobody chose. Where a call makes
 * the first branch, HEAD is written, so that plain Git finds it, too.
 */
export class DefaultBranch {
  readonly #gitDir: string
  readonly #files: RefFiles

  constructor(gitDir: string, files: RefFiles) {
    this.#gitDir = gitDir
    this.#files = files
  }

  /** HEAD as the service shows it. */
  async read(): Promise<Head> {
    const written = await this.#readWritten()
    if (!written.isFree) return written
    for (const ref of followedBranches(await this.#files.someBranches(2))) {
      const oid = await this.#files.read(ref)
      if (oid !== undefined) return { ref, oid, isFree: false }
    }
    return written
  }

  /**
   * Has HEAD name the first branch.
   *
   * @param before HEAD before the moves were made
   * @param moves which were made; call it while no others are
   */
  async settle(before: Head, moves: readonly RefMove[]): Promise<void> {
    const { isFree, ref } = await this.#readWritten()
    if (!isFree) return
    const branch = before.oid === undefined ? firstBranch(moves, ref) : before.ref
    if (branch !== undefined && branch !== ref) await writeHead(this.#gitDir, branch)
  }

  /** HEAD as Git finds it. */
  async #readWritten(): Promise<Head> {
    const { name, oid } = await this.#files.resolve('HEAD')
    const ref = name === 'HEAD' ? '' : name
    if (oid !== undefined || !ref.startsWith('refs/heads/')) return { ref, oid, isFree: false }
    const chosen = await chosenBranch(this.#gitDir)
    const isChosen = chosen !== undefined && chosen === (await this.#files.symbolicTarget('HEAD'))
    return { ref, oid, isFree: !isChosen }
  }
}
