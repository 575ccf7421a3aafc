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

/** A compare-and-swap, by either of two calls. It has one effect or none, however many attempts it takes. */
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

/** It answered that the register was at `found`, and had no effect. */
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

/** Something that has a place in the order. */
interface Step {
  readonly operation: Operation
  readonly start: number
  /** Infinity for an effect without an answer, which may also have none. */
  readonly end: number
  /** The register's value afterwards; undefined = it cannot be here. */
  readonly apply: (value: string) => string | undefined
}

/** Where the search has got to. */
interface Position {
  readonly value: string
  /** The step that led here; -1 = none. */
  readonly step: number
  /** The candidates for the next step. */
  readonly next: number[]
}

/**
 * Looks for such an order. Values may come back.
 *
 * @param initial value of the register before the first operation
 */
export function checkLinearizable(history: readonly Operation[], initial: string): Verdict {
  return new Search(history, initial).run()
}

class Search {
  /** Those with an answer, by their start. */
  readonly #steps: Step[]
  /** Effects without an answer, by the value that they expect: places in `#all`. */
  readonly #maybes = new Map<string, number[]>()
  readonly #all: Step[]
  readonly #placed: boolean[]
  readonly #visited = new Set<string>()
  readonly #initial: string
  /** Effects without an answer that are placed. */
  readonly #happened = new Set<number>()
  /** All steps before this one are placed. */
  #low = 0
  #count = 0

  constructor(history: readonly Operation[], initial: string) {
    this.#initial = initial
    const sorted = history.flatMap(stepsOf).sort((one, other) => one.start - other.start)
    this.#steps = sorted.filter(({ end }) => end < Number.POSITIVE_INFINITY)
    const open = sorted.filter(({ end }) => end === Number.POSITIVE_INFINITY)
    this.#all = [...this.#steps, ...open]
    open.forEach(({ operation }, index) => {
      const { expected } = operation as Swap
      this.#maybes.set(expected, [...(this.#maybes.get(expected) ?? []), this.#steps.length + index])
    })
    this.#placed = this.#all.map(() => false)
  }

  run(): Verdict {
    const path: Position[] = [{ value: this.#initial, step: -1, next: this.#candidates(this.#initial) }]
    let best: Verdict = { ok: false, placed: -1, value: this.#initial, stuck: [] }
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      if (this.#count === this.#steps.length) return { ok: true, values: valuesOf(path) }
      if (this.#count > best.placed) {
        best = { ok: false, placed: this.#count, value: at.value, stuck: this.#stuck() }
      }
      const step = at.next.shift()
      if (step === undefined) {
        path.pop()
        this.#take(at.step, false)
        continue
      }
      const value = this.#all[step]?.apply(at.value)
      if (value === undefined) continue
      this.#take(step, true)
      if (this.#isNew(value)) path.push({ value, step, next: this.#candidates(value) })
      else this.#take(step, false)
    }
    return best
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
  #candidates(value: string): number[] {
    const { steps, firstEnd } = this.#open()
    const quiet: number[] = []
    const moving: number[] = []
    for (const place of steps) {
      const after = this.#steps[place]?.apply(value)
      if (after !== undefined) (after === value ? quiet : moving).push(place)
    }
    const maybes = (this.#maybes.get(value) ?? []).filter(
      (place) => !this.#placed[place] && (this.#all[place] as Step).start <= firstEnd
    )
    return [...quiet, ...moving, ...maybes]
  }

  /** The operations that must come next and cannot. */
  #stuck(): Operation[] {
    return this.#open().steps.map((place) => (this.#steps[place] as Step).operation)
  }

  #take(step: number, placed: boolean): void {
    if (step < 0) return
    this.#placed[step] = placed
    if (step >= this.#steps.length) {
      if (placed) this.#happened.add(step)
      else this.#happened.delete(step)
      return
    }
    this.#count += placed ? 1 : -1
    if (!placed) this.#low = Math.min(this.#low, step)
    while (this.#low < this.#steps.length && this.#placed[this.#low]) this.#low++
  }

  /** A state is the set of placed operations and the value. */
  #isNew(value: string): boolean {
    const ahead: number[] = []
    for (let place = this.#low, left = this.#count - this.#low; left > 0; place++) {
      if (!this.#placed[place]) continue
      ahead.push(place)
      left--
    }
    const happened = [...this.#happened].sort((one, other) => one - other)
    const key = `${value} ${this.#low} ${ahead.join(',')} ${happened.join(',')}`
    if (this.#visited.has(key)) return false
    this.#visited.add(key)
    return true
  }
}

function stepsOf(operation: Operation): Step[] {
  const { start, end } = operation
  if (operation.kind === 'read') {
    const { found } = operation
    return [{ operation, start, end, apply: (now) => (now === found ? now : undefined) }]
  }
  const { expected, value, outcome } = operation
  const happens = (now: string) => (now === expected ? value : undefined)
  if (outcome.is === 'done') return [{ operation, start, end, apply: happens }]
  if (outcome.is === 'unknown') return [{ operation, start, end: Number.POSITIVE_INFINITY, apply: happens }]
  if (outcome.is === 'never') return []
  const { found } = outcome
  return [{ operation, start, end, apply: (now) => (now === found && now !== expected ? now : undefined) }]
}

function valuesOf(path: readonly Position[]): string[] {
  return path.map(({ value }) => value).filter((value, place, all) => value !== all[place - 1])
}
