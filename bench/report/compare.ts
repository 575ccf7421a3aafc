/** Compares two runs of the benchmark. */
import type { Measured, ScenarioResult } from '../measure/rounds.ts'
import type { Run } from './run.ts'

/** Smallest noise: two runs of the same code on a shared machine differ by as much. */
const leastNoise = 0.05

/** One contender in two runs. */
export interface Difference {
  readonly scenario: string
  readonly contender: string
  /** How much better B is than A: 2 = twice as good. */
  readonly change: number
  /** The least change in either direction that counts. */
  readonly noise: number
  readonly verdict: 'better' | 'worse' | 'no difference'
}

function compareOne(scenario: ScenarioResult, a: Measured, b: Measured): Difference {
  const change = scenario.better === 'more' ? b.median / a.median : a.median / b.median
  const noise = Math.max(leastNoise, a.spread + b.spread)
  const verdict = change > 1 + noise ? 'better' : change < 1 / (1 + noise) ? 'worse' : 'no difference'
  return { scenario: scenario.name, contender: a.name, change, noise, verdict }
}

/** The contenders of both runs, side by side. */
export function compareRuns(a: Run, b: Run): Difference[] {
  return a.results.flatMap((scenario) => {
    const other = b.results.find(({ name }) => name === scenario.name)
    return scenario.contenders.flatMap((contender) => {
      const again = other?.contenders.find(({ name }) => name === contender.name)
      return again ? [compareOne(scenario, contender, again)] : []
    })
  })
}
