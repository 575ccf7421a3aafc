import type { RefMove } from '../store.ts'
import { gitFailure } from './git-failure.ts'
import { type GitPlace, GitProcess } from './git-process.ts'

/**
 * One long-lived `git update-ref --stdin -z`, given one transaction after the other. Git ends the process when a
 * transaction fails; the next one starts a new process. Source: git-update-ref(1), "start", "prepare", "commit".
 */
export class RefTransactions {
  readonly #place: GitPlace & { readonly gitDir: string }
  #git: GitProcess | undefined
  #said = ''
  #onSaid: (() => void) | undefined

  constructor(place: GitPlace & { readonly gitDir: string }) {
    this.#place = place
  }

  /**
   * Moves all refs or none, if each is where it was expected. Not to be called again before it has settled.
   *
   * @throws `internal` with git's words if git refused; `unavailable` if it could not be run or died, and then the refs
   *   may have moved or not
   */
  async commit(moves: readonly RefMove[]): Promise<void> {
    const git = this.#process()
    const updates = moves.map((move) => `update ${move.name}\0${move.newOid}\0${move.expectedOid}\0`)
    git.write(`start\0${updates.join('')}prepare\0commit\0`)
    await Promise.race([this.#committed(), git.exited])
    if (this.#said.endsWith('commit: ok\n')) return
    this.#git = undefined
    const exit = await git.exited
    const died = exit.status === 0 ? { ...exit, status: null, signal: 'end of input' } : exit
    throw gitFailure('git update-ref', died, this.#place.gitDir)
  }

  /** Lets the process go; resolves when it is gone. */
  async close(): Promise<void> {
    const git = this.#git
    this.#git = undefined
    git?.end()
    await git?.exited
  }

  #process(): GitProcess {
    this.#said = ''
    this.#git ??= new GitProcess(this.#place, ['update-ref', '--stdin', '-z'], (chunk) => {
      this.#said += chunk.toString('latin1')
      this.#onSaid?.()
    })
    return this.#git
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSaid = () => {
        if (this.#said.endsWith('commit: ok\n')) resolve()
      }
    })
  }
}
