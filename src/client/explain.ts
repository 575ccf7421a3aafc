/** The calls that a function makes, with their timelines. */
import { newAsyncScope } from '../platform/async-scope.ts'
import { type CallTimeline, timelineObserver } from '../telemetry/call-timeline.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

/** The outcome of a function and the calls that it made; `String(explanation)` is readable text. */
export type Explanation<Result> = ExplainedCalls &
  (
    | { readonly ok: true; readonly value: Result; readonly error: undefined }
    | { readonly ok: false; readonly value: undefined; readonly error: unknown }
  )

interface ExplainedCalls {
  /** The calls that ended before it did, in the order of their ends. */
  readonly calls: readonly CallTimeline[]
  toString(): string
}

/**
 * Runs the function and collects its calls; those of other work meanwhile are left out.
 * @internal
 */
export async function explain<Result>(
  telemetry: Telemetry,
  work: () => Result | Promise<Result>
): Promise<Explanation<Result>> {
  const scope = newAsyncScope()
  const calls: CallTimeline[] = []
  const stop = telemetry.observe(
    timelineObserver(
      (timeline) => calls.push(timeline),
      () => scope.isWithin()
    )
  )
  const text = { toString: () => calls.map(String).join('\n') }
  try {
    const value = await scope.run(work)
    return { ok: true, value, error: undefined, calls, ...text }
  } catch (error) {
    return { ok: false, value: undefined, error, calls, ...text }
  } finally {
    stop()
  }
}
