import { MemoryStore } from '../../server-fixture/store/memory-store.ts'

/** A store whose reads wait until they are let go. */
export class StuckStore extends MemoryStore {
  #release: () => void = () => undefined
  readonly #gate = new Promise<void>((resolve) => {
    this.#release = resolve
  })

  override async getRepository(repository: string) {
    await this.#gate
    return super.getRepository(repository)
  }

  /** From now on nothing waits. */
  release(): void {
    this.#release()
  }
}
