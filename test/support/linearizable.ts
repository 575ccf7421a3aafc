/**
 * Whether a history of one ref could have been made by one register that does one thing at a time. Source of the method:
 * Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of Lowe, "Testing for
 * Linearizability" (2017): a search for an order of all operations that keeps to their intervals and to what the register
 * would have answered, in which no place is visited twice.
 */

/** When an operation was under way, on a clock that all writers share: from its call until its answer. */
interface Interval {
  readonly writer: string
  readonly start: number
  readonly end: number
}

/** A value that was read. */
export interface Read extends Interval {
  readonly kind: 'read'
  readonly found: string
}

/**
 * A compare-and-swap. `swap` counts as done where the register is at `value` already; `commit` also where it has gone on
 * from `value`. A value is always put on top of the same one: it is never swapped in from two places.
 */
export interface Swap extends Interval {
  readonly kind: 'swap' | 'commit'
  readonly expected: string
  readonly value: string
  readonly outcome: Done | Refused | Unknown | Never
}

/** It answered success. */
interface Done {
  readonly is: 'done'
}

/** It answered that the register was at `found`. With more than one attempt, one before may have had its effect. */
interface Refused {
  readonly is: 'refused'
  readonly found: string
  readonly attempts: number
}

/** No answer: it may have its effect at any time after its start, or never. */
interface Unknown {
  readonly is: 'unknown'
}

/** It never left. */
interface Never {
  readonly is: 'never'
}

/** One call, and its outcome. */
export type Operation = Read | Swap

/** The result of the search. */
export type Verdict =
  /** `values`: the values of the register, in order, with the initial one. */
  | { readonly ok: true; readonly values: readonly string[] }
  /** The longest order that was found: its number of operations, its last value, and the operations that cannot follow. */
  | { readonly ok: false; readonly placed: number; readonly value: string; readonly stuck: readonly Operation[] }

/** Something that has to be placed into the order. */
interface Step {
  readonly operation: Operation
  readonly start: number
  readonly end: number
  /** The register's value afterwards; undefined = it cannot be here. */
  readonly apply: (value: string) => string | undefined
}

/** A swap that may have had its effect without an answer that says so. */
interface MaybeEffect {
  readonly value: string
  readonly start: number
  /** Place of the answer that it comes before, among the steps; -1 = none. */
  readonly before: number
}

/** Where the search has got to. */
interface Position {
  readonly value: string
  /** The step that led here; -1 = an effect without an answer. */
  readonly step: number
  /** The candidates for the next step: places of steps, or values. */
  readonly next: (number | string)[]
}

/**
 * Looks for such an order.
@param initial value of the register before the first operation
 * @throws Error where a value is swapped in from two places, so that a value does not tell how it came about
 */
export function checkLinearizable(history: readonly Operation[], initial: string): Verdict {
  return new Search(history, initial).run()
}

class Search {
  readonly #steps: Step[] = []
  /** By the value that they expect. Each value is in one place of one chain, so an effect never happens twice. */
  readonly #maybes = new Map<string, MaybeEffect[]>()
  /** The value below each value. */
  readonly #below = new Map<string, string>()
  readonly #placed: boolean[]
  readonly #visited = new Set<string>()
  readonly #initial: string
  /** All steps before this one are placed. */
  #low = 0
  #count = 0

  constructor(history: readonly Operation[], initial: string) {
    this.#initial = initial
    const sorted = [...history].sort((one, other) => one.start - other.start)
    for (const operation of sorted) if (operation.kind !== 'read') this.#learn(operation)
    for (const operation of sorted) this.#add(operation)
    this.#placed = this.#steps.map(() => false)
  }

