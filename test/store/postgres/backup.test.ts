/** The drill of docs/operating.md: a backup of a database that is written to, and its restore with the archived log. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import pg from 'pg'
import { giveToOwner, owner } from '../../../server-fixture/store/postgres/embedded/owner.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { startBlobWriters } from '../../support/blob-writers.ts'
import { startTestEngine } from '../../support/database-engine.ts'
import { queryOnce } from '../../support/replicated-engines.ts'
import { untilAsync } from '../../support/until-async.ts'

const repository = 'demo'

/** Files may go while they are copied; the log has the changes to all of them. */
const copyFiles = (from: string, to: string) =>
  promisify(execFile)('cp', ['-a', from, to], { ...owner, cwd: '/' }).catch(() => undefined)

/** `pg_basebackup` does the same over a connection. */
async function backUp(url: string, from: string, to: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`SELECT pg_backup_start('drill', true)`)
  await copyFiles(from, to)
  const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop()')
  await client.end()
  await writeFile(join(to, 'backup_label'), rows[0].labelfile)
  await rm(join(to, 'postmaster.pid'), { force: true })
  await rm(join(to, 'pg_wal'), { recursive: true })
  await mkdir(join(to, 'pg_wal'))
  // An engine that starts with these restores what follows from the archive.
  await writeFile(join(to, 'recovery.signal'), '')
  for (const name of ['pg_wal', 'backup_label', 'recovery.signal']) await giveToOwner(join(to, name))
}

test('a backup made under load and the archived log restore all that was acknowledged', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-backup-'))
  context.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  const [archive, backup] = [join(directory, 'archive'), join(directory, 'backup')]
  await mkdir(archive)
  for (const path of [directory, archive]) await giveToOwner(path)
  const primary = await startTestEngine({
    settings: { archive_mode: 'on', archive_command: `cp %p ${archive}/%f` }
  })
  context.after(() => primary.stop())
  const store = await PostgresStore.open({ urls: [primary.url] })
  await store.createRepository(repository, 'sha1')
  const writers = startBlobWriters(8, (blob) => store.putObjects(repository, [blob]))
  await writers.more(100)
  await backUp(primary.url, primary.directory, backup)
  await writers.more(100)
  await writers.stop()
  assert.deepEqual(writers.failures, [])
  const [last] = await queryOnce(primary.url, 'SELECT pg_walfile_name(pg_switch_wal()) AS name')
  const isArchived = async () => (await readdir(archive)).includes(String(last?.['name']))
  await untilAsync(isArchived, 'the end of the log is archived')
  await store.close()
  await primary.kill()

  const settings = { restore_command: `cp ${archive}/%f %p` }
  const restored = await startTestEngine({ directory: backup, settings })
  context.after(() => restored.kill())
  const again = await PostgresStore.open({ urls: [restored.url] })
  context.after(() => again.close())
  const found = await again.hasObjects(repository, writers.acknowledged)
  assert.equal(found.filter((info) => info === undefined).length, 0)
  await again.createRepository('after', 'sha1')
})
