/**
 * The statements that move refs, and write down what belongs to the moves. All of them name one repository, as `$1`, at
 * every table, so that a distributed engine carries each out in one place. Each looks rows up by their whole key, in a
 * subquery for one value, which `LIMIT 1` keeps apart: for a list or a join, a plan that was made while the tables were
 * small may read all rows of the repository.
 */
import type { NewRefEvent } from '../../events.ts'
import type { KeyedRequest } from '../../store.ts'
import type { Statement } from '../database/database.ts'

/** Stands for a call where none is looked at. */
export const nobody = '00000000-0000-0000-0000-000000000000'

/** Oids as text, which the database turns into bytes. */
const bytea = (oid: string) => `\\x${oid}`

/** The repository's row as the statement that locks it returns it. */
export interface LockedRow {
  /** A bigint: the last of the sequences that are reserved. */
  readonly last_event: string
  readonly default_branch: string
  readonly is_chosen: boolean
}

/**
 * Locks the repository's row until the end of the transaction, and reserves sequences of events. It comes before every
 * other statement of a move: calls of all servers take turns here, so that they cannot deadlock over refs or keys, and
 * events become visible in the order of their sequences. No row = there is no such repository.
 */
export const lockRepository = (id: string, events: number): Statement => ({
  name: 'lock repository',
  text: `UPDATE repositories SET last_event = last_event + $2::bigint WHERE id = $1::bigint
    RETURNING last_event, default_branch, is_chosen`,
  values: [id, events]
})

/** A repository, with the name to which the keys of its creation and deletion belong. */
export interface NamedRepository {
  readonly id: string
  readonly name: string
}

/** A move of a ref that exists, and stays. */
export interface PlainMove {
  readonly name: string
  readonly expectedOid: string
  readonly newOid: string
  /** The id of the call, and of its try. */
  readonly call: string
  /** Request keys, none of which may be remembered, with commas between. */
  readonly keys: string
}

/** A branch points to a commit (1); other refs may point to any kind of object. */
const highestKind = (name: string) => (name.startsWith('refs/heads/') ? 1 : 4)

/**
 * Moves refs, each of which is at its expected oid, to objects that are there. Returns the names of those that moved. As
 * the repository is locked, each row is as the subquery finds it: it never inserts one.
 */
export const movePlainly = ({ id, name }: NamedRepository, moves: readonly PlainMove[]): Statement => ({
  name: 'move refs',
  text: `INSERT INTO refs (repository, name, oid, moved_by)
    SELECT r.id, m.name, m.new_oid, m.call
    FROM repositories r, unnest($2::text[], $3::bytea[], $4::bytea[], $5::uuid[], $6::smallint[], $7::text[])
      m(name, old_oid, new_oid, call, highest_kind, keys)
    WHERE r.id = $1::bigint AND m.old_oid = (SELECT f.oid FROM refs f
        WHERE f.repository = r.id AND f.repository = $1::bigint AND f.name = m.name)
      AND m.highest_kind >= (SELECT o.kind FROM objects o
        WHERE o.repository = r.id AND o.repository = $1::bigint AND o.oid = m.new_oid)
      AND NOT EXISTS (SELECT 1 FROM unnest(string_to_array(m.keys, ',')) o(key) WHERE o.key = (SELECT k.key
          FROM request_keys k WHERE k.repository = r.id AND k.repository = $1::bigint AND k.key = o.key)
        OR o.key = (SELECT n.key FROM name_keys n WHERE n.name = $8 AND n.key = o.key AND NOT n.is_intent))
    ON CONFLICT (repository, name) DO UPDATE SET oid = excluded.oid, moved_by = excluded.moved_by RETURNING name`,
  values: [
    id,
    moves.map(({ name }) => name),
    moves.map(({ expectedOid }) => bytea(expectedOid)),
    moves.map(({ newOid }) => bytea(newOid)),
    moves.map(({ call }) => call),
    moves.map(({ name }) => highestKind(name)),
    moves.map(({ keys }) => keys),
    name
  ]
})

/** What is written only where a ref was moved by a certain call. */
export interface MovedBy {
  /** Empty = it is written in any case. */
  readonly name: string
  readonly call: string
}

/** An event, `back` places before the last sequence that is reserved. */
export interface EventRow extends NewRefEvent, MovedBy {
  readonly back: number
}

/** Their time is that of the database, under the lock: servers may have other ones. */
export const insertEvents = (id: string, events: readonly EventRow[]): Statement => ({
  name: 'insert events',
  text: `INSERT INTO events (repository, sequence, at, request_id, moves)
    SELECT r.id, r.last_event - e.back, statement_timestamp(), e.request_id, e.moves
    FROM repositories r, unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::uuid[])
      e(back, request_id, moves, name, call)
    WHERE r.id = $1::bigint AND (e.name = '' OR e.call = (SELECT f.moved_by FROM refs f
      WHERE f.repository = r.id AND f.repository = $1::bigint AND f.name = e.name))`,
  values: [
    id,
    events.map(({ back }) => back),
    events.map(({ requestId }) => requestId ?? null),
    events.map(({ moves }) => writeMoves(moves)),
    events.map(({ name }) => name),
    events.map(({ call }) => call)
  ]
})

type Moves = NewRefEvent['moves']

const writeMoves = (moves: Moves) => JSON.stringify(moves.map(({ name, oldOid, newOid }) => [name, oldOid, newOid]))

