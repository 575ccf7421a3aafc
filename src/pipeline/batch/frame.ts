import type { Messages } from '../../schema/messages.ts'
import type { PreparedOperation } from '../../transport/session.ts'
import type { Entry } from './entry.ts'

/** A batch on its way on a session: whose operations have which ids. */
export class Frame {
  readonly repository: string
  readonly entries: readonly Entry[]
  readonly operations: readonly PreparedOperation[]
  readonly firstId: number
  readonly sentAtMs: number
  readonly #answered: Uint8Array
  #left: number

  constructor(entries: readonly Entry[], firstId: number, sentAtMs: number) {
    const [first] = entries
    this.repository = first?.repository ?? ''
    this.entries = entries
    // Either one entry of many operations, or many of one.
    this.operations =
      entries.length === 1 && first
        ? first.operations
        : entries.map((entry) => entry.operations[0] as PreparedOperation)
    this.firstId = firstId
    this.sentAtMs = sentAtMs
    this.#left = this.operations.length
    this.#answered = new Uint8Array(this.#left)
  }

  /** It has one call in it, which is waited for by nobody else. */
  get alone(): boolean {
    return this.entries[0]?.alone ?? false
  }

  /** Every operation has its result. */
  get done(): boolean {
    return this.#left === 0
  }

  owns(id: number): boolean {
    return id >= this.firstId && id < this.firstId + this.operations.length
  }

  /** The entry that waits for the result of this id. */
  entryOf(id: number): Entry | undefined {
    return this.entries.length === 1 ? this.entries[0] : this.entries[id - this.firstId]
  }

  /** The ids of an entry. */
  idsOf(entry: Entry): number[] {
    if (this.entries.length === 1) return this.operations.map((_operation, index) => this.firstId + index)
    return [this.firstId + this.entries.indexOf(entry)]
  }

  /** Gives a result to whom it belongs. False = that operation has had one. */
  take(id: number, result: Messages['OperationResult']): boolean {
    const index = id - this.firstId
    if (this.#answered[index] !== 0) return false
    this.#answered[index] = 1
    this.#left--
    if (this.entries.length === 1) this.entries[0]?.take(index, result)
    else this.entries[index]?.take(0, result)
    return true
  }

  /** Takes the operation out of this frame, to be sent again. False = it has had a result. */
  giveBack(id: number, queue: (entry: Entry) => void): boolean {
    const index = id - this.firstId
    const entry = this.entryOf(id)
    if (entry === undefined || this.#answered[index] !== 0) return false
    this.#answered[index] = 1
    this.#left--
    if (!entry.ended) queue(entry)
    return true
  }

  /** Entries that still wait for a result. */
  unanswered(): Entry[] {
    return this.entries.filter(
      ({ ended }, index) => !ended && (this.entries.length === 1 || this.#answered[index] === 0)
    )
  }
}