  run(): Verdict {
    const path: Position[] = [{ value: this.#initial, step: -1, next: this.#candidates(this.#initial) }]
    let best: Verdict = { ok: false, placed: -1, value: this.#initial, stuck: [] }
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      if (this.#count === this.#steps.length) return { ok: true, values: valuesOf(path) }
      if (this.#count > best.placed) {
        best = { ok: false, placed: this.#count, value: at.value, stuck: this.#stuck() }
      }
      const next = at.next.shift()
      if (next === undefined) {
        path.pop()
        this.#take(at.step, false)
        continue
      }
      const value = typeof next === 'string' ? next : this.#steps[next]?.apply(at.value)
      if (value === undefined) continue
      const step = typeof next === 'string' ? -1 : next
      this.#take(step, true)
      if (this.#isNew(value)) path.push({ value, step, next: this.#candidates(value) })
      else this.#take(step, false)
    }
    return best
  }

  #learn({ expected, value }: Swap): void {
    if ((this.#below.get(value) ?? expected) !== expected || value === this.#initial) {
      throw new Error(`${value} is swapped in from two places`)
    }
    this.#below.set(value, expected)
  }

  #add(operation: Operation): void {
    const { start, end } = operation
    if (operation.kind === 'read') {
      const { found } = operation
      this.#steps.push({ operation, start, end, apply: (value) => (value === found ? value : undefined) })
      return
    }
    const { expected, value, outcome } = operation
    if (outcome.is === 'unknown') this.#addMaybe(operation, -1)
    else if (outcome.is === 'done') {
      // Stores take a ref that is at its new value already for moved.
      const isThere = (now: string) => operation.kind === 'swap' && now === value
      const apply = (now: string) => (isThere(now) ? now : now === expected ? value : undefined)
      this.#steps.push({ operation, start, end, apply })
    } else if (outcome.is === 'refused') {
      if (outcome.attempts > 1) this.#addMaybe(operation, this.#steps.length)
      const isRefused = (now: string) => now === outcome.found && now !== expected
      this.#steps.push({ operation, start, end, apply: (now) => (isRefused(now) ? now : undefined) })
    }
  }

  #addMaybe({ expected, value, start }: Swap, before: number): void {
    const others = this.#maybes.get(expected) ?? []
    others.push({ value, start, before })
    this.#maybes.set(expected, others)
  }

  /** Steps that nothing unplaced has ended before, and when the first of them ends: one of them is next. */
  #open(): { steps: number[]; firstEnd: number } {
    const steps: number[] = []
    let firstEnd = Number.POSITIVE_INFINITY
    for (let place = this.#low; place < this.#steps.length; place++) {
      const { start, end } = this.#steps[place] as Step
      if (start > firstEnd) break
      if (this.#placed[place]) continue
      firstEnd = Math.min(firstEnd, end)
      steps.push(place)
    }
    return { steps: steps.filter((place) => (this.#steps[place] as Step).start <= firstEnd), firstEnd }
  }

  /** The candidates for the next step. Reads come first, because they change nothing. */
  #candidates(value: string): (number | string)[] {
    const { steps, firstEnd } = this.#open()
    const quiet: number[] = []
    const moving: number[] = []
    for (const place of steps) {
      const after = this.#steps[place]?.apply(value)
      if (after !== undefined) (after === value ? quiet : moving).push(place)
    }
    const maybes = (this.#maybes.get(value) ?? []).filter(
      ({ start, before }) => start <= firstEnd && !this.#placed[before]
    )
    return [...quiet, ...moving, ...maybes.map((maybe) => maybe.value)]
  }

  /** The operations that must come next and cannot. */
  #stuck(): Operation[] {
    return this.#open().steps.map((place) => (this.#steps[place] as Step).operation)
  }

  #take(step: number, placed: boolean): void {
    if (step < 0) return
    this.#placed[step] = placed
    this.#count += placed ? 1 : -1
    if (!placed) this.#low = Math.min(this.#low, step)
    while (this.#placed[this.#low]) this.#low++
  }

  /** A state is the set of placed operations and the value; the effects without an answer follow from the value. */
  #isNew(value: string): boolean {
    const ahead: number[] = []
    for (let place = this.#low, left = this.#count - this.#low; left > 0; place++) {
      if (!this.#placed[place]) continue
      ahead.push(place)
      left--
    }
    const key = `${value} ${this.#low} ${ahead.join(',')}`
    if (this.#visited.has(key)) return false
    this.#visited.add(key)
    return true
  }
}

function valuesOf(path: readonly Position[]): string[] {
  return path.map(({ value }) => value).filter((value, place, all) => value !== all[place - 1])
}