/** The moves of an event, of the text in its row. */
export const readMoves = (text: string): Moves =>
  (JSON.parse(text) as [string, string, string][]).map(([name, oldOid, newOid]) => ({ name, oldOid, newOid }))

/** A key to be remembered. */
export interface KeyRow extends MovedBy {
  readonly request: KeyedRequest
}

/** Remembers keys that are not remembered yet, and returns those. */
export const insertKeys = (id: string, seconds: number, keys: readonly KeyRow[]): Statement => ({
  name: 'insert keys',
  text: `INSERT INTO request_keys (repository, key, digest, outcome, forget_after)
    SELECT r.id, k.key, k.digest, k.outcome, now() + make_interval(secs => $2::int)
    FROM repositories r, unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[])
      k(key, digest, outcome, name, call)
    WHERE r.id = $1::bigint AND (k.name = '' OR k.call = (SELECT f.moved_by FROM refs f
      WHERE f.repository = r.id AND f.repository = $1::bigint AND f.name = k.name))
    ON CONFLICT (repository, key) DO NOTHING RETURNING key`,
  values: [
    id,
    seconds,
    keys.map(({ request }) => request.key),
    keys.map(({ request }) => request.digest),
    keys.map(({ request }) => request.outcome),
    keys.map(({ name }) => name),
    keys.map(({ call }) => call)
  ]
})

/** Has refs name objects, whether they exist or not. */
export const setRefs = (id: string, refs: readonly Pick<PlainMove, 'name' | 'newOid' | 'call'>[]): Statement => ({
  name: 'set refs',
  text: `INSERT INTO refs (repository, name, oid, moved_by)
    SELECT r.id, m.name, m.oid, m.call
    FROM repositories r, unnest($2::text[], $3::bytea[], $4::uuid[]) m(name, oid, call)
    WHERE r.id = $1::bigint
    ON CONFLICT (repository, name) DO UPDATE SET oid = excluded.oid, moved_by = excluded.moved_by`,
  values: [id, refs.map(({ name }) => name), refs.map(({ newOid }) => bytea(newOid)), refs.map(({ call }) => call)]
})

export const deleteRefs = (id: string, names: readonly string[]): Statement => ({
  name: 'delete refs',
  text: 'DELETE FROM refs WHERE repository = $1::bigint AND name = ANY($2::text[])',
  values: [id, names]
})

/** Has HEAD name this branch, unless somebody chose one. */
export const followBranch = (id: string, branch: string): Statement => ({
  name: 'follow branch',
  text: 'UPDATE repositories SET default_branch = $2 WHERE id = $1::bigint AND NOT is_chosen',
  values: [id, branch]
})

/** A ref as it is under the lock. */
export interface RefRow {
  readonly name: string
  readonly oid: string
  readonly moved_by: string
}

/** The refs of these names, and the branch that HEAD names. */
export const readRefs = (id: string, names: readonly string[]): Statement => ({
  name: 'refs to move',
  text: `SELECT f.* FROM repositories r, unnest($2::text[] || r.default_branch) n(name), LATERAL (
      SELECT name, encode(oid, 'hex') AS oid, moved_by FROM refs
      WHERE repository = $1::bigint AND name = n.name LIMIT 1
    ) f WHERE r.id = $1::bigint`,
  values: [id, names]
})

/** One ref below each of these names, where there is any. */
export const readBelow = (id: string, names: readonly string[]): Statement => ({
  name: 'refs below',
  text: `SELECT (SELECT f.name FROM refs f WHERE f.repository = r.id AND f.repository = $1::bigint
      AND f.name > m.name || '/' AND f.name < m.name || '0' ORDER BY f.name LIMIT 1) AS name
    FROM repositories r, unnest($2::text[]) m(name) WHERE r.id = $1::bigint`,
  values: [id, names]
})

/** Two branches, or as many as there are. */
export const readBranches = (id: string): Statement => ({
  name: 'some branches',
  text: `SELECT name FROM refs WHERE repository = $1::bigint AND name > 'refs/heads/' AND name < 'refs/heads0'
    ORDER BY name LIMIT 2`,
  values: [id]
})

/** The kinds of those of these objects that are there, as numbers. */
export const readKinds = (id: string, oids: readonly string[]): Statement => ({
  name: 'kinds',
  text: `SELECT o.* FROM repositories r, unnest($2::bytea[]) n(oid), LATERAL (
      SELECT encode(oid, 'hex') AS oid, kind FROM objects WHERE repository = $1::bigint AND oid = n.oid LIMIT 1
    ) o WHERE r.id = $1::bigint`,
  values: [id, oids.map(bytea)]
})

/** Those of these keys under which a creation or a deletion of the name is remembered. */
export const readNameKeys = (name: string, keys: readonly string[]): Statement => ({
  name: 'name keys',
  text: 'SELECT key FROM name_keys WHERE name = $1 AND key = ANY($2::text[]) AND NOT is_intent',
  values: [name, keys]
})

/** What is remembered under these keys. */
export const readKeys = (id: string, keys: readonly string[]): Statement => ({
  name: 'keys',
  text: `SELECT k.* FROM repositories r, unnest($2::text[]) n(key), LATERAL (
      SELECT key, digest, outcome FROM request_keys WHERE repository = $1::bigint AND key = n.key LIMIT 1
    ) k WHERE r.id = $1::bigint`,
  values: [id, keys]
})
