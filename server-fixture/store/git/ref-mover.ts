/** Moves the refs of one repository, and remembers whose moves they were. */
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RefMismatch } from '../../../src/core/error.ts'
import { isZeroOid, type ObjectFormat, zeroOid } from '../../../src/git/oid.ts'
import { MoveQueue, type RefCall } from '../gathering/move-queue.ts'
import { checkTargets, compareRefs, missingObject } from '../ref-rules.ts'
import type { MoveRecords, RefMove } from '../store.ts'
import type { StoreSteps } from '../vitals.ts'
import { Connectivity } from './connectivity.ts'
import { FoldedNames } from './file-names.ts'
import { fsyncUpTo } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import type { RepositoryContext } from './git-process.ts'
import { recorded } from './journal-events.ts'
import type { ObjectReader } from './object-reader.ts'
import type { PackDirectory } from './pack-directory.ts'
import { conflictOf, equalNames, lastRefusal, refusalOf } from './ref-refusals.ts'
import type { RefStore } from './ref-store.ts'
import { RefTransactions } from './ref-transactions.ts'
import type { RequestJournal } from './request-journal.ts'

/** A transaction that collides with another git process is tried this often, with a pause of `retryMs` between. */
const maxTries = 10
const retryMs = 20

/** Where moves are remembered, and as whose. */
export interface Journaled {
  readonly journal: RequestJournal
  readonly repository: string
  /** The id of the repository. */
  readonly instance: string
  /** Told how long the moves take. */
  readonly steps: StoreSteps
}

interface RefMoverOptions {
  readonly format: ObjectFormat
  readonly refs: RefStore
  /** Finds the objects that refs are to point to. */
  readonly objects: ObjectReader
  readonly packs: PackDirectory
  readonly journaled: Journaled
}

/** Makes the moves of concurrent calls in one transaction of git where they touch different refs. */
export class RefMover {
  readonly #context: RepositoryContext
  readonly #options: RefMoverOptions
  readonly #zeroOid: string
  readonly #transactions: RefTransactions
  readonly #queue = new MoveQueue((calls) => this.inTurn(() => this.#carryOut(calls)))
  #last: Promise<unknown> = Promise.resolve()
  readonly #connectivity: Connectivity

  constructor(context: RepositoryContext, options: RefMoverOptions) {
    this.#context = context
    this.#options = options
    this.#zeroOid = zeroOid(options.format)
    this.#transactions = new RefTransactions(context)
    this.#connectivity = new Connectivity(context, options.packs)
  }

  /**
   * Moves all refs or none, durably; see `Store.updateRefs`.
   *
   * @throws `failed_precondition` (reasons `missing_object`, `wrong_kind`, `ref_conflict`, `ref_refused`), or `unavailable` (reasons
   *   `ref_locked`, `storage`, `git_died`)
   */
  update(moves: readonly RefMove[], records: MoveRecords): Promise<readonly RefMismatch[]> {
    return this.#queue.add(moves, records)
  }

