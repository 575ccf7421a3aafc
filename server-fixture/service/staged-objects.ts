/** The new objects of one unit of work: seen at once, and stored together. */
import type { NewObject, RepositoryInfo, Store } from '../store/store.ts'

export class StagedObjects {
  /** In order; the first `#flushed` of them are stored. */
  readonly #objects: NewObject[] = []
  #flushed = 0
  /** Made when they are asked for, of as many as there are then; most work never asks for them. */
  #byOid: Map<string, NewObject> | undefined
  #mapped = 0
  /** The last flush, while it is under way. */
  #flushing: Promise<void> | undefined

  get count(): number {
    return this.#objects.length
  }

  add(object: NewObject): void {
    this.#objects.push(object)
  }

  /** Takes back all objects after the first `count`. */
  truncate(count: number): void {
    if (this.#objects.length === count) return
    this.#objects.length = count
    this.#byOid = undefined
    this.#mapped = 0
  }

  get(oid: string): NewObject | undefined {
    if (this.#mapped < this.#objects.length) {
      this.#byOid ??= new Map()
      for (const object of this.#objects.slice(this.#mapped)) this.#byOid.set(object.oid, object)
      this.#mapped = this.#objects.length
    }
    return this.#byOid?.get(oid)
  }

  /** They are durable when it resolves, or at once where it returns no promise. */
  flush(store: Store, repository: RepositoryInfo): Promise<void> | undefined {
    if (this.#flushed === this.#objects.length) return this.#flushing
    // One after the other: a second flush stores what the first one does not.
    const next = this.#flushing
      ? this.#flushing.then(() => this.#flush(store, repository))
      : this.#flush(store, repository)
    if (next === undefined) return undefined
    const settled = () => {
      if (this.#flushing === ignored) this.#flushing = undefined
    }
    const ignored: Promise<void> = next.then(settled, settled)
    this.#flushing = ignored
    return next
  }

  #flush(store: Store, { repository, incarnation }: RepositoryInfo): Promise<void> | undefined {
    const { length } = this.#objects
    if (this.#flushed === length) return undefined
    const stored = store.putObjects(repository, this.#unstored(), incarnation)
    if (stored === undefined) {
      this.#flushed = length
      return undefined
    }
    // Only when they are stored: the next flush retries objects that could not be.
    return stored.then(() => {
      this.#flushed = length
    })
  }

  /** Has `work` store the objects that no flush has stored, together with something else. */
  async storeWith<Result>(work: (objects: readonly NewObject[]) => Promise<Result>): Promise<Result> {
    await this.#flushing
    const { length } = this.#objects
    const result = await work(this.#unstored())
    this.#flushed = length
    return result
  }

  #unstored(): readonly NewObject[] {
    return this.#flushed === 0 ? this.#objects : this.#objects.slice(this.#flushed)
  }
}
