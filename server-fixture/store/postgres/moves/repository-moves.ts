/** The moves of many repositories: those of one that wait together are carried out together. */
import { BlobwireError } from '../../../../src/core/error.ts'
import { MoveQueue, type RefCall } from '../../gathering/move-queue.ts'
import type { MoveRecords, RefMove } from '../../store.ts'
import type { Database, Statement } from '../database/database.ts'
import type { KnownRepository } from '../known-repositories.ts'
import { insertObjects } from '../object-rows.ts'
import { carryOutCarefully } from './careful-moves.ts'
import { carryOutPlainly } from './plain-moves.ts'
import { type IdentifiedCall, identified, isPlain, isWanted } from './ref-call.ts'

/** Of one repository. */
interface Queue {
  readonly moves: MoveQueue
  /** Calls that wait for it. */
  users: number
}

export class RepositoryMoves {
  readonly #database: Database
  readonly #keySeconds: number
  readonly #queues = new Map<string, Queue>()

  /** @param keySeconds for which keys are remembered */
  constructor(database: Database, keySeconds: number) {
    this.#database = database
    this.#keySeconds = keySeconds
  }

  /** @throws RepositoryGone, BlobwireError, KeyRemembered */
  async add(repository: KnownRepository, moves: readonly RefMove[], records: MoveRecords) {
    const { id } = repository
    const queue = this.#queues.get(id) ?? this.#open(repository)
    queue.users++
    try {
      return await queue.moves.add(moves, records)
    } finally {
      if (--queue.users === 0) this.#queues.delete(id)
    }
  }

  #open(repository: KnownRepository): Queue {
    const moves = new MoveQueue((calls) => this.#carryOut(repository, calls))
    const queue = { moves, users: 0 }
    this.#queues.set(repository.id, queue)
    return queue
  }

  /** Settles every call. */
  async #carryOut(repository: KnownRepository, all: readonly RefCall[]): Promise<void> {
    const { id, name, objectFormat: format } = repository
    const context = { database: this.#database, keySeconds: this.#keySeconds, id, name, format }
    let left: readonly IdentifiedCall[] = all.map(identified).filter(isWanted)
    try {
      let objects = await insertOf(id, left)
      const plain = left.filter(({ call }) => isPlain(call))
      const others = left.filter(({ call }) => !isPlain(call))
      const refused = plain.length > 0 ? await carryOutPlainly(context, plain, objects) : []
      if (plain.length > 0) objects = undefined
      for (const { call } of plain.filter((one) => !refused.includes(one))) call.result.resolve([])
      left = [...refused, ...others]
      while (left.length > 0) {
        const verdicts = await carryOutCarefully(context, left, objects)
        objects = undefined
        left = left.filter(({ call: { result } }, index) => {
          const verdict = verdicts[index]
          if (verdict === undefined) return true
          if ('error' in verdict) result.reject(verdict.error)
          else result.resolve(verdict.mismatches)
          return false
        })
      }
    } catch (error) {
      await this.#fail(
        repository,
        left.map(({ call }) => call),
        error
      )
    }
  }

  /** One bad call, such as a text that the database cannot hold, does not fail its neighbours. */
  async #fail(repository: KnownRepository, calls: readonly RefCall[], error: unknown): Promise<void> {
    if (calls.length === 1 || !(error instanceof BlobwireError && error.code === 'internal')) {
      for (const { result } of calls) result.reject(error)
      return
    }
    const middle = calls.length >> 1
    await this.#carryOut(repository, calls.slice(0, middle))
    await this.#carryOut(repository, calls.slice(middle))
  }
}

/** The statement that stores the objects of these calls; undefined = they have none. */
async function insertOf(id: string, calls: readonly IdentifiedCall[]): Promise<Statement | undefined> {
  const objects = calls.flatMap(({ call }) => call.objects)
  return objects.length > 0 ? insertObjects(id, objects) : undefined
}
