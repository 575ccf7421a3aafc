/** Refs as rows: reads, and moves with what is written down with them. */
import type { RefMismatch } from '../../../src/core/error.ts'
import type { MoveRecords, PageRequest, RefMove, RefsAt, StoredRef } from '../store.ts'
import type { Database } from './database/database.ts'
import { GatheredReads } from './gathered-reads.ts'
import type { RepositoryMoves } from './moves/repository-moves.ts'
import { type Repositories, RepositoryGone } from './repositories.ts'

/** A ref, beside the repository's row; nulls = there is none. */
interface RefRow {
  readonly last_event: string
  readonly name: string | null
  readonly oid: string
}

export interface RefsContext {
  readonly database: Database
  readonly repositories: Repositories
  readonly moves: RepositoryMoves
}

export class Refs {
  readonly #context: RefsContext
  readonly #reads = new GatheredReads((id, names) => this.#read(id, names))

  constructor(context: RefsContext) {
    this.#context = context
  }

  read(repository: string, names: readonly string[]): Promise<(string | undefined)[]> {
    return this.#context.repositories.use(repository, ({ id }) => this.readOf(id, names))
  }

  /** @throws RepositoryGone */
  readOf(id: string, names: readonly string[]): Promise<(string | undefined)[]> {
    return this.#reads.get(id, names)
  }

  at(repository: string, { prefix, after, limit }: PageRequest): Promise<RefsAt> {
    return this.#context.repositories.use(repository, async ({ id }) => {
      const rows = await this.#context.database.read<RefRow>({
        name: 'page of refs',
        text: `SELECT r.last_event, f.name, f.oid FROM repositories r LEFT JOIN LATERAL (
            SELECT name, encode(oid, 'hex') AS oid FROM refs
            WHERE repository = $1::bigint AND name > $2 AND name >= $3 AND name < $4 ORDER BY name LIMIT $5::int
          ) f ON true WHERE r.id = $1::bigint ORDER BY f.name`,
        values: [id, after, prefix, `${prefix}\u{10ffff}`, limit]
      })
      return { refs: refsIn(rows), cursor: { incarnation: id, sequence: Number(rows[0]?.last_event) } }
    })
  }

  move(repository: string, moves: readonly RefMove[], records: MoveRecords): Promise<readonly RefMismatch[]> {
    return this.#context.repositories.use(repository, (found) => this.#context.moves.add(found, moves, records))
  }

  async #read(id: string, names: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.#context.database.read<RefRow>({
      name: 'refs by name',
      text: `SELECT r.last_event, f.name, encode(f.oid, 'hex') AS oid FROM repositories r
        LEFT JOIN refs f ON f.repository = $1::bigint AND f.name = ANY($2::text[]) WHERE r.id = $1::bigint`,
      values: [id, names]
    })
    return new Map(refsIn(rows).map(({ name, oid }) => [name, oid]))
  }
}

/** @throws RepositoryGone */
function refsIn(rows: readonly RefRow[]): StoredRef[] {
  if (rows.length === 0) throw new RepositoryGone()
  return rows.flatMap(({ name, oid }) => (name === null ? [] : [{ name, oid }]))
}
