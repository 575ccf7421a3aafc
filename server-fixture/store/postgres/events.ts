/**
 * Events as rows. What other servers moved is seen by looking: sequences become visible in their order, since whoever
 * writes one has the repository's row locked until its transaction has ended.
 */
import type { EventCursor, EventPage, EventRequest, RefEvent } from '../events.ts'
import { EventListeners } from '../events.ts'
import type { Database } from './database/database.ts'
import { readMoves } from './moves/move-statements.ts'
import { type Repositories, RepositoryGone } from './repositories.ts'

/** An event, beside what is known of the repository; nulls = there is no event, no repository, no tombstone. */
interface EventRow {
  readonly last_event: string | null
  readonly name: string | null
  readonly buried_name: string | null
  readonly sequence: string | null
  readonly time_ms: string
  readonly request_id: string | null
  readonly moves: string
}

/** Events that are removed with one statement. */
const sweptAtOnce = 5000

export class Events {
  /** A watch tells of moves of other servers within half a second, most times. */
  readonly pollMs: number = 200
  readonly listeners: EventListeners = new EventListeners()
  readonly #database: Database
  readonly #repositories: Repositories

  constructor(database: Database, repositories: Repositories) {
    this.#database = database
    this.#repositories = repositories
  }

  async read(repository: string, { after, limit }: EventRequest): Promise<EventPage> {
    const page = after && isId(after.incarnation) ? await this.#following(repository, after, limit) : undefined
    if (page) return page
    const cursor = await this.#place(repository)
    return { events: [], cursor, state: after ? 'gap' : 'current' }
  }

  oldest(repository: string): Promise<EventCursor> {
    return this.#repositories.use(repository, async ({ id }) => {
      const [first] = await this.#database.read<{ sequence: string; moves: string }>({
        name: 'first event',
        text: 'SELECT sequence, moves FROM events WHERE repository = $1::bigint ORDER BY sequence LIMIT 1',
        values: [id]
      })
      return { incarnation: id, sequence: first?.moves === swept ? Number(first.sequence) : 0 }
    })
  }

  /**
   * Removes events of a repository, of an id, that are older, by the clock of the database; the last of them stays as a
   * mark, without its moves.
   *
   * @returns whether there may be more to remove
   */
  async sweep(id: string, seconds: number): Promise<boolean> {
    const rows = await this.#database.read<{ sequence: string; is_old: boolean }>({
      name: 'oldest events',
      text: `SELECT sequence, at < now() - make_interval(secs => $3::int) AS is_old FROM events
        WHERE repository = $1::bigint ORDER BY sequence LIMIT $2::int`,
      values: [id, sweptAtOnce, seconds]
    })
    const last = rows.findLast(({ is_old }) => is_old)
    if (last === undefined || last === rows[0]) return false
    await this.#database.transaction((transaction) => {
      const values = [id, last.sequence]
      const [of, to] = ['repository = $1::bigint AND sequence', '$2::bigint']
      void transaction.query({ name: 'mark events', text: `UPDATE events SET moves = '' WHERE ${of} = ${to}`, values })
      void transaction.query({ name: 'sweep events', text: `DELETE FROM events WHERE ${of} < ${to}`, values })
    })
    return rows.length === sweptAtOnce && last === rows.at(-1)
  }

  /** The present place. */
  #place(repository: string): Promise<EventCursor> {
    return this.#repositories.use(repository, async ({ id }) => {
      const [row] = await this.#database.read<{ last_event: string }>({
        name: 'last event',
        text: 'SELECT last_event FROM repositories WHERE id = $1::bigint',
        values: [id]
      })
      if (row === undefined) throw new RepositoryGone()
      return { incarnation: id, sequence: Number(row.last_event) }
    })
  }

  /** The events after a place; undefined = some are kept no longer, or the place is of no repository of this name. */
  async #following(repository: string, after: EventCursor, limit: number): Promise<EventPage | undefined> {
    // One statement: where the repository has ended, there are no other events than these.
    const rows = await this.#database.read<EventRow>({
      name: 'events',
      text: `SELECT r.last_event, r.name, t.name AS buried_name, e.*
        FROM (SELECT $1::bigint AS id) i
        LEFT JOIN repositories r ON r.id = $1::bigint
        LEFT JOIN tombstones t ON t.id = $1::bigint
        LEFT JOIN LATERAL (
          SELECT sequence, extract(epoch FROM at) * 1000 AS time_ms, request_id, moves FROM events
          WHERE repository = $1::bigint AND sequence > $2::bigint ORDER BY sequence LIMIT $3::int
        ) e ON true ORDER BY e.sequence`,
      values: [after.incarnation, after.sequence, limit + 1]
    })
    const [row] = rows
    if (row === undefined || (row.name ?? row.buried_name) !== repository) return undefined
    if (row.last_event !== null && after.sequence > Number(row.last_event)) return undefined
    const found = rows.filter(({ sequence }) => sequence !== null)
    if (found.some(({ moves }) => moves === swept)) return undefined
    const events = found.slice(0, limit).map(eventOf)
    const cursor = { ...after, sequence: events.at(-1)?.sequence ?? after.sequence }
    const last = row.name === null ? 'ended' : 'current'
    return { events, cursor, state: found.length > limit ? 'more' : last }
  }
}

/** In the place of the moves of an event that was removed with those before it. */
const swept = ''

/** Whether text can be the id of a repository, a positive `bigint`. */
const isId = (text: string) => /^\d{1,19}$/.test(text) && BigInt(text) < 1n << 63n

const eventOf = ({ sequence, time_ms, request_id, moves }: EventRow): RefEvent => ({
  requestId: request_id ?? undefined,
  moves: readMoves(moves),
  sequence: Number(sequence),
  timeMs: Math.round(Number(time_ms))
})
