/** Moves refs through one long-lived git process. */
import { isZeroOid } from '../../../src/git/oid.ts'
import { bytesOfName } from '../ref-bytes.ts'
import type { RefMove } from '../store.ts'
import { gitFailure } from './git-failure.ts'
import { GitProcess, type RepositoryContext } from './git-process.ts'

/**
 * A symbolic ref is moved by moving the ref that it names, as `git update-ref` does by default, and deleted as
 * `git branch -d` and `git symbolic-ref -d` do: the ref that it names stays.
 */
function commandOf({ name, newOid, expectedOid }: RefMove): string {
  if (newOid === expectedOid) return `verify ${name}\0${expectedOid}\0`
  return `${isZeroOid(newOid) ? 'option no-deref\0' : ''}update ${name}\0${newOid}\0${expectedOid}\0`
}

/**
 * One long-lived `git update-ref --stdin -z`, given one transaction after the other. Git ends the process when a
 * transaction fails; the next one starts a new process. Source: git-update-ref(1), "start", "prepare", "commit".
 */
export class RefTransactions {
  readonly #context: RepositoryContext
  #git: GitProcess | undefined
  #output = ''
  #onOutput: (() => void) | undefined
  #inDoubt = false

  constructor(context: RepositoryContext) {
    this.#context = context
  }

  /**
   * The last transaction failed, and git may have moved none, some or all of its refs: it died, or failed after it had
   * locked and checked all of them, which it reports.
   */
  get inDoubt(): boolean {
    return this.#inDoubt
  }

  /**
   * Moves all refs or none, if each is where it was expected. Call it again only after it has settled.
   *
   * @throws `internal` with git's message if git refused; `unavailable` if git could not be started or died, and then
   *   the refs may have moved or not, see `inDoubt`
   */
  async commit(moves: readonly RefMove[]): Promise<void> {
    this.#inDoubt = false
    const git = this.#process()
    git.write(bytesOfName(`start\0${moves.map(commandOf).join('')}prepare\0commit\0`))
    await Promise.race([this.#committed(), git.exited])
    if (this.#output.endsWith('commit: ok\n')) return
    this.#git = undefined
    const exit = await git.exited
    const died = exit.status === 0 ? { ...exit, status: null, signal: 'end of input' } : exit
    this.#inDoubt = (died.signal !== null && !died.error) || this.#output.includes('prepare: ok\n')
    throw gitFailure('git update-ref', died, this.#context.gitDir)
  }

  /** Ends the process; resolves when it has exited. */
  async close(): Promise<void> {
    const git = this.#git
    this.#git = undefined
    git?.end()
    await git?.exited
  }

  #process(): GitProcess {
    this.#output = ''
    this.#git ??= new GitProcess(this.#context, ['update-ref', '--stdin', '-z'], (chunk) => {
      this.#output += chunk.toString('latin1')
      this.#onOutput?.()
    })
    return this.#git
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOutput = () => {
        if (this.#output.endsWith('commit: ok\n')) resolve()
      }
    })
  }
}
