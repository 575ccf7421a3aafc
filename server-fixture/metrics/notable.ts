/** Calls that took long, and the repositories that have the most: for the dashboard, which names them. */
import type { SlowCall } from '../admin/feed-snapshot.ts'

/** Calls that take longer are slow. */
const slowMs = 500
const maxSlowCalls = 20
/** Repositories that are counted; more have the least busy ones forgotten. */
const maxRepositories = 1000
/** No repository has a longer name; a request may, and it would be kept. */
const maxNameLength = 200

/** Both as data. */
export interface NotableFigures {
  /** The latest last. */
  readonly slowCalls: readonly SlowCall[]
  /** Calls since somebody watches. */
  readonly repositories: Readonly<Record<string, number>>
}

/** Of one process. */
export class Notable {
  readonly #slowCalls: SlowCall[] = []
  /** Undefined = nobody watches. */
  #load: Map<string, number> | undefined

  /** Whether a call that took so long is to be told of. Asked for every frame. */
  wants(durationMs: number): boolean {
    return durationMs >= slowMs || this.#load !== undefined
  }

  /** A call that is wanted has ended. */
  ended(call: Omit<SlowCall, 'time'>): void {
    const { operations, durationMs } = call
    const repository = call.repository.length > maxNameLength ? '' : call.repository
    if (this.#load !== undefined && repository !== '') this.#count(repository, operations)
    if (durationMs < slowMs) return
    const time = new Date().toISOString()
    this.#slowCalls.push({ ...call, repository, durationMs: Math.round(durationMs), time })
    if (this.#slowCalls.length > maxSlowCalls) this.#slowCalls.shift()
  }

  /** Counts the calls of repositories from now on, or no longer. */
  watch(isWatched: boolean): void {
    this.#load = isWatched ? (this.#load ?? new Map()) : undefined
  }

  figures(): NotableFigures {
    return { slowCalls: [...this.#slowCalls], repositories: Object.fromEntries(this.#load ?? []) }
  }

  #count(repository: string, calls: number): void {
    const load = this.#load as Map<string, number>
    load.set(repository, (load.get(repository) ?? 0) + calls)
    if (load.size <= maxRepositories) return
    const busiest = [...load].sort(([, a], [, b]) => b - a).slice(0, maxRepositories / 2)
    this.#load = new Map(busiest)
  }
}
