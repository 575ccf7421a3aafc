/** Memory stores with which a test decides when the server goes on, and for how long its data stays. */
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { later } from './until.ts'

/** A store whose reads wait while it is blocked, as it is in the beginning. */
export class BlockingStore extends MemoryStore {
  /** Reads that wait. */
  waiting = 0
  #release: () => void = () => undefined
  #gate = Promise.resolve()

  constructor() {
    super()
    this.block()
  }

  block(): void {
    this.#gate = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#release()
  }

  override async getRepository(repository: string) {
    this.waiting++
    await this.#gate
    this.waiting--
    return super.getRepository(repository)
  }
}

/** A store whose reads take a while, so that something is always under way. */
export class SlowStore extends MemoryStore {
  override async getRepository(repository: string) {
    await later(20)
    return super.getRepository(repository)
  }
}

/** A store that outlives its server: one database behind several servers, or behind one that is started again. */
export class SharedStore extends MemoryStore {
  override async close() {}
}
