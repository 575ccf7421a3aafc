/** Measures the contenders of a scenario, round by round. */
import type { Effort, Facts, Runner, Scenario } from './scenario.ts'
import { halfSpread, median } from './statistics.ts'

/** The measurements of one contender. */
export interface Measured {
  readonly name: string
  /** One value for each round, in the scenario's unit. */
  readonly values: readonly number[]
  readonly median: number
  /** Half the distance from the least to the most value, in relation to the median. */
  readonly spread: number
  /** Median in relation to the baseline's: above 1 is better, whatever the unit. */
  readonly ratio: number
  readonly facts: Facts
}

/** A scenario and its measurements. */
export interface ScenarioResult {
  readonly suite: string
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly baseline: string
  readonly contenders: readonly Measured[]
}

/** Runs a scenario: all contenders are opened and warmed up, then they take turns, round by round. */
export async function measure(scenario: Scenario, effort: Effort): Promise<ScenarioResult> {
  const runners: { name: string; runner: Runner; values: number[] }[] = []
  try {
    for (const { name, open } of scenario.contenders) runners.push({ name, runner: await open(), values: [] })
    for (const { runner } of runners) await runner.run(effort.warmUpMs)
    for (let round = 0; round < effort.rounds; round++) {
      for (const { runner, values } of runners) values.push(await runner.run(effort.roundMs))
    }
    const { suite, name, unit, better, baseline } = scenario
    const base = median(runners.find((run) => run.name === baseline)?.values ?? [])
    const contenders = runners.map((run) => {
      const middle = median(run.values)
      const ratio = better === 'more' ? middle / base : base / middle
      const facts = run.runner.facts?.() ?? {}
      return { name: run.name, values: run.values, median: middle, spread: halfSpread(run.values), ratio, facts }
    })
    return { suite, name, unit, better, baseline, contenders }
  } finally {
    for (const { runner } of runners) await runner.close()
  }
}
