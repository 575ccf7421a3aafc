/** Writers of one branch that record their operations and outcomes, for `linearizable.ts`. */
import { encodeCommit } from '../../src/git/commit.ts'
import { hashObject } from '../../src/git/oid.ts'
import { BlobwireError, type CallOptions, type Repository } from '../../src/index.ts'
import type { Operation, Swap } from './linearizable.ts'

const branch = 'main'
const ref = `refs/heads/${branch}`
/** All commits have the same tree, so that their oids are known before they are made. */
const changes = { file: 'content' }
const author = { name: 'A', email: 'a@example.com', timeSeconds: 1_700_000_000, zone: '+0000' }

/** The common record of all writers. */
export class Notes {
  readonly history: Operation[] = []
  /** Failures that may not happen. */
  readonly failures: unknown[] = []
  /** Values that a writer has seen, in order. */
  readonly seen: string[]
  readonly tree: string
  /** Writers go on until this is set. */
  stopped = false
  /** Counts starts and ends: no two things happen at once. */
  #now = 0
  #wake: { at: number; resolve: () => void } | undefined

  private constructor(first: string, tree: string) {
    this.seen = [first]
    this.tree = tree
  }

  /** Makes the branch. */
  static async begin(repository: Repository): Promise<Notes> {
    await repository.createRepository()
    const { oid, tree } = await repository.commitFiles({
      branch,
      changes,
      author,
      message: 'first',
      expectedHead: null
    })
    return new Notes(oid, tree)
  }

  /** The value of the branch before the first operation. */
  get first(): string {
    return this.seen[0] as string
  }

  /** Nothing more is to be learned: writers whose calls fail at once would fill the memory. */
  fail(error: unknown): void {
    this.failures.push(error)
    this.stopped = true
  }

  /** The time of a start or an end. */
  tick(): number {
    this.#now++
    if (this.#wake?.at === this.#now) this.#wake.resolve()
    return this.#now
  }

  /** Resolves after so many further starts and ends. */
  after(ticks: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = { at: this.#now + ticks, resolve }
    })
  }
}

/** The parts of a writer. */
export interface WriterParts {
  readonly name: string
  readonly repository: Repository
  /** Sends now and then the same as this writer, at the same time. */
  readonly twin: Repository
  readonly notes: Notes
  readonly random: (below: number) => number
}

/** A move of the branch that is asked for. */
type Move = Pick<Swap, 'kind' | 'expected' | 'value'> & { readonly message: string }

/** Reads the branch and moves it, over and over. */
export class Writer {
  readonly #parts: WriterParts
  /** The value of the branch, as far as this writer knows. */
  #head: string
  #turn = 0

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#head = parts.notes.first
  }

  /** Works until the notes say stop. */
  async run(): Promise<void> {
    while (!this.#parts.notes.stopped) {
      const die = this.#parts.random(10)
      if (die < 3) await this.read()
      else await this.#move(die < 6 ? 'swap' : 'commit')
    }
  }

  /** Reads the branch, in one of two ways. */
  async read(): Promise<void> {
    const { name, notes, repository, random } = this.#parts
    const start = notes.tick()
    try {
      const found =
        random(2) > 0
          ? (await repository.getCommit(ref)).commit?.oid
          : (await repository.listRefs({ prefix: ref })).refs[0]?.oid
      this.#learn(found ?? 'nothing')
      notes.history.push({ kind: 'read', writer: name, start, end: notes.tick(), found: this.#head })
    } catch (error) {
      notes.fail(error)
    }
  }

  async #move(kind: 'swap' | 'commit'): Promise<void> {
    const { name, repository, twin, notes, random } = this.#parts
    // Now and then a stale value.
    const expected = random(8) > 0 ? this.#head : (notes.seen[random(notes.seen.length)] as string)
    const message = `${name} ${this.#turn++}`
    // Now and then the branch goes back to a value that it had before.
    const isBack = kind === 'swap' && random(3) === 0
    const value = isBack ? (notes.seen[random(notes.seen.length)] as string) : oidOf(notes.tree, expected, message)
    const move = { kind, expected, value, message }
    if (value === expected || (kind === 'swap' && !isBack && !(await this.#store(move)))) return
    // Now and then the writer does not wait, and the outcome stays unknown.
    const timeoutMs = random(6) > 0 ? undefined : 1 + random(30)
    const asked = [this.#ask(repository, move, { timeoutMs })]
    if (random(8) === 0) asked.push(this.#ask(twin, move, {}))
    await Promise.all(asked)
  }

  /** A ref can only be moved to a commit that is there. */
  async #store({ expected, message }: Move): Promise<boolean> {
    const { repository, notes } = this.#parts
    try {
      await repository.storeCommit({ tree: notes.tree, parents: [expected], author, message })
      return true
    } catch (error) {
      // The commit that the move builds on was perhaps never made.
      const isGuess =
        error instanceof BlobwireError && error.reason === 'missing_object' && !notes.seen.includes(expected)
      if (!isGuess) notes.fail(error)
      this.#head = notes.seen.at(-1) as string
      return false
    }
  }

  async #ask(repository: Repository, move: Move, options: CallOptions): Promise<void> {
    const { name, notes } = this.#parts
    const { kind, expected, value } = move
    const start = notes.tick()
    let outcome: Swap['outcome'] = { is: 'done' }
    try {
      const found = await send(repository, move, options)
      if (found !== value) throw new Error(`${kind} to ${value} answered ${found}`)
      this.#learn(value)
    } catch (error) {
      outcome = this.#outcome(error, options)
    }
    notes.history.push({ kind, writer: name, start, end: notes.tick(), expected, value, outcome })
    // Writers may build on commits that were never acknowledged.
    if (outcome.is === 'unknown' && this.#parts.random(2) > 0) this.#head = value
  }

  #outcome(error: unknown, { timeoutMs }: CallOptions): Swap['outcome'] {
    if (!(error instanceof BlobwireError)) throw error
    const { code, reason, sent, attempts, details } = error
    const found = details.refMismatches?.[0]?.foundOid
    if (reason === 'ref_mismatch' && found !== undefined) {
      this.#learn(found)
      return { is: 'refused', found, attempts }
    }
    // No attempt begins that would have no time left.
    const isCut = timeoutMs !== undefined && (code === 'deadline_exceeded' || code === 'unavailable')
    if (!isCut) this.#parts.notes.fail(error)
    return { is: sent === 'never' ? 'never' : 'unknown' }
  }

  #learn(value: string): void {
    const { seen } = this.#parts.notes
    this.#head = value
    if (seen.at(-1) !== value) seen.push(value)
  }
}

function oidOf(tree: string, parent: string, message: string): string {
  const commit = encodeCommit({ tree, parents: [parent], author, committer: author, message })
  return hashObject('commit', commit, 'sha1')
}

/** The value that the branch is said to have been moved to. */
async function send(
  repository: Repository,
  { kind, expected, value, message }: Move,
  options: CallOptions
): Promise<string | undefined> {
  if (kind === 'swap') {
    const updates = [{ name: ref, expectedOid: expected, newOid: value }]
    return (await repository.updateRefs(updates, options)).refs[0]?.oid
  }
  return (await repository.commitFiles({ branch, changes, author, message, expectedHead: expected }, options)).oid
}
