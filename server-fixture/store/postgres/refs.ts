/** Refs as rows: reads, and moves with what is written down with them. */
import type { RefMismatch } from '../../../src/core/error.ts'
import { oidLength } from '../../../src/git/oid.ts'
import type { MoveRecords, PageRequest, RefMove, RefsAt, StoredRef } from '../store.ts'
import type { Database } from './database/database.ts'
import { GatheredReads } from './gathered-reads.ts'
import type { RepositoryMoves } from './moves/repository-moves.ts'
import type { Objects } from './objects.ts'
import { type KnownRepository, type Repositories, RepositoryGone } from './repositories.ts'

/** A ref, beside the repository's row; nulls = there is none. */
interface RefRow {
  readonly last_event: string
  readonly name: string | null
  readonly oid: string
}

interface RefsContext {
  readonly objects: Objects
  readonly database: Database
  readonly repositories: Repositories
  readonly moves: RepositoryMoves
}

/** Of objects that are stored in the transaction of a move, which makes other moves of the repository wait. */
const maxBytesWithMoves = 128 * 1024
/** What an object costs beside its content. */
const rowBytes = 512

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

  /** Few objects go with the moves; many would hold up the moves of others. */
  async move(repository: string, moves: readonly RefMove[], records: MoveRecords): Promise<readonly RefMismatch[]> {
    const { repositories, objects, moves: all } = this.#context
    const given = records.objects ?? []
    const isSmall = given.reduce((bytes, { content }) => bytes + content.length + rowBytes, 0) <= maxBytesWithMoves
    const { incarnation } = records
    if (!isSmall) await objects.put(repository, given, incarnation)
    const oid = moves[0]?.newOid ?? given[0]?.oid
    const move = async (found: KnownRepository) => {
      // They were made for another repository of this name.
      if (oid && oid.length !== oidLength(found.objectFormat)) throw new RepositoryGone()
      if (!isSmall) return all.add(found, moves, { ...records, objects: [] })
      const mismatches = await all.add(found, moves, records)
      objects.keep(found.id, given)
      return mismatches
    }
    return repositories.use(repository, move, incarnation)
  }

  async #read(id: string, names: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.#context.database.read<RefRow>({
      name: 'refs by name',
      text: `SELECT r.last_event, f.name, f.oid FROM repositories r LEFT JOIN (unnest($2::text[]) n(name) CROSS JOIN LATERAL (
          SELECT name, encode(oid, 'hex') AS oid FROM refs WHERE repository = $1::bigint AND name = n.name LIMIT 1
        ) f) ON true WHERE r.id = $1::bigint`,
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
