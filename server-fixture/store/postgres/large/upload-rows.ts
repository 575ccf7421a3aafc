/**
 * The rows of uploads and their parts. Each statement that writes names the upload's `writer`: one that another server has
 * taken over since is left as that server has it. The row of the upload is locked first, so that whoever takes an upload
 * over waits for the part that is being written, and has it, or comes first, and the part is not written.
 *
 * Each statement may also come twice, or late, when its connection was given up: it names the bytes that the upload held
 * before and holds after it, of which there are never fewer.
 */
import type { Removal } from '../../uploads/spool.ts'
import type { Database, Row, Statement } from '../database/database.ts'
import { type KnownRepository, RepositoryGone } from '../repositories.ts'
import type { EncodedPart } from './parts.ts'

/** Rows that are removed by a statement: 64 MiB take a fraction of the time that a statement has. */
const removedParts = 64

/** An upload, for its writer. */
export interface UploadKey {
  /** Of the repository. */
  readonly repository: string
  readonly id: string
  readonly writer: string
}

/** The row of an upload. `bigint` comes as text. */
export interface UploadRow {
  readonly content_id: string
  readonly writer: string
  readonly size: string | null
  readonly held: string
  readonly oid: Uint8Array | null
}

/** The same, with its age. */
export interface AgedUploadRow extends UploadRow {
  readonly id: string
  /** Seconds since it changed, by the clock of the database, which all servers share. */
  readonly age: number
}

/** The same, with the name of its repository. */
export interface ListedUploadRow extends AgedUploadRow {
  readonly repository: string
  readonly name: string
}

/** A part to be written. */
export interface NewPart extends EncodedPart {
  readonly part: number
  /** Bytes that the upload holds before it, and with it. */
  readonly from: number
  readonly to: number
}

/** What becomes of an upload. */
export interface NewLargeObject {
  readonly oid: Uint8Array
  /** As in the rows of objects. */
  readonly kind: number
  readonly size: number
  /** Bytes that the upload holds in parts. */
  readonly held: number
  /** The whole content, where it lies in the object's row; undefined = in the parts. */
  readonly inline: EncodedPart | undefined
}

/** The id of content that has no upload. Clients have no ids with this character. */
export const idWithoutUpload = (contentId: string): string => `~${contentId}`

const isThere = 'EXISTS (SELECT 1 FROM repositories WHERE id = $1::bigint)'
const ofWriter = 'repository = $1::bigint AND id = $2::text AND writer = $3::uuid'

const begin = `INSERT INTO uploads AS u (repository, id, content_id, writer, size, held, changed_at)
  SELECT id, $2::text, $3::uuid, $4::uuid, $5::bigint, 0, now() FROM repositories WHERE id = $1::bigint
  ON CONFLICT (repository, id) DO UPDATE SET changed_at = excluded.changed_at,
    writer = CASE WHEN left(u.writer::text, 18) = left(excluded.writer::text, 18) THEN u.writer ELSE excluded.writer END
  RETURNING content_id, writer, size, held, oid`

const advance = `UPDATE uploads SET held = $5::bigint, changed_at = now()
  WHERE ${ofWriter} AND oid IS NULL AND held IN ($4::bigint, $5::bigint) AND ${isThere} RETURNING content_id`

const putPart = `INSERT INTO chunks (repository, content_id, part, encoding, content)
  SELECT repository, content_id, $5::integer, $6::smallint, $7::bytea FROM uploads
  WHERE ${ofWriter} AND oid IS NULL AND held = $4::bigint
  ON CONFLICT (repository, content_id, part) DO UPDATE SET encoding = excluded.encoding, content = excluded.content`

const complete = `UPDATE uploads SET oid = $4::bytea, held = $5::bigint, changed_at = now()
  WHERE ${ofWriter} AND (oid IS NULL OR oid = $4::bytea) AND held IN ($5::bigint, $6::bigint) AND ${isThere}
  RETURNING content_id`

const putObject = `INSERT INTO objects (repository, oid, kind, encoding, size, content, content_id)
  SELECT repository, oid, $5::smallint, $6::smallint, held, $7::bytea, CASE WHEN $8::boolean THEN content_id END
  FROM uploads WHERE ${ofWriter} AND oid = $4::bytea
  ON CONFLICT (repository, oid) DO NOTHING RETURNING oid`

/** Whether the object refers to the parts of this upload, whose statement may have come twice. */
const isObject = `SELECT 1 AS found FROM objects o WHERE o.repository = $1::bigint AND o.oid = $2::bytea
  AND o.content_id = $3::uuid AND o.content IS NULL`

const columns = `u.id, u.content_id, u.writer, u.size, u.held, u.oid,
  extract(epoch FROM now() - u.changed_at)::float8 AS age`

const find = `SELECT ${columns} FROM repositories r
  LEFT JOIN uploads u ON u.repository = r.id AND u.repository = $1::bigint AND u.id = $2::text WHERE r.id = $1::bigint`

/** Of all repositories: the one question that is put to each shard of a distributed engine. */
const list = `SELECT ${columns}, u.repository, r.name FROM uploads u JOIN repositories r ON r.id = u.repository
  WHERE u.oid IS NULL OR u.changed_at < now() - make_interval(secs => $1::float8)`
const listIncomplete = `SELECT ${columns}, u.repository, r.name FROM uploads u
  JOIN repositories r ON r.id = u.repository WHERE u.oid IS NULL`

