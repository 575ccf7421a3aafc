/** Keeps directories open while files in them are written: a bounded number, those that were used last. */
import type { Directory } from '../../platform/platform.ts'
import type { WantedDirectory } from './wanted-tree.ts'

/** A process has 1,024 descriptors by default, and sockets of its own. */
const maxOpen = 100

interface Held {
  readonly opened: Promise<Directory>
  users: number
}

/** The directories of one checkout. Each is opened in the one above it, and made where it is missing. */
export class OpenDirectories {
  readonly #root: Directory
  readonly #held = new Map<WantedDirectory, Held>()

  constructor(root: Directory) {
    this.#root = root
  }

  /** See `Directory`. */
  get base(): string {
    return this.#root.base
  }

  /** Calls the function with the directory, which stays open meanwhile. */
  async use<Result>(wanted: WantedDirectory, run: (directory: Directory) => Promise<Result>): Promise<Result> {
    if (wanted.above === undefined) return run(this.#root)
    const held = this.#hold(wanted)
    held.users++
    try {
      return await run(await held.opened)
    } finally {
      held.users--
      this.#closeUnused(maxOpen)
    }
  }

  #hold(wanted: WantedDirectory): Held {
    const found = this.#held.get(wanted)
    if (found !== undefined) {
      // The one used last is the last to be closed.
      this.#held.delete(wanted)
      this.#held.set(wanted, found)
      return found
    }
    const held = { opened: this.#open(wanted), users: 0 }
    held.opened.catch(() => this.#held.delete(wanted))
    this.#held.set(wanted, held)
    return held
  }

  #open(wanted: WantedDirectory): Promise<Directory> {
    return this.use(wanted.above as WantedDirectory, async (above) => {
      if (wanted.isNew) await above.make(wanted.name)
      return above.open(wanted.name)
    })
  }

  #closeUnused(most: number): void {
    for (const [wanted, { opened, users }] of this.#held) {
      if (this.#held.size <= most) return
      if (users > 0) continue
      this.#held.delete(wanted)
      void opened.then((directory) => directory.close())
    }
  }

  /** When nothing uses them any more. */
  close(): void {
    this.#closeUnused(0)
  }
}
