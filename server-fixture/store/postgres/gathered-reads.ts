/** Reads of many callers that arrive in one turn of the event loop: one statement for each repository. */

/** Reads the values of keys of a repository, of an id or a name; those without a value are left out. */
type Read<Value> = (id: string, keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>

interface Gathering<Value> {
  readonly keys: Set<string>
  readonly found: Promise<ReadonlyMap<string, Value>>
}

export class GatheredReads<Value> {
  readonly #read: Read<Value>
  /** By repository: reads that were not sent yet. */
  readonly #waiting = new Map<string, Gathering<Value>>()

  constructor(read: Read<Value>) {
    this.#read = read
  }

  /** The values as they are after the call, in order; undefined = none. @throws the error of the read */
  async get(id: string, keys: readonly string[]): Promise<(Value | undefined)[]> {
    const gathering = this.#waiting.get(id) ?? this.#begin(id)
    for (const key of keys) gathering.keys.add(key)
    const found = await gathering.found
    return keys.map((key) => found.get(key))
  }

  #begin(id: string): Gathering<Value> {
    const keys = new Set<string>()
    const found = new Promise(setImmediate).then(() => {
      this.#waiting.delete(id)
      return this.#read(id, [...keys])
    })
    const gathering = { keys, found }
    this.#waiting.set(id, gathering)
    return gathering
  }
}
