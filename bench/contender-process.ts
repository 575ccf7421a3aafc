/** Runs one contender of one scenario in a process of its own, when the parent process orders it. */
import type { Order, Report } from './measure/isolated.ts'
import type { Effort } from './measure/scenario.ts'
import { suites } from './suites/all.ts'

const asked = JSON.parse(process.argv[2] ?? '{}') as { suite: string; scenario: string; name: string; effort: Effort }
const send = (report: Report) => process.send?.(report)

const scenarios = suites.find(({ name }) => name === asked.suite)?.scenarios(asked.effort)
const scenario = scenarios?.find(({ name }) => name === asked.scenario)
const contender = scenario?.contenders.find(({ name }) => name === asked.name)
if (contender === undefined) throw new Error(`no contender ${asked.name} in ${asked.scenario}`)
const runner = await contender.open()

process.on('message', async (order: Order) => {
  if ('close' in order) {
    await runner.close()
    process.disconnect?.()
    return
  }
  try {
    const value = await runner.run(order.run)
    send({ value, facts: runner.facts?.() ?? {} })
  } catch (error) {
    send({ error: String((error as Error).stack) })
  }
})
process.once('disconnect', () => process.exit())
send({})
