/** Databases for tests in a cluster that runs already (`npm run test:database`). */
import pg from 'pg'

/** URLs of the cluster, separated by commas. */
export const givenCluster = 'BLOBWIRE_DATABASE'

/** A connection to the first server that takes writes. */
async function connectToPrimary(urls: readonly string[]): Promise<pg.Client> {
  const failures: unknown[] = []
  for (const url of urls) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      const { rows } = await client.query('SELECT pg_is_in_recovery() AS "isStandby"')
      if (rows[0].isStandby === false) return client
      await client.end()
    } catch (error) {
      failures.push(error)
    }
  }
  throw new AggregateError(failures, 'no server of the cluster takes writes')
}

async function withPrimary<T>(urls: readonly string[], work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connectToPrimary(urls)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/**
 * An empty database, as the URLs of all servers. On one PostgreSQL it is a new one. Citus has one for a cluster, which is
 * the given one: its tables are dropped.
 */
export async function emptyDatabase(urls: readonly string[], name: string): Promise<string[]> {
  return withPrimary(urls, async (client) => {
    const { rows } = await client.query("SELECT FROM pg_extension WHERE extname = 'citus'")
    if (rows.length > 0) {
      await dropTables(client)
      return [...urls]
    }
    await client.query(`CREATE DATABASE ${name}`)
    return urls.map((url) => withName(url, name))
  })
}

/** Removes it, unless it is the given one. */
export async function removeDatabase(urls: readonly string[], name: string): Promise<void> {
  await withPrimary(urls, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
}

/** Only where the name says that the database is for tests. */
async function dropTables(client: pg.Client): Promise<void> {
  if (!/test/.test(client.database ?? '')) {
    throw new Error(`the tables of the database ${client.database} would be dropped: its name has to have "test" in it`)
  }
  const { rows } = await client.query('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()')
  for (const { tablename } of rows) await client.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(tablename)} CASCADE`)
}

function withName(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}