  /** Waits for the moves under way, then ends the process; the next move starts another one. */
  recycle(): Promise<void> {
    return this.inTurn(() => this.#transactions.close())
  }

  /**
   * Looks whether moves whose outcome is unknown were made, finishes them if git was killed among them, and makes them
   * durable. Returns whether they were made.
   *
   * Git moves the refs of a transaction one after the other, so one of them at its new oid tells that it had begun. No
   * other call of this store can have moved it there since (`MoveQueue`, `RequestJournal`). Another git process can,
   * between the transaction and this look, and it can hide a move by one of its own: neither can be told apart.
   */
  async settle(moves: readonly RefMove[]): Promise<boolean> {
    const found = await this.#options.refs.read(moves.map(({ name }) => name))
    const at = (oid: string, index: number) => (found[index] ?? this.#zeroOid) === oid
    const changes = (move: RefMove) => move.newOid !== move.expectedOid
    if (!moves.some((move, index) => changes(move) && at(move.newOid, index)) && moves.some(changes)) return false
    const left = moves.filter((move, index) => changes(move) && at(move.expectedOid, index))
    if (left.length > 0) await this.#transactions.commit(left)
    await this.#sync(moves)
    return true
  }

  /** Runs work while no refs are moved. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /** Settles every call. One that is refused is taken out, and the others are tried again. */
  async #carryOut(all: readonly RefCall[]): Promise<void> {
    let calls = all
    for (let tries = 1; calls.length > 0; tries++) {
      try {
        calls = await this.#checkNames(await this.#check(calls))
        calls = await this.#checkConnected(calls)
        await this.#intend(calls)
      } catch (error) {
        return this.#refuse(calls, error)
      }
      try {
        const moves = calls.flatMap((call) => call.moves)
        await this.#options.journaled.steps.timed('refs', () => this.#transactions.commit(moves))
        return await this.#finish(calls)
      } catch (error) {
        if (this.#transactions.inDoubt) calls = await this.#settleCalls(calls)
        const known = refusalOf(error) ?? (calls.length === 1 ? conflictOf(error) : undefined)
        if (!known && calls.length > 1) {
          const middle = calls.length >> 1
          await this.#carryOut(calls.slice(0, middle))
          return await this.#carryOut(calls.slice(middle))
        }
        // Another git process won, or git died in the middle: the present refs decide.
        if (known || tries >= maxTries) return this.#refuse(calls, known ?? lastRefusal(error))
        await sleep(retryMs)
      }
    }
  }

  /** Answers the calls whose refs would reach a missing object, and returns the others. */
  async #checkConnected(calls: readonly RefCall[]): Promise<readonly RefCall[]> {
    const oids = calls.flatMap(({ moves }) => moves.map(({ newOid }) => newOid)).filter((oid) => !isZeroOid(oid))
    const gap = await this.#connectivity.findGap(oids)
    if (gap === undefined) return calls
    if (calls.length > 1) return (await Promise.all(calls.map((call) => this.#checkConnected([call])))).flat()
    this.#refuse(calls, missingObject(gap))
    return []
  }

  /** Answers the calls with new names that the file system holds equal to others, and returns the others. */
  async #checkNames(calls: readonly RefCall[]): Promise<readonly RefCall[]> {
    const isNew = ({ newOid, expectedOid }: RefMove) => isZeroOid(expectedOid) && !isZeroOid(newOid)
    if (!this.#context.fileNames?.folds || !calls.some(({ moves }) => moves.some(isNew))) return calls
    const names = new FoldedNames(await this.#options.refs.names())
    return calls.filter((call) => {
      for (const { name } of call.moves.filter(isNew)) {
        const other = names.inTheWayOf(name)
        if (other !== undefined) {
          this.#refuse([call], equalNames(name, other))
          return false
        }
        names.add(name)
      }
      return true
    })
  }

  /** Answers the calls that are refused as the refs are, and returns the others. */
  async #check(calls: readonly RefCall[]): Promise<RefCall[]> {
    const moves = calls.flatMap((call) => call.moves)
    const [found, infos] = await Promise.all([
      this.#options.refs.read(moves.map(({ name }) => name)),
      this.#options.objects.infos(moves.map(({ newOid }) => newOid))
    ])
    let end = 0
    return calls.filter((call) => {
      const start = end
      end += call.moves.length
      const mismatches = compareRefs(call.moves, found.slice(start, end), this.#zeroOid)
      try {
        call.throwIfAbandoned?.()
        if (mismatches.length === 0) checkTargets(call.moves, infos.slice(start, end))
      } catch (error) {
        this.#refuse([call], error)
        return false
      }
      if (mismatches.length === 0) return true
      this.#drop([call])
      call.result.resolve(mismatches)
      return false
    })
  }

  /** The intents are on disk when it resolves, and the marks of all moves before them. */
  async #intend(calls: readonly RefCall[]): Promise<void> {
    const { journal, repository, instance } = this.#options.journaled
    const fresh = calls.filter(({ requests, events, intent }) => {
      return intent === undefined && requests.length + events.length > 0
    })
    if (fresh.length === 0) return await journal.flush()
    const timeMs = Date.now()
    const intents = fresh.map(({ moves, requests, events }) => {
      return {
        repository,
        instance,
        effect: 'moves',
        moves,
        requests,
        events: recorded(moves, events),
        timeMs
      } as const
    })
    const ids = await journal.intend(intents)
    fresh.forEach((call, index) => {
      call.intent = ids[index] as number
    })
  }

  /** The refs have moved. */
  async #finish(calls: readonly RefCall[]): Promise<void> {
    const { journal } = this.#options.journaled
    try {
      await this.#sync(calls.flatMap(({ moves }) => moves))
      journal.done(intentsOf(calls))
      for (const { result } of calls) result.resolve([])
    } catch (error) {
      journal.assumeDone(intentsOf(calls))
      for (const { result } of calls) result.reject(error)
    }
  }

  /** Answers the calls whose moves were made after all, and returns the others. */
  async #settleCalls(calls: readonly RefCall[]): Promise<RefCall[]> {
    const left: RefCall[] = []
    for (const call of calls) {
      try {
        if (await this.settle(call.moves)) await this.#finish([call])
        else left.push(call)
      } catch (error) {
        // The intent stays open: the next start looks again.
        call.result.reject(error)
      }
    }
    return left
  }

  #refuse(calls: readonly RefCall[], error: unknown): void {
    this.#drop(calls)
    for (const { result } of calls) result.reject(error)
  }

  #drop(calls: readonly RefCall[]): void {
    this.#options.journaled.journal.drop(intentsOf(calls))
  }

  /**
   * Git syncs a ref's file but not the directories into which it renames the file, so a crash of the machine could undo
   * the move.
   */
  async #sync(moves: readonly RefMove[]): Promise<void> {
    const { gitDir } = this.#context
    const files = moves.flatMap(({ name }) => [name, this.#options.refs.files.targetOf(name)])
    try {
      await fsyncUpTo(
        files.map((name) => dirname(join(gitDir, name))),
        gitDir
      )
    } catch (error) {
      throw storageFailure('storing refs', error)
    }
  }
}

function intentsOf(calls: readonly RefCall[]): number[] {
  return calls.map(({ intent }) => intent).filter((intent) => intent !== undefined)
}
