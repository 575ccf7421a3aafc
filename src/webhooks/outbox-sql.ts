/** The longer statements of the outbox. */
import { pending, untold } from './outbox-schema.ts'

/** Where an earlier delivery of the same ordering key waits, a new one has no time of its own until that one has ended. */
const readyAt = `CASE WHEN :key IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries
  WHERE destination = :destination AND ordering_key = :key AND state = ${pending}) THEN NULL ELSE :now END`

export const insertSql = {
  message: 'INSERT OR IGNORE INTO messages (id, type, content_type, body, sent_at) VALUES (?, ?, ?, ?, ?)',
  delivery: `INSERT OR IGNORE INTO deliveries (message, destination, ordering_key, state, ready_at, expires_at)
    VALUES (:id, :destination, :key, ${pending}, ${readyAt}, :expires)`,
  dead: `INSERT OR IGNORE INTO deliveries
    (message, destination, ordering_key, state, ready_at, dead_at, expires_at, error)
    VALUES (:id, :destination, :key, ${untold}, :now, :now, :expires, :error)`
}

export const claimSql = `UPDATE deliveries SET leased = 1, claims = claims + 1, ready_at = ?
  WHERE sequence IN (SELECT sequence FROM deliveries
    WHERE destination = ? AND state = ${pending} AND ready_at <= ? ORDER BY ready_at, sequence LIMIT ?)
  RETURNING sequence`
