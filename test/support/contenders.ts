/** Callers that contend under equal names, for a lock or a counter, and record what they saw for `linearizable.ts`. */
import { BlobwireError, type Repository, type WriteOptions } from '../../src/index.ts'
import type { Operation, Swap } from './linearizable.ts'

/** What is recorded of one register. */
export class Record {
  readonly history: Operation[] = []
  /** Failures that may not happen. */
  readonly failures: unknown[] = []
  /** Contenders go on until this is set. */
  stopped = false
  /** Calls that were cut off, and asked again under their key. */
  repeated = 0
  #now = 0
  #wake: { at: number; resolve: () => void } | undefined

  /** The time of a start or an end: no two things happen at once. */
  tick(): number {
    this.#now++
    if (this.#wake?.at === this.#now) this.#wake.resolve()
    return this.#now
  }

  /** Resolves after so many further starts and ends. */
  after(ticks: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = { at: this.#now + ticks, resolve }
    })
  }

  /** How many moves ended in this way. */
  count(is: Swap['outcome']['is']): number {
    return this.history.filter((operation) => operation.kind !== 'read' && operation.outcome.is === is).length
  }
}

/** The parts of a contender. */
export interface Parts {
  readonly name: string
  readonly repository: Repository
  /** The repository of another process, which asks again in the place of this one. */
  readonly twin: Repository
  readonly record: Record
  readonly random: (below: number) => number
}

/** A value that the register was moved to, or that it was found at. */
type Outcome = { readonly is: 'done' } | { readonly is: 'refused'; readonly found: string }

/** A move under a key. */
interface Move {
  readonly kind: Swap['kind']
  readonly expected: string
  readonly value: string
  readonly key: string
  readonly ask: (repository: Repository, options: WriteOptions) => Promise<void>
  /** The value of the register that a refusal tells. */
  readonly found: (refusal: BlobwireError) => string | undefined
}

/**
 * Asks under one key until the outcome is known, by turns through this process and another one: however often it is asked,
 * it is one operation with one effect. Undefined where the run was a failure, which is recorded.
 */
export async function move(
  { name, repository, twin, record, random }: Parts,
  move: Move
): Promise<Outcome | undefined> {
  const { kind, expected, value, key, ask, found } = move
  const start = record.tick()
  for (let attempt = 1; ; attempt++) {
    // Now and then nobody waits for the answer.
    const timeoutMs = random(4) > 0 ? undefined : 1 + random(30)
    let outcome: Outcome | undefined
    try {
      await ask(attempt % 2 ? repository : twin, { requestKey: key, timeoutMs })
      outcome = { is: 'done' }
    } catch (error) {
      const foundValue = error instanceof BlobwireError ? found(error) : undefined
      if (foundValue !== undefined) outcome = { is: 'refused', found: foundValue }
      else if (timeoutMs === undefined || !isCut(error)) {
        record.failures.push(error)
        return undefined
      }
    }
    if (outcome === undefined) {
      record.repeated++
      continue
    }
    const noted: Swap['outcome'] = outcome.is === 'done' ? outcome : { ...outcome, attempts: attempt }
    record.history.push({ kind, writer: name, start, end: record.tick(), expected, value, outcome: noted })
    return outcome
  }
}

function isCut(error: unknown): boolean {
  return error instanceof BlobwireError && (error.code === 'deadline_exceeded' || error.code === 'unavailable')
}

/** Reads the register; undefined where that failed, which is recorded. */
export async function read({ name, record }: Parts, ask: () => Promise<string>): Promise<string | undefined> {
  const start = record.tick()
  try {
    const found = await ask()
    record.history.push({ kind: 'read', writer: name, start, end: record.tick(), found })
    return found
  } catch (error) {
    record.failures.push(error)
    return undefined
  }
}