/** Its id is free from then on, and nobody writes to its parts. */
const detach = `UPDATE uploads SET id = '~' || content_id::text, writer = $3::uuid
  WHERE repository = $1::bigint AND id = $2::text AND ($4::uuid IS NULL OR writer = $4::uuid)
    AND ($5::boolean IS NOT TRUE OR oid IS NULL)
    AND ($6::float8 IS NULL OR changed_at <= now() - make_interval(secs => $6::float8))
  RETURNING id, content_id, held, oid`

const removeParts = `DELETE FROM chunks WHERE repository = $1::bigint AND content_id = $2::uuid
  AND part >= $3::integer AND part < $4::integer`

const removeRow = 'DELETE FROM uploads WHERE repository = $1::bigint AND id = $2::text'

const readPart = `SELECT c.encoding, c.content FROM repositories r
  LEFT JOIN chunks c ON c.repository = r.id AND c.repository = $1::bigint AND c.content_id = $2::uuid
    AND c.part = $3::integer
  WHERE r.id = $1::bigint`

const statement = (name: string, text: string, values: readonly unknown[]): Statement => ({ name, text, values })

export class UploadRows {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Takes over the upload, or begins one. The writer of the row stays where it is this server's already, which is told by
   * the first half of it, so that a server knows whether another one had the upload meanwhile.
   */
  async begin(key: UploadKey, contentId: string, size: number | undefined): Promise<UploadRow> {
    const values = [key.repository, key.id, contentId, key.writer, size]
    const [row] = await this.#database.write<UploadRow>(statement('begin upload', begin, values))
    if (row === undefined) throw new RepositoryGone()
    return row
  }

  /** Writes a part, and with it what the upload holds; false = it is not this writer's upload any more. */
  async put({ repository, id, writer }: UploadKey, { part, from, to, encoding, content }: NewPart): Promise<boolean> {
    const key = [repository, id, writer]
    const [[row]] = await this.#both(
      statement('advance upload', advance, [...key, from, to]),
      statement('put part', putPart, [...key, to, part, encoding, content])
    )
    return row !== undefined
  }

  /** Makes the upload an object. */
  async complete({ repository, id, writer }: UploadKey, object: NewLargeObject): Promise<Completion> {
    const { oid, kind, size, held, inline } = object
    const key = [repository, id, writer, oid]
    const content = [inline?.encoding ?? 0, inline?.content, inline === undefined]
    const [[row], [created]] = await this.#both(
      statement('complete upload', complete, [...key, size, held]),
      statement('put large object', putObject, [...key, kind, ...content])
    )
    return { isOurs: row !== undefined, created: created !== undefined }
  }

  /** A transaction in one round trip, on a connection of its own: moves of refs do not wait behind much data. */
  async #both(one: Statement, other: Statement): Promise<[Row[], Row[]]> {
    const answers = await this.#database.transaction((transaction) => ({
      one: transaction.query(one),
      other: transaction.query(other)
    }))
    return [await answers.one, await answers.other]
  }

  /** Whether the object's content is in the parts. */
  async isObject(repository: string, oid: Uint8Array, contentId: string): Promise<boolean> {
    const [row] = await this.#database.read(statement('is large object', isObject, [repository, oid, contentId]))
    return row !== undefined
  }

  async find({ id }: KnownRepository, uploadId: string): Promise<AgedUploadRow | undefined> {
    const [row] = await this.#database.read<AgedUploadRow>(statement('find upload', find, [id, uploadId]))
    if (row === undefined) throw new RepositoryGone()
    return row.id === null ? undefined : row
  }

  /** Those that are not complete, and those that have been complete for so long; undefined = without these. */
  list(completeForSeconds: number | undefined): Promise<ListedUploadRow[]> {
    if (completeForSeconds === undefined) return this.#database.read(statement('count uploads', listIncomplete, []))
    return this.#database.read(statement('list uploads', list, [completeForSeconds]))
  }

  /** Takes the upload away from its writer and its id; undefined = it is not there, or not as it is to be. */
  async detach(
    { repository, id, writer }: UploadKey,
    { identity, isIncomplete, idleSeconds }: Removal
  ): Promise<Detached | undefined> {
    const values = [repository, id, writer, identity, isIncomplete, idleSeconds]
    const [row] = await this.#database.write<Detached>(statement('detach upload', detach, values))
    return row
  }

  /** Removes all parts of a content of which so many bytes are held, little by little. */
  async removeParts(repository: string, contentId: string, parts: number): Promise<void> {
    for (let from = 0; from < parts; from += removedParts) {
      const values = [repository, contentId, from, from + removedParts]
      await this.#database.write(statement('remove parts', removeParts, values))
    }
  }

  async removeRow(repository: string, id: string): Promise<void> {
    await this.#database.write(statement('remove upload', removeRow, [repository, id]))
  }

  /** Undefined = the part is missing. */
  async readPart(repository: string, contentId: string, part: number): Promise<EncodedPart | undefined> {
    const values = [repository, contentId, part]
    const [row] = await this.#database.read<EncodedPart>(statement('read part', readPart, values))
    if (row === undefined) throw new RepositoryGone()
    return row.content === null ? undefined : row
  }
}

/** The outcome of `UploadRows.complete`. */
export interface Completion {
  /** False = it is not this writer's upload any more. */
  readonly isOurs: boolean
  readonly created: boolean
}

/** An upload without a writer and an id of a client. */
export interface Detached extends Pick<UploadRow, 'content_id' | 'held' | 'oid'> {
  readonly id: string
}
