/** Makes the schema where it is missing. */
import { createHash } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { tables } from './tables.ts'

const named = (text: string) => ({ name: createHash('sha1').update(text).digest('hex'), text, values: [] })

export async function openSchema(database: Database): Promise<void> {
  const [found] = await database.read(named("SELECT to_regclass('repositories') IS NOT NULL AS there"))
  if (found?.['there']) return
  for (const text of tables) await database.write(named(text))
}
