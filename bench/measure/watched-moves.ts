/** Moves of a ref, and those who watch for them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Repository } from '../../src/index.ts'

const name = 'refs/heads/main'
const movesPerSecond = 100

/** When each move was asked for, and where it went. */
export interface Moves {
  readonly atMs: number[]
  readonly oids: string[]
}

/** One watch: the time that each move took, checked to be the next one. */
export class Watcher {
  readonly #signal = new AbortController()
  readonly #ended: Promise<void>
  taken = 0
  started = false
  tookMs: number[] = []

  constructor(repository: Repository, moves: Moves) {
    this.#ended = this.#follow(repository, moves).catch((error: unknown) => {
      if (!this.#signal.signal.aborted) throw error
    })
  }

  async end(): Promise<void> {
    this.#signal.abort()
    await this.#ended
  }

  async #follow(repository: Repository, { atMs, oids }: Moves): Promise<void> {
    for await (const { kind, moves } of repository.watch({ signal: this.#signal.signal })) {
      this.started = true
      if (kind !== 'moves') continue
      const place = this.taken++
      if (moves[0]?.newOid !== oids[place] || moves.length !== 1) throw new Error(`move ${place} came out of order`)
      this.tookMs.push(performance.now() - (atMs[place] as number))
    }
  }
}

export async function until(isSo: () => boolean, inMs: number): Promise<void> {
  const end = performance.now() + inMs
  while (!isSo()) {
    if (performance.now() > end) throw new Error('a watcher did not see every move')
    await sleep(5)
  }
}

/** Moves the ref 100 times a second, for so long. */
export async function move(
  repository: Repository,
  moves: Moves,
  ways: readonly [string, string],
  durationMs: number
): Promise<void> {
  const start = performance.now()
  for (let count = 0; performance.now() < start + durationMs || count < 10; count++) {
    const place = moves.oids.length
    const [expectedOid, newOid] = place % 2 === 0 ? ways : ways.toReversed()
    moves.oids.push(newOid as string)
    moves.atMs.push(performance.now())
    await repository.updateRefs([{ name, expectedOid: expectedOid as string, newOid: newOid as string }])
    await sleep(Math.max(0, start + ((count + 1) * 1000) / movesPerSecond - performance.now()))
  }
}

/** The 99th percentile of the time from the call to each watch. */
export function p99(watchers: readonly Watcher[]): number {
  const all = Float64Array.from(watchers.flatMap(({ tookMs }) => tookMs)).sort()
  return all[Math.floor(all.length * 0.99)] ?? 0
}
