/**
 * Request keys as rows. Those of moves are written in the transaction of the moves, beside the repository; those of
 * creations and deletions belong to the name (`name-keys.ts`).
 */
import { BlobwireError } from '../../../src/core/error.ts'
import type { KeyedRequest, RememberedOutcome } from '../store.ts'
import type { Database } from './database/database.ts'
import { GatheredReads } from './gathered-reads.ts'
import type { RepositoryMoves } from './moves/repository-moves.ts'
import { keySeconds } from './name-keys.ts'
import { type Repositories, RepositoryGone } from './repositories.ts'

interface RequestsContext {
  readonly database: Database
  readonly repositories: Repositories
  readonly moves: RepositoryMoves
}

/** A key, beside the repository's row; nulls = there is none. */
interface KeyRow extends RememberedOutcome {
  readonly key: string | null
}

/** Repositories of one name whose keys are looked up after their deletion: the last ones. */
const maxDeleted = 10

export class Requests {
  readonly seconds: number = keySeconds
  readonly #context: RequestsContext
  readonly #reads = new GatheredReads((id, keys) => this.#read(id, keys))
  /** Whether there are keys of a name: most calls have none. */
  readonly #nameReads = new GatheredReads((name, keys) => this.#readOfName(name, keys))

  constructor(context: RequestsContext) {
    this.#context = context
  }

  async recall(repository: string, key: string): Promise<RememberedOutcome | undefined> {
    const { repositories } = this.#context
    const [ofRepository, [isOfName]] = await Promise.all([
      unlessMissing(repositories.use(repository, ({ id }) => this.recallOf(id, [key]))),
      this.#nameReads.get(repository, [key])
    ])
    const known = ofRepository?.[0] ?? (isOfName ? await repositories.keys.recall(repository, key) : undefined)
    return known ?? (ofRepository === undefined ? this.#recallOfDeleted(repository, key) : undefined)
  }

  /** @throws RepositoryGone */
  recallOf(id: string, keys: readonly string[]): Promise<(RememberedOutcome | undefined)[]> {
    return this.#reads.get(id, keys)
  }

  /**
   * In turn with the moves of all servers: none of them is made under a key whose refusal is remembered.
   *
   * @throws KeyRemembered
   */
  async remember(repository: string, requests: readonly KeyedRequest[]): Promise<void> {
    if (requests.length === 0) return
    const { repositories, moves } = this.#context
    const remembered = repositories.use(repository, (found) => moves.add(found, [], { requests }))
    if ((await unlessMissing(remembered)) !== undefined) return
    await repositories.keys.remember({ name: repository, id: '0' }, requests)
  }

  /** Keys of moves outlive their repository, as long as no other one has its name. */
  async #recallOfDeleted(repository: string, key: string): Promise<RememberedOutcome | undefined> {
    const { database } = this.#context
    const deleted = await database.read<{ id: string }>({
      name: 'deleted repositories',
      text: 'SELECT id FROM tombstones WHERE name = $1 ORDER BY deleted_at DESC LIMIT $2::int',
      values: [repository, maxDeleted]
    })
    const text = 'SELECT digest, outcome FROM request_keys WHERE repository = $1::bigint AND key = $2'
    const read = ({ id }: { id: string }) =>
      database.read<RememberedOutcome>({ name: 'key of deleted repository', text, values: [id, key] })
    const [remembered] = (await Promise.all(deleted.map(read))).flat()
    return remembered && { digest: remembered.digest, outcome: remembered.outcome }
  }

  async #read(id: string, keys: readonly string[]): Promise<Map<string, RememberedOutcome>> {
    const rows = await this.#context.database.read<KeyRow>({
      name: 'recall keys',
      text: `SELECT k.key, k.digest, k.outcome FROM repositories r
        LEFT JOIN (unnest($2::text[]) n(key) CROSS JOIN LATERAL (
          SELECT key, digest, outcome FROM request_keys WHERE repository = $1::bigint AND key = n.key LIMIT 1
        ) k) ON true WHERE r.id = $1::bigint`,
      values: [id, keys]
    })
    if (rows.length === 0) throw new RepositoryGone()
    return new Map(rows.flatMap(({ key, digest, outcome }) => (key === null ? [] : [[key, { digest, outcome }]])))
  }

  async #readOfName(name: string, keys: readonly string[]): Promise<Map<string, true>> {
    const rows = await this.#context.database.read<{ key: string }>({
      name: 'keys of name',
      text: 'SELECT key FROM name_keys WHERE name = $1 AND key = ANY($2::text[])',
      values: [name, keys]
    })
    return new Map(rows.map(({ key }) => [key, true]))
  }
}

/** Undefined where there is no such repository. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof BlobwireError && error.reason === 'repository') return undefined
    throw error
  }
}
