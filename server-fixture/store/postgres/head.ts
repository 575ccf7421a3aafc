/** HEAD of a repository, as its row names it or as it follows the branches. */
import { followedBranches } from '../ref-rules.ts'
import type { Head } from '../store.ts'
import type { Database } from './database/database.ts'
import { RepositoryGone } from './known-repositories.ts'

/** `oid` in hex; null = no such ref. */
interface HeadRow {
  readonly default_branch: string
  readonly is_chosen: boolean
  readonly oid: Buffer | null
}

/** @throws RepositoryGone */
export async function readHead(database: Database, id: string): Promise<Head> {
  const [row] = await database.read<HeadRow>({
    name: 'head',
    text: `SELECT r.default_branch, r.is_chosen, h.oid FROM repositories r
      LEFT JOIN refs h ON h.repository = $1 AND h.name = r.default_branch WHERE r.id = $1`,
    values: [id]
  })
  if (row === undefined) throw new RepositoryGone()
  const ref = row.default_branch
  if (row.oid || row.is_chosen) return { ref, oid: row.oid?.toString('hex'), isFree: false }
  const branches = await database.read<{ name: string; oid: Buffer }>({
    name: 'branches',
    text: `(SELECT name, oid FROM refs WHERE repository = $1 AND name >= 'refs/heads/' AND name < 'refs/heads0'
        ORDER BY name LIMIT 2)
      UNION SELECT f.name, f.oid FROM unnest($2::text[]) n(name), LATERAL (
        SELECT name, oid FROM refs WHERE repository = $1 AND name = n.name LIMIT 1
      ) f`,
    values: [id, followedBranches(['several', 'branches'])]
  })
  const followed = followedBranches(branches.map(({ name }) => name))
  for (const name of followed) {
    const branch = branches.find((one) => one.name === name)
    if (branch) return { ref: name, oid: branch.oid.toString('hex'), isFree: false }
  }
  return { ref, oid: undefined, isFree: branches.length === 0 }
}
