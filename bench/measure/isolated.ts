/** Runs contenders in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Contender, Effort, Facts, Runner, Scenario } from './scenario.ts'

const program = fileURLToPath(new URL('../contender-process.ts', import.meta.url))

/** An order to the process of a contender. */
export type Order = { readonly run: number } | { readonly close: true }

/** The answer of the process: a value with facts, or an error. */
export type Report = { readonly value?: number; readonly facts?: Facts; readonly error?: string }

/**
 * The same scenario with each contender in a process of its own, as in production. In one process contenders slow each
 * other down: shared code is compiled for all of them, and garbage collection covers the heap of all.
 */
export function inOwnProcesses(scenario: Scenario, effort: Effort): Scenario {
  return { ...scenario, contenders: scenario.contenders.map(({ name }) => isolated(scenario, name, effort)) }
}

function isolated({ suite, name: scenario }: Scenario, name: string, effort: Effort): Contender {
  return {
    name,
    async open(): Promise<Runner> {
      const child = fork(program, [JSON.stringify({ suite, scenario, name, effort })])
      let facts: Facts = {}
      // The first report says that the contender is open.
      await reported(child)
      return {
        async run(durationMs) {
          const report = await ask(child, { run: durationMs })
          facts = report.facts ?? {}
          return report.value as number
        },
        facts: () => facts,
        async close() {
          const exited = once(child, 'exit')
          child.send({ close: true } satisfies Order)
          await exited
        }
      }
    }
  }
}

async function ask(child: ChildProcess, order: Order): Promise<Report> {
  const report = reported(child)
  child.send(order)
  return report
}

async function reported(child: ChildProcess): Promise<Report> {
  const ended = once(child, 'exit').then(([code]) => ({ error: `its process ended with ${code}` }))
  const [report] = await Promise.race([once(child, 'message') as Promise<[Report]>, ended.then((end) => [end])])
  if (report.error !== undefined) throw new Error(report.error)
  return report
}
