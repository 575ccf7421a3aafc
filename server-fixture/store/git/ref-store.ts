/** Lists, reads and moves the refs of one repository. */
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobwireError, type RefMismatch } from '../../../src/core/error.ts'
import { type ObjectFormat, zeroOid } from '../../../src/git/oid.ts'
import { checkTargets, compareRefs, refConflict } from '../ref-rules.ts'
import type { PageRequest, RefMove, StoredRef } from '../store.ts'
import { fsyncUpTo } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import { type RepositoryContext, runGit } from './git-process.ts'
import type { ObjectReader } from './object-reader.ts'
import { RefFiles } from './ref-files.ts'
import { RefTransactions } from './ref-transactions.ts'

/** A transaction that collides with another git process is tried this often, with a pause of `retryMs` between. */
const maxTries = 10
const retryMs = 20

/** The refs of one repository. Moves are made one call after the other. */
export class RefStore {
  readonly #context: RepositoryContext
  readonly #zeroOid: string
  readonly #objects: ObjectReader
  readonly #files: RefFiles
  readonly #transactions: RefTransactions
  #last: Promise<unknown> = Promise.resolve()

  /** @param objects finds the objects that refs are to point to */
  constructor(context: RepositoryContext, format: ObjectFormat, objects: ObjectReader) {
    this.#context = context
    this.#zeroOid = zeroOid(format)
    this.#objects = objects
    this.#files = new RefFiles(context.gitDir)
    this.#transactions = new RefTransactions(context)
  }

  /** A page of refs in byte order of their names. `git for-each-ref` takes patterns of whole directories. */
  async list(page: PageRequest): Promise<StoredRef[]> {
    const directory = page.prefix.slice(0, page.prefix.lastIndexOf('/') + 1)
    // Patterns may hold wildcards; a prefix with one is matched here alone.
    const patterns = directory === '' || /[*?[\\]/.test(directory) ? [] : [directory]
    const output = await runGit(this.#context, ['for-each-ref', '--format=%(objectname) %(refname)', ...patterns])
    const after = Buffer.from(page.after)
    const refs: StoredRef[] = []
    for (const line of output.toString('utf8').split('\n')) {
      const space = line.indexOf(' ')
      const name = line.slice(space + 1)
      if (space < 0 || !name.startsWith(page.prefix)) continue
      if (page.after !== '' && Buffer.compare(Buffer.from(name), after) <= 0) continue
      if (refs.length === page.limit) break
      refs.push({ name, oid: line.slice(0, space) })
    }
    return refs
  }

  /** The oid of each ref, in order; undefined = no such ref. */
  async read(names: readonly string[]): Promise<(string | undefined)[]> {
    try {
      return await Promise.all(names.map((name) => this.#files.read(name)))
    } catch (error) {
      throw storageFailure('reading refs', error)
    }
  }

  /**
   * Moves all refs or none, durably; see `Store.updateRefs`.
   *
   * @throws `failed_precondition` (reasons `missing_object`, `wrong_kind`, `ref_conflict`), or `unavailable` (reasons
   *   `ref_locked`, `storage`, `git_died`)
   */
  update(moves: readonly RefMove[]): Promise<RefMismatch[]> {
    const result = this.#last.then(() => this.#update(moves))
    this.#last = result.catch(() => {})
    return result
  }

  /** Waits for the pending moves, then ends the process; the next move starts another one. */
  async recycle(): Promise<void> {
    const result = this.#last.then(() => this.#transactions.close())
    this.#last = result
    await result
  }

  async #update(moves: readonly RefMove[]): Promise<RefMismatch[]> {
    for (let tries = 1; ; tries++) {
      const found = await this.read(moves.map((move) => move.name))
      const { pending, mismatches } = compareRefs(moves, found, this.#zeroOid)
      if (mismatches.length > 0) return mismatches
      if (pending.length > 0) {
        checkTargets(pending, await this.#objects.infos(pending.map((move) => move.newOid)))
        // Another git process won, or git died in the middle: the present refs decide.
        if (!(await this.#commit(pending, tries))) continue
      }
      await this.#sync(moves)
      return []
    }
  }

  /** False = try again. */
  async #commit(pending: readonly RefMove[], tries: number): Promise<boolean> {
    try {
      await this.#transactions.commit(pending)
      return true
    } catch (error) {
      if (!(error instanceof BlobwireError)) throw error
      // The message is cut short; names of refs are up to 1,024 bytes long.
      const said = error.cause instanceof Error ? error.cause.message : error.message
      if (/exists; cannot create|cannot process|there is a non-empty directory/.test(said)) throw conflict(said)
      if (tries < maxTries && error.reason !== 'storage' && error.reason !== 'git_unavailable') {
        await sleep(retryMs)
        return false
      }
      if (error.code === 'internal' && /nonexistent object|non-commit object/.test(said)) {
        throw error.with({ reason: 'missing_object' })
      }
      if (/Unable to create .*\.lock|cannot lock ref/s.test(said)) throw locked(error)
      throw error
    }
  }

  /**
   * Git syncs a ref's file but not the directories into which it renames the file, so a crash of the machine could undo
   * the move. A ref that was at its new oid already is synced too: the process that moved it may have died before.
   */
  async #sync(moves: readonly RefMove[]): Promise<void> {
    const { gitDir } = this.#context
    const directories = new Set(moves.map((move) => dirname(join(gitDir, move.name))))
    try {
      for (const directory of directories) await fsyncUpTo(directory, gitDir)
    } catch (error) {
      throw storageFailure('storing refs', error)
    }
  }
}

function conflict(said: string): BlobwireError {
  const names = [...said.matchAll(/'(refs\/[^']*)'/g)].map((match) => match[1] ?? '')
  const name = names[0] ?? 'a ref'
  return refConflict(name, names.find((other) => other !== name) ?? '')
}

function locked(cause: BlobwireError): BlobwireError {
  const message = 'another process on the server holds the lock of a ref'
  return new BlobwireError({ reason: 'ref_locked', message, cause })
}
