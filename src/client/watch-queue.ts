/** Updates that wait for the application, within a bound. */
import type { WatchUpdate } from './watch-types.ts'

/** Moves that wait; with more, the watch ends at the server, and goes on there once they are taken. */
const maxMoves = 2000

export class WatchQueue {
  #updates: WatchUpdate[] = []
  #moves = 0
  #onUpdate: (() => void) | undefined
  #onEmpty: (() => void) | undefined

  get hasUpdates(): boolean {
    return this.#updates.length > 0
  }

  get isFull(): boolean {
    return this.#moves > maxMoves
  }

  push(updates: readonly WatchUpdate[]): void {
    for (const update of updates) {
      this.#updates.push(update)
      this.#moves += 1 + update.moves.length
    }
    if (this.#updates.length > 0) this.#onUpdate?.()
  }

  /** Everything that waits. */
  take(): readonly WatchUpdate[] {
    const updates = this.#updates
    this.#updates = []
    this.#moves = 0
    this.#onEmpty?.()
    return updates
  }

  /** Ends the waits of both sides. */
  wake(): void {
    this.#onUpdate?.()
    this.#onEmpty?.()
  }

  untilUpdate(): Promise<void> {
    return new Promise((resolve) => {
      this.#onUpdate = resolve
    })
  }

  /** Resolves when the application has taken what waits. */
  untilEmpty(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }
}
