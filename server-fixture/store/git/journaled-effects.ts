/** Carries out changes of whole repositories between their intent in the journal and its mark. */
import type { GitRepository } from './git-repository.ts'
import { chosenBranch } from './head-file.ts'
import type { RepositoryDirectories } from './repository-directories.ts'
import type { OpenIntent, RequestJournal, WriteIntent } from './request-journal.ts'

interface EffectsContext {
  readonly journal: RequestJournal
  readonly directories: RepositoryDirectories
  /** Runs work with an open repository. */
  use<T>(repository: string, work: (found: GitRepository) => Promise<T>): Promise<T>
}

/** The effects of one store; moves of refs have their intents from `RefMover`, and are settled here after a kill. */
export class JournaledEffects {
  readonly #context: EffectsContext

  constructor(context: EffectsContext) {
    this.#context = context
  }

  /** Creates, changes or deletes a repository between the intent and its mark. */
  async carryOut(intent: WriteIntent, work: () => Promise<void>): Promise<void> {
    const { journal } = this.#context
    // Without a request the marks of the moves before it are written all the same: it changes what they would tell.
    const ids = intent.requests.length > 0 ? await journal.intend([intent]) : []
    if (ids.length === 0) await journal.flush()
    try {
      await work()
    } catch (error) {
      // It may have failed after the rename that others see.
      if (await this.#hadEffect(intent)) journal.assumeDone(ids)
      else journal.drop(ids)
      throw error
    }
    journal.done(ids)
  }

  /** Settles the intents that a killed server left open. */
  async settleAll(): Promise<void> {
    const { journal } = this.#context
    for (const intent of journal.openIntents()) await this.#settle(intent)
    // Events of theirs that come late have records of their own.
    await journal.flush()
  }

  async #settle(intent: OpenIntent): Promise<void> {
    const { journal, directories } = this.#context
    const done = await this.#hadEffect(intent)
    if (done && (intent.effect === 'creation' || intent.effect === 'deletion')) {
      await directories.syncPlace(intent.repository)
    }
    if (done) journal.done([intent.id])
    else journal.drop([intent.id])
  }

  /** Whether an intent had its effect, which is finished where a part of it was had. */
  async #hadEffect({ repository, effect, instance, moves, defaultBranch = '' }: WriteIntent): Promise<boolean> {
    const { directories, use } = this.#context
    const same = (await directories.instanceOf(repository)) === instance
    if (effect === 'creation') return same
    if (effect === 'deletion') return !same
    if (!same) return false
    if (effect === 'moves') return await use(repository, (found) => found.settleMoves(moves))
    const begun = (await chosenBranch(directories.pathOf(repository))) === defaultBranch
    if (begun) await use(repository, (found) => found.chooseBranch(defaultBranch))
    return begun
  }
}
