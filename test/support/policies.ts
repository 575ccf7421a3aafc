import type { PipelineContext } from '../../src/call/pipeline.ts'
import { Latency } from '../../src/core/latency.ts'

type Policies = Pick<
  PipelineContext,
  'retry' | 'breaker' | 'concurrency' | 'hedge' | 'attemptTimeoutMs' | 'random' | 'latency'
>

/** No second attempt, no breaker, no limit that a test would meet. */
export const plainPolicies: Policies = {
  retry: { maxAttempts: 1, baseMs: 100, maxMs: 20_000, budgetRatio: 0.2, budgetPerSecond: 10 },
  breaker: false,
  concurrency: { maxCalls: 100_000, maxQueued: 100_000 },
  hedge: false,
  attemptTimeoutMs: undefined,
  random: () => 0.5,
  latency: new Latency()
}
