/** Walks through history that wait for their next page. They are hints: without one, a walk is made again. */
import { shareOfMemory } from '../store/bounded-cache.ts'

const maxWalks = 64
/** Of all walks; enough for one through three million commits. */
const usualMaxBytes = shareOfMemory(1 / 8, 256 * 1024 * 1024)
const maxIdleMs = 10 * 60_000

/** Where a walk is: `visited` commits after the one where it began. */
export interface LogPosition {
  readonly start: string
  readonly visited: number
}

/** A page that is asked for. */
interface LogPage extends LogPosition {
  /** See `identityOf`. */
  readonly repository: string
  readonly path: string
}

/** A walk between two pages. */
export interface WaitingWalk {
  readonly path: string
  readonly position: LogPosition
  /** Estimated memory in bytes. */
  readonly bytes: number
}

interface KeptWalk {
  readonly repository: string
  readonly walk: WaitingWalk
  readonly bytes: number
  readonly keptAtMs: number
}

export class KeptWalks {
  /** The oldest first. */
  #walks: KeptWalk[] = []
  readonly #now: () => number
  readonly #maxBytes: number

  constructor({ now = () => performance.now(), maxBytes = usualMaxBytes } = {}) {
    this.#now = now
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#walks.length
  }

  /** Takes the walk that is nearest in front of the page; undefined = there is none. */
  take({ repository, path, start, visited }: LogPage): WaitingWalk | undefined {
    this.#trim()
    let best: KeptWalk | undefined
    for (const kept of this.#walks) {
      const { position } = kept.walk
      if (kept.repository !== repository || kept.walk.path !== path || position.start !== start) continue
      if (position.visited > visited || position.visited <= (best?.walk.position.visited ?? -1)) continue
      best = kept
    }
    this.#walks = this.#walks.filter((kept) => kept !== best)
    return best?.walk
  }

  /** Keeps a walk, which nobody uses any more, until its next page is asked for. */
  keep(repository: string, walk: WaitingWalk): void {
    this.#walks.push({ repository, walk, bytes: walk.bytes, keptAtMs: this.#now() })
    this.#trim()
  }

  #trim(): void {
    const oldestMs = this.#now() - maxIdleMs
    let bytes = this.#walks.reduce((sum, kept) => sum + kept.bytes, 0)
    while (true) {
      const [oldest] = this.#walks
      if (oldest === undefined) return
      if (this.#walks.length <= maxWalks && bytes <= this.#maxBytes && oldest.keptAtMs >= oldestMs) return
      this.#walks.shift()
      bytes -= oldest.bytes
    }
  }
}
