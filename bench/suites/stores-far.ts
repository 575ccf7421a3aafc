/** The suite of a database that is not beside its server: the time of one commit. */
import type { Repository } from '../../src/index.ts'
import { postgresStore } from '../contenders/stores.ts'
import type { Contender, Suite } from '../measure/scenario.ts'
import { median } from '../measure/statistics.ts'

const suite = 'stores-far'
const author = { name: 'Bench', email: 'bench@example.org' }

/** One writer, one commit after the other. */
function committing(name: string, addedMs: number): Contender {
  return {
    name,
    async open() {
      const { repository, close } = await postgresStore(addedMs)
      let next = 0
      const commit = (to: Repository) => {
        const changes = { [`d${next % 20}/f${next % 400}`]: `content ${next++}` }
        return to.commitFiles({ branch: 'main', changes, message: 'Bench\n', author })
      }
      let least = Number.POSITIVE_INFINITY
      return {
        async run(durationMs) {
          const took: number[] = []
          for (const start = performance.now(); took.length < 5 || performance.now() < start + durationMs; ) {
            const begunMs = performance.now()
            const { oid } = await commit(repository)
            if (oid.length !== 40) throw new Error(`${oid} is no oid`)
            took.push(performance.now() - begunMs)
          }
          least = Math.min(least, ...took)
          return median(took)
        },
        facts: () => ({ 'least ms': Math.round(least * 10) / 10 }),
        close
      }
    }
  }
}

export const storesFar: Suite = {
  name: suite,
  about:
    'The time of a commit by one writer on the PostgreSQL store, with the database beside the server and 5 ms away.',
  scenarios: () => [
    {
      suite,
      name: 'commitFiles of one file, one writer, 5 ms added between server and database',
      unit: 'ms',
      better: 'less',
      baseline: 'beside',
      contenders: [committing('beside', 0), committing('5 ms away', 5)]
    }
  ]
}
