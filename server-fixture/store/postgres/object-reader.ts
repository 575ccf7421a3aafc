/** Reads rows of objects: calls that ask in the same moment, or while others are being answered, ask together. */

import { oidArray } from './binary-arrays.ts'
import type { Database } from './database/database.ts'
import type { ObjectRow } from './object-rows.ts'
import { RepositoryGone } from './repositories.ts'

/** Questions about one repository that are asked at the same time, at most. */
const questionsInFlight = 2
/** Objects of one question. A statement has 10 s, and contents may have 1 MiB each. */
const maxOids = 1000
const maxContents = 200

/** The rows that were asked for, by oid. */
export type FoundRows = ReadonlyMap<string, ObjectRow>

/** A call that waits for its rows. */
interface Question {
  readonly oids: readonly string[]
  readonly answer: PromiseWithResolvers<FoundRows>
}

/** The questions that wait for one repository and one size. */
interface Waiting {
  questions: Question[]
  inFlight: number
  isScheduled: boolean
}

export class ObjectReader {
  readonly #database: Database
  readonly #waiting = new Map<string, Waiting>()

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Rows of these objects and, perhaps, of others.
   *
   * @param maxBytes larger contents are left out; -1 = all are
   * @throws RepositoryGone
   */
  read(id: string, oids: readonly string[], maxBytes: number): Promise<FoundRows> {
    const most = mostOf(maxBytes)
    return oids.length > most ? this.#readParts(id, oids, maxBytes) : this.#ask(id, oids, maxBytes)
  }

  async #readParts(id: string, oids: readonly string[], maxBytes: number): Promise<FoundRows> {
    const most = mostOf(maxBytes)
    const parts = Array.from({ length: Math.ceil(oids.length / most) }, (_, index) =>
      this.#ask(id, oids.slice(index * most, (index + 1) * most), maxBytes)
    )
    return new Map((await Promise.all(parts)).flatMap((rows) => [...rows]))
  }

  #ask(id: string, oids: readonly string[], maxBytes: number): Promise<FoundRows> {
    const key = `${id} ${maxBytes}`
    let waiting = this.#waiting.get(key)
    if (waiting === undefined) {
      waiting = { questions: [], inFlight: 0, isScheduled: false }
      this.#waiting.set(key, waiting)
    }
    const answer = Promise.withResolvers<FoundRows>()
    waiting.questions.push({ oids, answer })
    this.#schedule(key, waiting, { id, maxBytes })
    return answer.promise
  }

  #schedule(key: string, waiting: Waiting, of: { id: string; maxBytes: number }): void {
    if (waiting.isScheduled || waiting.inFlight >= questionsInFlight) return
    waiting.isScheduled = true
    setImmediate(async () => {
      waiting.isScheduled = false
      waiting.inFlight++
      await this.#answer(take(waiting, mostOf(of.maxBytes)), of)
      waiting.inFlight--
      if (waiting.questions.length > 0) this.#schedule(key, waiting, of)
      else if (waiting.inFlight === 0 && !waiting.isScheduled) this.#waiting.delete(key)
    })
  }

  /** Never rejects. */
  async #answer(questions: readonly Question[], { id, maxBytes }: { id: string; maxBytes: number }): Promise<void> {
    try {
      const oids = questions.length === 1 ? (questions[0] as Question).oids : questions.flatMap((one) => one.oids)
      const unique = [...new Set(oids)]
      const rows = await this.#database.read<ObjectRow>({
        name: 'objects',
        // One row without an oid where the repository has none of them.
        text: `SELECT o.* FROM repositories r LEFT JOIN (unnest($2::bytea[]) n(oid) CROSS JOIN LATERAL (
            SELECT oid, kind, encoding, size, content_id, CASE WHEN size <= $3 THEN content END AS content
            FROM objects WHERE repository = $1 AND oid = n.oid LIMIT 1
          ) o) ON true WHERE r.id = $1`,
        values: [id, oidArray(unique), maxBytes]
      })
      if (rows.length === 0) throw new RepositoryGone()
      const found = new Map<string, ObjectRow>()
      for (const row of rows) if (row.oid !== null) found.set(row.oid.toString('hex'), row)
      for (const { answer } of questions) answer.resolve(found)
    } catch (error) {
      for (const { answer } of questions) answer.reject(error)
    }
  }
}

const mostOf = (maxBytes: number) => (maxBytes < 0 ? maxOids : maxContents)

/** The questions that are asked next: all that fit, and one at least. */
function take(waiting: Waiting, most: number): readonly Question[] {
  let count = 0
  const end = waiting.questions.findIndex(({ oids }, index) => {
    count += oids.length
    return index > 0 && count > most
  })
  const taken = end < 0 ? waiting.questions : waiting.questions.slice(0, end)
  waiting.questions = end < 0 ? [] : waiting.questions.slice(end)
  return taken
}
