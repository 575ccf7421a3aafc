/** Reads all objects of a repository, a page at a time: for exports. */
import type { ObjectScan, ScannedObject } from '../store.ts'
import type { Database } from './database/database.ts'
import { isDeflated, kindOf, type ObjectRow } from './object-rows.ts'
import type { Repositories } from './repositories.ts'

/** Contents of one page; rows come as hexadecimal text, which takes twice as much. */
const pageBytes = 8 * 1024 * 1024

/** Contents in the order of oids, past the cache: nobody else asks for most of them. */
export function scanObjects(
  { database, repositories }: { database: Database; repositories: Repositories },
  repository: string,
  { after, limit, maxBytes }: ObjectScan
): Promise<ScannedObject[]> {
  return repositories.use(repository, async (found) => {
    const rows = await database.read<ObjectRow>({
      name: 'scan objects',
      // Lengths are known without reading the contents. No content that is asked for is longer than `maxBytes`.
      text: `SELECT oid, kind, encoding, size, CASE WHEN size <= $4::bigint THEN content END AS content
        FROM (
          SELECT page.*, sum(CASE WHEN size <= $4::bigint THEN octet_length(content) ELSE 0 END)
            OVER (ORDER BY oid ROWS UNBOUNDED PRECEDING) AS bytes
          FROM (
            SELECT o.oid, o.kind, o.encoding, o.size, o.content
            FROM objects o JOIN repositories r ON r.id = o.repository
            WHERE o.repository = $1::bigint AND r.id = $1::bigint AND o.oid > $2::bytea ORDER BY o.oid LIMIT $3::int
          ) page
        ) counted
        WHERE bytes <= greatest($4::bigint, $5::bigint) ORDER BY oid`,
      values: [found.id, Buffer.from(after, 'hex'), limit, maxBytes, pageBytes]
    })
    if (rows.length === 0) await repositories.confirm(found)
    return rows.map(scannedOf)
  })
}

function scannedOf(row: ObjectRow): ScannedObject {
  const { content } = row
  const scanned = { oid: row.oid.toString('hex'), kind: kindOf(row), size: Number(row.size) }
  if (content === null) return scanned
  return isDeflated(row) ? { ...scanned, deflated: content } : { ...scanned, content }
}
