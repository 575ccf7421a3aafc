/** The tables of an outbox, and how its file is opened. */
import { closeSync, openSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { BlobwireError } from '../core/error.ts'

/** Time for which a process waits for the lock of another one, in milliseconds. */
const lockTimeoutMs = 5000

/** `PRAGMA application_id`: "blwh". */
const applicationId = 0x62_6c_77_68
const version = 1

/** Delivery states. A dead letter is untold until the application's callback has returned. */
export const pending = 0
export const untold = 1
export const told = 2

/**
 * A body is kept once for all its destinations. `ready_at` is the time at which something is due, in milliseconds since
 * 1970: the next attempt of a pending delivery, the end of its lease while an attempt is under way (so that a process that
 * was killed holds nothing for longer), or the telling of a dead letter. It is null for a delivery that waits for an
 * earlier one of its ordering key. `claims` grows with each lease: only the last owner's outcome counts.
 */
const tables = `
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  content_type TEXT NOT NULL,
  body BLOB NOT NULL,
  sent_at INTEGER NOT NULL
);
CREATE TABLE deliveries (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  message TEXT NOT NULL,
  destination TEXT NOT NULL,
  ordering_key TEXT,
  state INTEGER NOT NULL,
  leased INTEGER NOT NULL DEFAULT 0,
  claims INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  ready_at INTEGER,
  expires_at INTEGER NOT NULL,
  dead_at INTEGER,
  error TEXT,
  UNIQUE (message, destination)
);
CREATE INDEX due ON deliveries (destination, ready_at) WHERE state = ${pending};
CREATE INDEX expiring ON deliveries (expires_at) WHERE state = ${pending};
CREATE INDEX ordered ON deliveries (destination, ordering_key, sequence)
  WHERE state = ${pending} AND ordering_key IS NOT NULL;
CREATE INDEX dead ON deliveries (state, sequence) WHERE state <> ${pending};
CREATE TABLE queues (
  destination TEXT PRIMARY KEY,
  pending INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0
);
CREATE TRIGGER delivery_added AFTER INSERT ON deliveries BEGIN
  INSERT INTO queues (destination, pending, dead)
    VALUES (new.destination, new.state = ${pending}, new.state <> ${pending})
    ON CONFLICT DO UPDATE SET pending = pending + excluded.pending, dead = dead + excluded.dead;
END;
CREATE TRIGGER delivery_changed AFTER UPDATE OF state ON deliveries
  WHEN (old.state = ${pending}) <> (new.state = ${pending}) BEGIN
  UPDATE queues SET pending = pending + (new.state = ${pending}) - (old.state = ${pending}),
    dead = dead + (new.state <> ${pending}) - (old.state <> ${pending}) WHERE destination = new.destination;
END;
CREATE TRIGGER delivery_removed AFTER DELETE ON deliveries BEGIN
  UPDATE queues SET pending = pending - (old.state = ${pending}), dead = dead - (old.state <> ${pending})
    WHERE destination = old.destination;
  DELETE FROM messages WHERE id = old.message
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = old.message);
END;
CREATE TRIGGER next_after_removed AFTER DELETE ON deliveries
  WHEN old.state = ${pending} AND old.ordering_key IS NOT NULL BEGIN
  UPDATE deliveries SET ready_at = 0 WHERE ready_at IS NULL AND sequence = (
    SELECT min(sequence) FROM deliveries
      WHERE destination = old.destination AND ordering_key = old.ordering_key AND state = ${pending});
END;
CREATE TRIGGER next_after_dead AFTER UPDATE OF state ON deliveries
  WHEN old.state = ${pending} AND new.state <> ${pending} AND old.ordering_key IS NOT NULL BEGIN
  UPDATE deliveries SET ready_at = 0 WHERE ready_at IS NULL AND sequence = (
    SELECT min(sequence) FROM deliveries
      WHERE destination = old.destination AND ordering_key = old.ordering_key AND state = ${pending});
END;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${version};
`

/**
 * Opens an outbox, and makes its tables where they are missing. `node:sqlite` is loaded only here: Node 22 prints a warning
 * when it is.
 * @throws BlobwireError `failed_precondition`, reason `data_format`, for a file of another kind or a later version
 */
export function openDatabase(file: string | undefined): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  // Bodies may be confidential; the files beside it get the same mode.
  if (file !== undefined) closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file ?? ':memory:', { timeout: lockTimeoutMs })
  try {
    database.exec('PRAGMA journal_mode = WAL')
    makeTables(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function makeTables(database: DatabaseSync, file: string | undefined): void {
  // One process at a time: the lock is taken before the version is read.
  database.exec('BEGIN IMMEDIATE')
  try {
    const id = pragma(database, 'application_id')
    const found = pragma(database, 'user_version')
    const isEmpty = id === 0 && found === 0 && database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
    if (!isEmpty && (id !== applicationId || found !== version)) {
      const message = `${file}: not an outbox of webhooks, or one of a later version`
      throw new BlobwireError({ reason: 'data_format', message })
    }
    if (isEmpty) database.exec(tables)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/** The value of a pragma that is a number. */
export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}
