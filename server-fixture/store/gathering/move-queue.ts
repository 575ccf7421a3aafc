/** Calls that move refs of one repository: those that wait while others are carried out go together. */
import type { RefMismatch } from '../../../src/core/error.ts'
import type { NewRefEvent } from '../events.ts'
import { eventsOf } from '../ref-rules.ts'
import type { KeyedRequest, MoveRecords, NewObject, RefMove } from '../store.ts'

/** Moves that are carried out together, at most; a single call may have more. */
const maxMoves = 1000

/** A call that waits for its moves. */
export interface RefCall {
  readonly moves: readonly RefMove[]
  /** The writes to remember with them. */
  readonly requests: readonly KeyedRequest[]
  readonly events: readonly NewRefEvent[]
  /** See `MoveRecords`; a store that puts objects before its moves has none here. */
  readonly objects: readonly NewObject[]
  readonly throwIfAbandoned: (() => void) | undefined
  readonly result: PromiseWithResolvers<readonly RefMismatch[]>
  /** The id of its intent in the journal, once there is one. */
  intent?: number
}

/** Gives calls to `carryOut` in groups whose refs are disjoint, one group at a time, in order of arrival for each ref. */
export class MoveQueue {
  readonly #carryOut: (calls: readonly RefCall[]) => Promise<void>
  #waiting: RefCall[] = []
  #running = false

  /** @param carryOut settles each call; never rejects */
  constructor(carryOut: (calls: readonly RefCall[]) => Promise<void>) {
    this.#carryOut = carryOut
  }

  add(
    moves: readonly RefMove[],
    { requests = [], events: given, objects = [], throwIfAbandoned }: MoveRecords
  ): Promise<readonly RefMismatch[]> {
    const events = eventsOf(moves, given)
    const result = Promise.withResolvers<readonly RefMismatch[]>()
    const call: RefCall = { moves, requests, events, objects, throwIfAbandoned, result }
    this.#waiting.push(call)
    if (!this.#running) void this.#run()
    return result.promise
  }

  async #run(): Promise<void> {
    this.#running = true
    // Calls that arrive in this turn of the event loop go together.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) await this.#carryOut(this.#take())
    this.#running = false
  }

  /** A call that touches a ref of an earlier call stays behind it, whether that one was taken or not. */
  #take(): RefCall[] {
    const refs = new Set<string>()
    const taken: RefCall[] = []
    const left: RefCall[] = []
    for (const call of this.#waiting) {
      const names = call.moves.map(({ name }) => name)
      const fits = taken.length === 0 || refs.size + names.length <= maxMoves
      if (fits && !names.some((name) => refs.has(name))) taken.push(call)
      else left.push(call)
      for (const name of names) refs.add(name)
    }
    this.#waiting = left
    return taken
  }
}
