/** Failures counted by code and reason. */
import type { Code } from './code.ts'
import type { BlobwireError } from './error.ts'

/** Number of failures with one code and reason. */
export interface FailureCount {
  code: Code
  /** Reason of the errors (`BlobwireError.reason`); empty = they have none. */
  reason: string
  count: number
}

/** A server may send any reason: from so many on, failures count for their code alone, so that labels stay few. */
const maxReasons = 100

export class FailureCounts {
  readonly #counts = new Map<string, FailureCount>()

  add({ code, reason }: Pick<BlobwireError, 'code' | 'reason'>): void {
    const known = this.#counts.get(`${code} ${reason}`)
    if (known === undefined && reason !== '' && this.#counts.size >= maxReasons) return this.add({ code, reason: '' })
    if (known === undefined) this.#counts.set(`${code} ${reason}`, { code, reason, count: 1 })
    else known.count++
  }

  all(): FailureCount[] {
    return [...this.#counts.values()].map((each) => ({ ...each }))
  }
}
