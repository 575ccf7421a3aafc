/**
 * The tables. The same statements run on every engine of the PostgreSQL wire: no foreign keys, sequences, triggers,
 * extensions and types of our own. `repository` is the id of a repository, which is new for each creation: a name that
 * comes back is another repository. All tables but `names` are keyed by it first, so that a distributed engine has all
 * that belongs to a repository in one place.
 */
export const tables: readonly string[] = [
  // The directory: which repository a name means now.
  `CREATE TABLE names (
     name text COLLATE "C" PRIMARY KEY,
     id bigint NOT NULL
   )`,
  // object_format: 1 = SHA-1, 2 = SHA-256. last_event: sequence of the last event; whoever makes one has the row locked.
  `CREATE TABLE repositories (
     id bigint PRIMARY KEY,
     name text NOT NULL,
     object_format smallint NOT NULL,
     default_branch text NOT NULL,
     is_chosen boolean NOT NULL,
     last_event bigint NOT NULL DEFAULT 0
   ) WITH (fillfactor = 50)`,
  // kind: 1 = commit, 2 = tree, 3 = blob, 4 = tag, as in packs. encoding: 0 = as it is, 1 = zlib. size: decoded, in bytes.
  // content: NULL where it lies in chunks under content_id.
  `CREATE TABLE objects (
     repository bigint NOT NULL,
     oid bytea NOT NULL,
     kind smallint NOT NULL,
     encoding smallint NOT NULL,
     size bigint NOT NULL,
     content bytea,
     content_id uuid,
     PRIMARY KEY (repository, oid)
   )`,
  'ALTER TABLE objects ALTER COLUMN content SET STORAGE EXTERNAL',
  // Large content, in parts of one size but the last. encoding: of the part, as above.
  `CREATE TABLE chunks (
     repository bigint NOT NULL,
     content_id uuid NOT NULL,
     part integer NOT NULL,
     encoding smallint NOT NULL,
     content bytea NOT NULL,
     PRIMARY KEY (repository, content_id, part)
   )`,
  'ALTER TABLE chunks ALTER COLUMN content SET STORAGE EXTERNAL',
  // Uploads that are not complete, and the blobs that complete ones became. writer: who has it open; its first half is the
  // server's. held: bytes in chunks. An id that begins with ~ is that of content with no upload any more: an object that
  // is being stored, or chunks that are being removed.
  `CREATE TABLE uploads (
     repository bigint NOT NULL,
     id text COLLATE "C" NOT NULL,
     content_id uuid NOT NULL,
     writer uuid NOT NULL,
     size bigint,
     held bigint NOT NULL,
     oid bytea,
     changed_at timestamptz NOT NULL,
     PRIMARY KEY (repository, id)
   )`,
  // Counted by every server, for the quota.
  'CREATE INDEX uploads_incomplete ON uploads (repository) WHERE oid IS NULL',
  // moved_by: the call that moved it here.
  `CREATE TABLE refs (
     repository bigint NOT NULL,
     name text COLLATE "C" NOT NULL,
     oid bytea NOT NULL,
     moved_by uuid NOT NULL,
     PRIMARY KEY (repository, name)
   ) WITH (fillfactor = 70)`,
  // Outcomes of writes, in the transaction of the write.
  `CREATE TABLE request_keys (
     repository bigint NOT NULL,
     key text COLLATE "C" NOT NULL,
     digest text NOT NULL,
     outcome text NOT NULL,
     forget_after timestamptz NOT NULL,
     PRIMARY KEY (repository, key)
   )`,
  // For the sweep. Partial, so that no plan of a lookup reads all keys of a repository by it.
  "CREATE INDEX request_keys_old ON request_keys (repository, forget_after) WHERE forget_after > '-infinity'",
  // Outcomes of creations, deletions and calls without a repository: they outlive the repository. id: the one that is
  // meant. is_intent: the outcome of a deletion, which holds once the tombstone of the id is by this key.
  `CREATE TABLE name_keys (
     name text COLLATE "C" NOT NULL,
     key text COLLATE "C" NOT NULL,
     id bigint NOT NULL,
     is_intent boolean NOT NULL,
     digest text NOT NULL,
     outcome text NOT NULL,
     forget_after timestamptz NOT NULL,
     PRIMARY KEY (name, key)
   )`,
  'CREATE INDEX name_keys_old ON name_keys (forget_after)',
  // moves: JSON, as in the journal of the Git store.
  `CREATE TABLE events (
     repository bigint NOT NULL,
     sequence bigint NOT NULL,
     at timestamptz NOT NULL,
     request_id text,
     moves text NOT NULL,
     PRIMARY KEY (repository, sequence)
   )`,
  // Repositories that were deleted: their rows are removed little by little. deleted_by: the call.
  `CREATE TABLE tombstones (
     id bigint PRIMARY KEY,
     name text NOT NULL,
     deleted_by text NOT NULL,
     deleted_at timestamptz NOT NULL
   )`,
  // For keys of moves.
  'CREATE INDEX tombstones_names ON tombstones (name)',
  // The server that sends push events, until its time is over: the one row is 'push'.
  `CREATE TABLE push_lease (
     name text COLLATE "C" PRIMARY KEY,
     holder uuid NOT NULL,
     asked_at timestamptz NOT NULL,
     expires_at timestamptz NOT NULL
   )`,
  // How far the events of each repository have been delivered. The row without a name tells that there are such places.
  `CREATE TABLE push_cursors (
     repository text COLLATE "C" PRIMARY KEY,
     incarnation text NOT NULL,
     sequence bigint NOT NULL
   )`
]
