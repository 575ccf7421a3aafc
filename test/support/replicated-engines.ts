/** A primary and its standby, with the programs of one engine alone. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { copyTemplate } from '../../server-fixture/store/postgres/embedded/data-directory.ts'
import { giveToOwner } from '../../server-fixture/store/postgres/embedded/owner.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { startTestEngine, testBinaries } from './database-engine.ts'
import { untilAsync } from './until-async.ts'

/** One statement on a connection of its own. */
export async function queryOnce(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** The part of a test's context that is used. */
interface Ending {
  after(end: () => unknown): void
}

/**
 * Both begin with the same data, the template's: the standby needs no copy of a running primary. A synchronous standby has
 * each commit before the primary answers. `wire` lies between the two.
 */
export async function startPair(context: Ending, { isSynchronous }: { readonly isSynchronous: boolean }) {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-pair-'))
  context.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  await giveToOwner(directory)
  const binaries = await testBinaries()
  const places = { primary: join(directory, 'primary'), standby: join(directory, 'standby') }
  for (const place of Object.values(places)) await copyTemplate(place, binaries)
  await writeFile(join(places.standby, 'standby.signal'), '')
  const names = isSynchronous ? { synchronous_standby_names: 'standby' } : {}
  const primary = await startTestEngine({ binaries, directory: places.primary, settings: names })
  context.after(() => primary.kill())
  const wire = await startTcpProxy(`http://127.0.0.1:${primary.port}`)
  context.after(() => wire[Symbol.asyncDispose]())
  const primary_conninfo = `host=127.0.0.1 port=${wire.port} user=postgres application_name=standby`
  const settings = { primary_conninfo, wal_retrieve_retry_interval: '50ms' }
  const standby = await startTestEngine({ binaries, directory: places.standby, settings })
  context.after(() => standby.kill())
  const state = isSynchronous ? 'sync' : 'async'
  const isStreaming = `SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '${state}'`
  await untilAsync(async () => (await queryOnce(primary.url, isStreaming)).length === 1, 'the standby follows')
  return {
    primary,
    standby,
    wire,
    /** The standby becomes the primary. */
    promote: async () => void (await queryOnce(standby.url, 'SELECT pg_promote()'))
  }
}
