/** The suite of the Git store's own housekeeping: size on disk beside `git gc`, and its price for writers. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureCollected, measurePacks, openHistory } from '../contenders/git-history.ts'
import type { Contender, Suite } from '../measure/scenario.ts'

const commits = 2000
/** Longer than the store waits for more packs before it joins those that are there, several times over. */
const settlingMs = 8000

/** Bytes of packs and indexes for each commit, of a history of single calls. */
function size(name: string, housekeeping: 'on' | 'off', collected: boolean): Contender {
  return {
    name,
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const history = await openHistory(directory, housekeeping)
      for (let count = 0; count < commits; count++) await history.commit()
      await sleep(settlingMs)
      const { gitDir } = history
      const measured = await (collected ? measureCollected(gitDir, join(directory, 'copy.git')) : measurePacks(gitDir))
      return {
        run: async () => measured.bytes / commits,
        facts: () => ({ commits, packs: measured.packs, bytes: measured.bytes }),
        async close() {
          await history.close()
          await rm(directory, { recursive: true, force: true })
        }
      }
    }
  }
}

/** The 99th percentile of one call after the other, while packs are joined again and again. */
function latency(name: string, housekeeping: 'on' | 'off'): Contender {
  return {
    name,
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const history = await openHistory(directory, housekeeping)
      let calls = 0
      return {
        async run(durationMs) {
          const took: number[] = []
          for (const end = performance.now() + durationMs; performance.now() < end || took.length < 100; ) {
            const start = performance.now()
            await history.commit()
            took.push(performance.now() - start)
          }
          calls += took.length
          took.sort((one, other) => one - other)
          return (took[Math.floor(took.length * 0.99)] as number) * 1000
        },
        facts: () => ({ calls }),
        async close() {
          await history.close()
          await rm(directory, { recursive: true, force: true })
        }
      }
    }
  }
}

/** Housekeeping: packs are few and small, and writers do not notice. */
export const housekeeping: Suite = {
  name: 'housekeeping',
  about: '2,000 commits by single calls on the Git store: bytes on disk beside `git gc --prune=now`; p99 of commits.',
  scenarios: () => [
    {
      suite: 'housekeeping',
      name: `bytes on disk a commit, ${commits.toLocaleString('en')} commits`,
      unit: 'bytes/call',
      better: 'less',
      baseline: 'git gc --prune=now',
      contenders: [
        size('git gc --prune=now', 'off', true),
        size('housekeeping', 'on', false),
        size('no housekeeping', 'off', false)
      ]
    },
    {
      suite: 'housekeeping',
      name: 'commitFiles, one call after the other, 99th percentile',
      unit: 'us',
      better: 'less',
      baseline: 'no housekeeping',
      contenders: [latency('no housekeeping', 'off'), latency('housekeeping', 'on')]
    }
  ]
}
