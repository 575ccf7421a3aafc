/** When a statement is tried again. Every statement may be: it was written so that twice does no harm. */
import type { Clock } from '../../../../src/core/clock.ts'
import { pauseCall, withJitter } from './back-off.ts'
import { type FailureKind, failureKind, storeError } from './database-failure.ts'

/** How often a statement is tried again, and the wait before it, for each kind of failure. */
const rules: Readonly<Partial<Record<FailureKind, { readonly times: number; readonly waitMs: number }>>> = {
  collision: { times: 6, waitMs: 5 },
  unreachable: { times: 1, waitMs: 50 },
  demoted: { times: 1, waitMs: 50 },
  stale: { times: 2, waitMs: 0 }
}

export class Retries {
  readonly #clock: Clock
  /** Since the start, for metrics. */
  count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws the error of the last attempt as one of the store */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const failed = new Map<FailureKind, number>()
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        const kind = failureKind(error)
        const times = (failed.get(kind) ?? 0) + 1
        const rule = rules[kind]
        if (rule === undefined || times > rule.times) throw storeError(error)
        failed.set(kind, times)
        this.count++
        await pauseCall(this.#clock, withJitter(rule.waitMs * times))
      }
    }
  }
}
