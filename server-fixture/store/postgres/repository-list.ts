/** Pages of repositories. */
import type { PageRequest, RepositoryInfo } from '../store.ts'
import type { Database } from './database/database.ts'
import { readHead } from './head.ts'
import { formatNumbers, RepositoryGone } from './known-repositories.ts'

interface NameRow {
  readonly name: string
  readonly id: string
}

/** has_head: the default branch is the one that HEAD names, without a look at others. */
interface ListedRow {
  readonly id: string
  readonly object_format: number
  readonly default_branch: string
  readonly has_head: boolean
}

export async function listRepositories(database: Database, page: PageRequest): Promise<RepositoryInfo[]> {
  const listed: RepositoryInfo[] = []
  for (let after = page.after; listed.length < page.limit; ) {
    const limit = page.limit - listed.length
    const names = await readNames(database, { ...page, after, limit })
    listed.push(...(await readInfos(database, names)))
    // Names whose repository is gone left room for others.
    if (names.length < limit) break
    after = (names.at(-1) as NameRow).name
  }
  return listed
}

function readNames(database: Database, { prefix, after, limit }: PageRequest): Promise<NameRow[]> {
  return database.read<NameRow>({
    name: 'names',
    text: 'SELECT name, id FROM names WHERE name > $1 AND name >= $2 AND name < $3 ORDER BY name LIMIT $4',
    values: [after, prefix, `${prefix}\u{10ffff}`, limit]
  })
}

async function readInfos(database: Database, names: readonly NameRow[]): Promise<RepositoryInfo[]> {
  const rows = await database.read<ListedRow>({
    name: 'repositories',
    text: `SELECT r.id, r.object_format, r.default_branch, r.is_chosen OR h.oid IS NOT NULL AS has_head
      FROM repositories r LEFT JOIN refs h ON h.repository = r.id AND h.name = r.default_branch
      WHERE r.id = ANY($1::bigint[])`,
    values: [names.map(({ id }) => id)]
  })
  const byId = new Map(rows.map((row) => [row.id, row]))
  const infos = await Promise.all(
    names.map(async ({ name, id }) => {
      const row = byId.get(id)
      return row && (await infoOf(database, name, row))
    })
  )
  return infos.filter((info) => info !== undefined)
}

async function infoOf(database: Database, name: string, row: ListedRow): Promise<RepositoryInfo | undefined> {
  const objectFormat = row.object_format === formatNumbers.sha256 ? 'sha256' : 'sha1'
  const info = { repository: name, objectFormat, defaultBranch: row.default_branch } as const
  if (row.has_head) return info
  try {
    return { ...info, defaultBranch: (await readHead(database, row.id)).ref }
  } catch (error) {
    if (error instanceof RepositoryGone) return undefined
    throw error
  }
}
