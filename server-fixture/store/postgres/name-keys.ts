/**
 * Request keys of names: those of creations and deletions, and those of calls for which there was no repository. They
 * belong to the name and outlive the repository.
 */
import { type KeyedRequest, KeyRemembered, type RememberedOutcome } from '../store.ts'
import type { Database, Statement } from './database/database.ts'

/** How long a key is remembered. */
export const keySeconds = 7 * 24 * 3600

/** A row of `name_keys`. */
interface NameKeyRow extends RememberedOutcome {
  readonly id: string
  readonly is_intent: boolean
}

/** The repository of a key. */
export interface KeyedName {
  readonly name: string
  /** Of the repository that is meant; '0' = none. */
  readonly id: string
}

/** Of a key that is remembered with an intent. */
interface Replacement {
  readonly isIntent: boolean
  /** The repository that was to be deleted. */
  readonly formerId: string
}

/** Who deleted a repository, as its tombstone has it, where the deletion had a key. */
export const deletedByKey = (key: string) => `key ${key}`

/** Writes a key unless it is there. It returns the id that the key is remembered with. */
export function insertNameKey({ name, id }: KeyedName, request: KeyedRequest, isIntent = false): Statement {
  return {
    name: 'name key',
    text: `INSERT INTO name_keys AS k (name, key, id, is_intent, digest, outcome, forget_after)
      VALUES ($1, $2, $3::bigint, $4, $5, $6, now() + make_interval(secs => $7::int))
      ON CONFLICT (name, key) DO UPDATE SET id = k.id RETURNING k.id, k.is_intent, k.digest, k.outcome`,
    values: [name, request.key, id, isIntent, request.digest, request.outcome, keySeconds]
  }
}

export class NameKeys {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** What is remembered under a key of this name; undefined = nothing, or a deletion that was never carried out. */
  async recall(name: string, key: string): Promise<RememberedOutcome | undefined> {
    const row = await this.#read(name, key)
    return row && (await this.#holds(row, key)) ? { digest: row.digest, outcome: row.outcome } : undefined
  }

  /**
   * Remembers outcomes; `isIntent` = each holds only once the repository is deleted by its key. A key that is remembered
   * with an intent that was never carried out is free.
   *
   * @throws KeyRemembered
   */
  async remember(of: KeyedName, requests: readonly KeyedRequest[], isIntent = false): Promise<void> {
    await Promise.all(requests.map((request) => this.#rememberOne(of, request, isIntent)))
  }

  /** A deletion was carried out by its key, which is an intent no more: no move is made under it. */
  async complete(of: KeyedName, request: KeyedRequest): Promise<void> {
    await this.#replace(of, request, { isIntent: false, formerId: of.id })
  }

  /**
   * The outcome of a deletion that another one forestalled.
   *
   * @throws KeyRemembered where a repetition of the deletion has another outcome, or is about to have one
   */
  async settle(of: KeyedName, request: KeyedRequest): Promise<void> {
    if (!(await this.#replace(of, request, { isIntent: false, formerId: of.id }))) throw new KeyRemembered(request.key)
  }

  /** Frees a key that is remembered with an intent which was never carried out; false = the key is remembered. */
  async free(name: string, key: string): Promise<boolean> {
    const row = await this.#read(name, key)
    if (row && (await this.#holds(row, key))) return false
    await this.#database.write({
      name: 'free name key',
      text: 'DELETE FROM name_keys WHERE name = $1 AND key = $2 AND is_intent AND id = $3::bigint',
      values: [name, key, row?.id ?? '0']
    })
    return true
  }

  async #rememberOne(of: KeyedName, request: KeyedRequest, isIntent: boolean): Promise<void> {
    const [row] = await this.#database.write<NameKeyRow>(insertNameKey(of, request, isIntent))
    if (row === undefined || isOwn(row, of.id, request, isIntent)) return
    if (await this.#holds(row, request.key)) throw new KeyRemembered(request.key)
    const isReplaced = await this.#replace(of, request, { isIntent, formerId: row.id })
    if (!isReplaced) throw new KeyRemembered(request.key)
  }

  /** False = the key is remembered otherwise than with an intent for the former repository. */
  async #replace(
    { name, id }: KeyedName,
    request: KeyedRequest,
    { isIntent, formerId }: Replacement
  ): Promise<boolean> {
    const { key, digest, outcome } = request
    const replaced = await this.#database.write({
      name: 'replace name key',
      text: `UPDATE name_keys SET id = $3::bigint, is_intent = $4, digest = $5, outcome = $6
        WHERE name = $1 AND key = $2 AND is_intent AND id = $7::bigint RETURNING key`,
      values: [name, key, id, isIntent, digest, outcome, formerId]
    })
    return replaced.length > 0
  }

  async #read(name: string, key: string): Promise<NameKeyRow | undefined> {
    const [row] = await this.#database.read<NameKeyRow>({
      name: 'recall name key',
      text: 'SELECT id, is_intent, digest, outcome FROM name_keys WHERE name = $1 AND key = $2',
      values: [name, key]
    })
    return row
  }

  async #holds({ id, is_intent }: NameKeyRow, key: string): Promise<boolean> {
    if (!is_intent) return true
    const [tombstone] = await this.#database.read({
      name: 'tombstone',
      text: 'SELECT deleted_by FROM tombstones WHERE id = $1',
      values: [id]
    })
    return tombstone?.['deleted_by'] === deletedByKey(key)
  }
}

/** Whether the row is what this call wrote: a statement may be carried out twice. */
function isOwn(row: NameKeyRow, id: string, { digest, outcome }: KeyedRequest, isIntent: boolean): boolean {
  return row.id === id && row.is_intent === isIntent && row.digest === digest && row.outcome === outcome
}
