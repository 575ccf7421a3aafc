/**
 * The lease of the server that sends push events, and its places, as rows. Each statement that keeps a place asks for the
 * lease: the places of a server whose time was over while it slept are not kept. They would harm nobody: all events before
 * a place were delivered, whoever keeps it.
 */
import type { EventCursor } from '../events.ts'
import type { PushLedger, PushPlace } from '../push-ledger.ts'
import type { Database } from './database/database.ts'

/** The row that tells that there are places. */
const marker = ''
/** Rows of one statement. */
const placesAtOnce = 5000

const isHeld = `FROM push_lease l WHERE l.name = 'push' AND l.holder = $1::uuid`

interface PlaceRow {
  readonly repository: string
  readonly incarnation: string
  readonly sequence: string
}

export class PushRows implements PushLedger {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async takeLease(holder: string, seconds: number): Promise<boolean> {
    const [row] = await this.#database.write({
      name: 'take push lease',
      text: `INSERT INTO push_lease AS l (name, holder, asked_at, expires_at)
        VALUES ('push', $1::uuid, now(), now() + make_interval(secs => $2::float8))
        ON CONFLICT (name) DO UPDATE
          SET holder = excluded.holder, asked_at = excluded.asked_at, expires_at = excluded.expires_at
          WHERE l.holder = excluded.holder OR l.expires_at < excluded.asked_at
        RETURNING holder`,
      values: [holder, seconds]
    })
    return row !== undefined
  }

  async releaseLease(holder: string): Promise<void> {
    const text = `DELETE FROM push_lease WHERE name = 'push' AND holder = $1::uuid`
    await this.#database.write({ name: 'release push lease', text, values: [holder] })
  }

  async places(): Promise<PushPlace[] | undefined> {
    const text = 'SELECT repository, incarnation, sequence FROM push_cursors'
    const rows = await this.#database.read<PlaceRow>({ name: 'push places', text, values: [] })
    if (!rows.some(({ repository }) => repository === marker)) return undefined
    return rows.filter(({ repository }) => repository !== marker).map(placeOf)
  }

  async keep(holder: string, repository: string, cursor: EventCursor | undefined): Promise<boolean> {
    if (cursor) return this.#put(holder, repository, cursor)
    const rows = await this.#database.write({
      name: 'forget push place',
      text: `DELETE FROM push_cursors WHERE repository = $2 AND EXISTS (SELECT 1 ${isHeld}) RETURNING repository`,
      values: [holder, repository]
    })
    return rows.length > 0
  }

  async begin(holder: string): Promise<boolean> {
    const present = await this.present()
    for (let from = 0; from < present.length; from += placesAtOnce) {
      const places = present.slice(from, from + placesAtOnce)
      const columns = [
        places.map(({ repository }) => repository),
        places.map(({ cursor }) => cursor.incarnation),
        places.map(({ cursor }) => cursor.sequence)
      ]
      const rows = await this.#database.write({
        name: 'begin push places',
        text: `INSERT INTO push_cursors (repository, incarnation, sequence)
          SELECT p.repository, p.incarnation, p.sequence
          FROM unnest($2::text[], $3::text[], $4::bigint[]) AS p (repository, incarnation, sequence)
          WHERE EXISTS (SELECT 1 ${isHeld})
          ON CONFLICT (repository) DO UPDATE SET incarnation = excluded.incarnation, sequence = excluded.sequence
          RETURNING 1 AS kept`,
        values: [holder, ...columns]
      })
      if (rows.length === 0) return false
    }
    return this.#put(holder, marker, { incarnation: marker, sequence: 0 })
  }

  async #put(holder: string, repository: string, { incarnation, sequence }: EventCursor): Promise<boolean> {
    const rows = await this.#database.write({
      name: 'keep push place',
      text: `INSERT INTO push_cursors (repository, incarnation, sequence)
        SELECT $2::text, $3::text, $4::bigint ${isHeld}
        ON CONFLICT (repository) DO UPDATE SET incarnation = excluded.incarnation, sequence = excluded.sequence
        RETURNING repository`,
      values: [holder, repository, incarnation, sequence]
    })
    return rows.length > 0
  }

  async present(): Promise<PushPlace[]> {
    const text = 'SELECT name AS repository, id AS incarnation, last_event AS sequence FROM repositories'
    const rows = await this.#database.read<PlaceRow>({ name: 'push present', text, values: [] })
    return rows.map(placeOf)
  }
}

const placeOf = ({ repository, incarnation, sequence }: PlaceRow): PushPlace => ({
  repository,
  cursor: { incarnation, sequence: Number(sequence) }
})
