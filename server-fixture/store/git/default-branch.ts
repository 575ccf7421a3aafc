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
    return written.isFree ? this.#follow(written, []) : written
  }

  /** Whether a call that has made a branch has to settle HEAD. */
  async isFree(): Promise<boolean> {
    return (await this.#readWritten()).isFree
  }

  /**
   * Has HEAD name the branch that it followed, or else the first that these moves made.
   *
   * @param moves which were made; call it while no others are
   */
  async settle(moves: readonly RefMove[]): Promise<void> {
    const written = await this.#readWritten()
    if (!written.isFree) return
    const made = moves.map(({ name }) => name)
    const before = await this.#follow(written, made)
    const branch = before.isFree ? firstBranch(moves, written.ref) : before.ref
    if (branch !== undefined && branch !== written.ref) await writeHead(this.#gitDir, branch)
  }

  /** HEAD that follows the branches without these. */
  async #follow({ ref: named }: Head, without: readonly string[]): Promise<Head> {
    const some = await this.#files.someBranches(2 + without.length)
    const branches = some.filter((name) => !without.includes(name))
    for (const ref of followedBranches(branches)) {
      const oid = without.includes(ref) ? undefined : await this.#files.read(ref)
      if (oid !== undefined) return { ref, oid, isFree: false }
    }
    return { ref: named, oid: undefined, isFree: branches.length === 0 }
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
