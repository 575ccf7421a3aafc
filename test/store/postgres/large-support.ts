/** Servers with uploads on one database, whose statements can be counted, repeated and held. */

import { createHash } from 'node:crypto'
import type { ObjectContent, UploadWriter } from '../../../server-fixture/store/large-content.ts'
import type { Database, Row } from '../../../server-fixture/store/postgres/database/database.ts'
import { PipelinedDatabase } from '../../../server-fixture/store/postgres/database/pipelined-database.ts'
import { ChunkSpools } from '../../../server-fixture/store/postgres/large/chunk-spools.ts'
import { Repositories } from '../../../server-fixture/store/postgres/repositories.ts'
import { openSchema } from '../../../server-fixture/store/postgres/schema/schema.ts'
import { Uploads } from '../../../server-fixture/store/uploads/uploads.ts'
import { FakeClock } from '../../support/fake-clock.ts'

export const MiB = 1024 * 1024
export const untold = { oid: undefined, sha256: undefined }
export const takenOver = { code: 'aborted', reason: 'upload_taken_over' }

/** How a server's statements reach the database. */
export type Wire = (database: Database) => Database

export interface LargeServer {
  readonly uploads: Uploads
  readonly spools: ChunkSpools
  readonly repositories: Repositories
  readonly clock: FakeClock
}

/** A database, and the servers on it. */
export class LargeServers {
  readonly database: Database
  readonly #servers: LargeServer[] = []
  #repositories = 0

  private constructor(database: Database) {
    this.database = database
  }

  static async open(url: string): Promise<LargeServers> {
    const database = await PipelinedDatabase.open({ urls: [url] })
    await openSchema(database)
    return new LargeServers(database)
  }

  start(wire: Wire = (database) => database): LargeServer {
    const clock = new FakeClock()
    const database = wire(this.database)
    const repositories = new Repositories(database)
    const spools = new ChunkSpools(database, repositories, clock)
    const server = { uploads: new Uploads(spools, clock), spools, repositories, clock }
    this.#servers.push(server)
    return server
  }

  async newRepository(): Promise<string> {
    const name = `large/${++this.#repositories}`
    await new Repositories(this.database).create(name, 'sha1', {})
    return name
  }

  rows<R extends object = Row>(text: string, ...values: unknown[]): Promise<R[]> {
    const name = createHash('sha1').update(text).digest('hex')
    return this.database.write<R>({ name, text, values })
  }

  /** What the repository has in rows. */
  async counts(name: string): Promise<{ uploads: number; chunks: number; objects: number }> {
    const of = (table: string) =>
      `(SELECT count(*)::int FROM ${table} t WHERE t.repository IN (SELECT id FROM repositories WHERE name = $1))`
    const text = `SELECT ${of('uploads')} AS uploads, ${of('chunks')} AS chunks, ${of('objects')} AS objects`
    const [row] = await this.rows<{ uploads: number; chunks: number; objects: number }>(text, name)
    return row as { uploads: number; chunks: number; objects: number }
  }

  async close(): Promise<void> {
    for (const { uploads, spools } of this.#servers) {
      await uploads.close()
      await spools.close()
    }
    await this.database.close()
  }
}

export async function write(writer: UploadWriter, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 65_536) await writer.write(bytes.subarray(at, at + 65_536))
}

export async function readAll(object: ObjectContent | undefined, start = 0, end = object?.size): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of object?.read(start, end ?? 0) ?? []) chunks.push(chunk)
  await object?.close()
  return Buffer.concat(chunks)
}
