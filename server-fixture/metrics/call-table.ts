/** Calls of one transport: how many of each method ended how, and in which time. */
import type { Messages } from '../../src/schema/messages.ts'
import { Histogram, type HistogramFigures } from './histogram.ts'

/** The calls of one method as data. */
export interface MethodFigures {
  readonly ok: number
  /** By code and reason, `not_found/repository`. */
  readonly failures: Readonly<Record<string, number>>
  /** Of all calls, failed ones too. */
  readonly durations: HistogramFigures
}

class MethodCalls {
  readonly #durations = new Histogram()
  readonly #failures = new Map<string, number>()
  #ok = 0

  succeeded(durationMs: number, count: number): void {
    this.#ok += count
    this.#durations.observe(durationMs, count)
  }

  failed(outcome: string, durationMs: number): void {
    this.#failures.set(outcome, (this.#failures.get(outcome) ?? 0) + 1)
    this.#durations.observe(durationMs)
  }

  figures(): MethodFigures {
    return { ok: this.#ok, failures: Object.fromEntries(this.#failures), durations: this.#durations.figures() }
  }
}

type Operation = Messages['Operation']

/** A result as frames have it. */
export type NumberedResult = Pick<Messages['SessionResult'], 'result'>

/** `StoreBlob` for the operation `storeBlob`. */
export const methodOf = (operation: string): string => operation.charAt(0).toUpperCase() + operation.slice(1)

/** The name of an operation; of one with a key, its name without it. */
export function nameOf(operation: Operation): string {
  if (operation.storeBlob !== undefined) return 'storeBlob'
  const { apply } = operation
  if (apply !== undefined) return apply.commitFiles === undefined ? 'updateRefs' : 'commitFiles'
  for (const name in operation) return name
  return 'none'
}

/** Code and reason as one key. */
export const outcomeOf = (code: string, reason: string | undefined): string => (reason ? `${code}/${reason}` : code)

/** The calls of one transport. The methods are those of the service, so that the table is bounded. */
export class CallTable {
  readonly #methods = new Map<string, MethodCalls>()
  readonly #operations = new Map<string, MethodCalls>()

  /** Counts one call; `outcome` undefined = success. */
  ended(method: string, outcome: string | undefined, durationMs: number): void {
    const calls = this.#of(method)
    if (outcome === undefined) calls.succeeded(durationMs, 1)
    else calls.failed(outcome, durationMs)
  }

  /** Counts the operations of a batch, all of which took as long as the batch. */
  batchEnded(operations: readonly Operation[], results: readonly NumberedResult[], durationMs: number): void {
    let name = ''
    let succeeded = 0
    for (let index = 0; index < operations.length; index++) {
      const operation = nameOf(operations[index] as Operation)
      if (operation !== name) {
        if (succeeded > 0) this.#ofOperation(name).succeeded(durationMs, succeeded)
        name = operation
        succeeded = 0
      }
      const error = results[index]?.result?.error
      if (error === undefined) succeeded++
      else this.#ofOperation(name).failed(outcomeOf(error.code, error.detail?.reason), durationMs)
    }
    if (succeeded > 0) this.#ofOperation(name).succeeded(durationMs, succeeded)
  }

  figures(): Record<string, MethodFigures> {
    return Object.fromEntries(Array.from(this.#methods, ([name, calls]) => [name, calls.figures()]))
  }

  #of(method: string): MethodCalls {
    let calls = this.#methods.get(method)
    if (calls === undefined) {
      calls = new MethodCalls()
      this.#methods.set(method, calls)
    }
    return calls
  }

  /** A table of its own, so that frames make no names. */
  #ofOperation(name: string): MethodCalls {
    let calls = this.#operations.get(name)
    if (calls === undefined) {
      calls = this.#of(methodOf(name))
      this.#operations.set(name, calls)
    }
    return calls
  }
}
