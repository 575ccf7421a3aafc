/** Guards of large content in a database of several servers. */
import type { Guard } from './guard.ts'

const large = 'server-fixture/store/postgres/large'
const uploads = 'server-fixture/store/uploads'
const servers = ['test/store/postgres/large.test.ts']
const rows = ['test/store/postgres/large-rows.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a server whose upload another one took over writes nothing to its rows',
    file: `${large}/upload-rows.ts`,
    from: "id = $2::text AND writer = $3::uuid'",
    to: "id = $2::text AND $3::uuid IS NOT NULL'",
    tests: rows
  },
  {
    name: 'a part that comes late does not shorten an upload',
    file: `${large}/upload-rows.ts`,
    from: 'oid IS NULL AND held IN ($4::bigint, $5::bigint)',
    to: 'oid IS NULL AND $4::bigint IS NOT NULL',
    tests: rows
  },
  {
    name: 'a complete upload takes no part more',
    file: `${large}/upload-rows.ts`,
    from: 'WHERE ${ofWriter} AND oid IS NULL AND held IN',
    to: 'WHERE ${ofWriter} AND held IN',
    tests: rows
  },
  {
    name: 'an upload becomes an object where its rows hold all of it',
    file: `${large}/upload-rows.ts`,
    from: ' AND held IN ($5::bigint, $6::bigint)',
    to: ' AND $6::bigint IS NOT NULL',
    tests: rows
  },
  {
    name: 'a repository that was deleted takes no part of an upload',
    file: `${large}/upload-rows.ts`,
    from: "'EXISTS (SELECT 1 FROM repositories WHERE id = $1::bigint)'",
    to: "'true'",
    tests: servers
  },
  {
    name: 'a server that gets an upload back has another writer than before',
    file: `${large}/upload-rows.ts`,
    from: 'left(u.writer::text, 18) = left(excluded.writer::text, 18)',
    to: 'u.writer IS NOT NULL',
    tests: servers
  },
  {
    name: 'an upload that somebody goes on with is not swept by another server',
    file: `${large}/upload-rows.ts`,
    from: 'AND ($6::float8 IS NULL OR changed_at <= now() - make_interval(secs => $6::float8))',
    to: 'AND ($6::float8 IS NULL OR true)',
    tests: rows
  },
  {
    name: 'a complete upload is not cancelled by another server',
    file: `${large}/upload-rows.ts`,
    from: '($5::boolean IS NOT TRUE OR oid IS NULL)',
    to: '($5::boolean IS NOT TRUE OR true)',
    tests: rows
  },
  {
    name: 'an upload of another writer is not removed for its digest',
    file: `${large}/upload-rows.ts`,
    from: '($4::uuid IS NULL OR writer = $4::uuid)',
    to: '($4::uuid IS NULL OR true)',
    tests: rows
  },
  {
    name: 'parts that an object needs stay where its statement came twice',
    file: `${large}/chunk-spool.ts`,
    from: 'completed.created || (!isInline && ',
    to: 'completed.created || (isInline && ',
    tests: rows
  },
  {
    name: 'parts that an object needs stay when its upload is forgotten',
    file: `${large}/chunk-spools.ts`,
    from: 'if (!isObject) await',
    to: 'await',
    tests: servers
  },
  {
    name: 'parts of a blob that is there already are removed',
    file: `${large}/chunk-spool.ts`,
    from: 'if (this.#held > 0 && (isInline || !created)) drop',
    to: 'if (this.#held > 0 && isInline) drop',
    tests: servers
  },
  {
    name: 'an upload is told with the bytes that are written alone',
    file: `${large}/chunk-spools.ts`,
    from: '?.flush()',
    to: '?.flush === undefined || Promise.resolve()',
    tests: servers
  },
  {
    name: 'parts are written by few transactions at a time',
    file: `${large}/chunk-spools.ts`,
    from: 'inSlot: (work) => this.#slots.run(work)',
    to: 'inSlot: (work) => work()',
    tests: rows
  },
  {
    name: 'a part of another length is damaged',
    file: `${large}/chunked-content.ts`,
    from: 'if (bytes?.length === expected) return bytes',
    to: 'if (bytes) return bytes',
    tests: rows
  },
  {
    name: 'what other servers hold counts while an upload is written',
    file: `${uploads}/uploads.ts`,
    from: '    this.#writers.set(place, writer)\n    this.#scheduleRecount()\n',
    to: '    this.#writers.set(place, writer)\n',
    tests: servers
  },
  {
    name: 'a server sweeps though it has no uploads of its own',
    file: `${uploads}/uploads.ts`,
    from: 'this.#recount().then(() => this.#scheduleSweep(0))',
    to: 'this.#recount()',
    tests: servers
  },
  {
    name: 'the row of an object that was put goes after its parts',
    file: 'server-fixture/store/postgres/large/chunk-spools.ts',
    from: '        if (kind === undefined) this.#inBackground(',
    to: '        this.#inBackground(this.#rows.removeRow(repository.id, id))\n        this.#inBackground(',
    tests: ['test/store/postgres/large-rows.test.ts']
  },
  {
    name: 'slow readers of large content do not all have parts read ahead',
    file: 'server-fixture/store/postgres/large/chunked-content.ts',
    from: '    if (this.#free === 0) return false\n',
    to: '',
    tests: ['test/store/postgres/large-rows.test.ts']
  },
  {
    name: 'a reader that ends gives back what it may read ahead',
    file: 'server-fixture/store/postgres/large/chunked-content.ts',
    from: '    ahead?.giveBack(taken)\n',
    to: '',
    tests: ['test/store/postgres/large-rows.test.ts']
  }
]
