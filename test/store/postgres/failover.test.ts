/** A primary that is lost with its machine, and the standby that takes its place. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { startBlobWriters } from '../../support/blob-writers.ts'
import { queryOnce, startPair } from '../../support/replicated-engines.ts'
import { untilAsync } from '../../support/until-async.ts'

const repository = 'demo'

async function openStore(context: TestContext, ...urls: string[]): Promise<PostgresStore> {
  const store = await PostgresStore.open({ urls })
  context.after(() => store.close())
  await store.createRepository(repository, 'sha1')
  return store
}

/** Oids that the store does not have. */
async function lostOf(store: PostgresStore, oids: readonly string[]): Promise<string[]> {
  const found = await store.hasObjects(repository, oids)
  return oids.filter((_, index) => found[index] === undefined)
}

test('a synchronous standby has all that was acknowledged, and calls wait for it', async (context) => {
  const { primary, standby, wire, promote } = await startPair(context, { isSynchronous: true })
  const store = await openStore(context, primary.url, standby.url)
  const writers = startBlobWriters(16, (blob) => store.putObjects(repository, [blob]))
  await writers.more(200)
  // What the standby does not receive any more is not acknowledged.
  wire.partition()
  const isWaiting = `SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
  await untilAsync(async () => (await queryOnce(primary.url, isWaiting)).length > 0, 'commits wait for the standby')
  await primary.kill()
  await promote()
  await writers.more(200)
  await writers.stop()
  assert.deepEqual(writers.failures, [])
  assert.deepEqual(await lostOf(store, writers.acknowledged), [])
  context.diagnostic(`longest gap: ${Math.round(writers.longestGapMs())} ms`)
})

test('an asynchronous standby lacks acknowledged writes that it had not received', async (context) => {
  const { primary, standby, wire, promote } = await startPair(context, { isSynchronous: false })
  const store = await openStore(context, primary.url, standby.url)
  const writers = startBlobWriters(16, (blob) => store.putObjects(repository, [blob]))
  await writers.more(100)
  const received = [...writers.acknowledged]
  const [position] = await queryOnce(primary.url, 'SELECT pg_current_wal_lsn()::text AS lsn')
  const hasReceived = `SELECT FROM pg_stat_replication WHERE flush_lsn >= '${position?.['lsn']}'`
  await untilAsync(async () => (await queryOnce(primary.url, hasReceived)).length === 1, 'the standby has followed')
  wire.partition()
  const before = writers.acknowledged.length
  await writers.more(200)
  const unseen = writers.acknowledged.slice(before + 16)
  await primary.kill()
  await promote()
  await writers.more(100)
  await writers.stop()
  assert.deepEqual(writers.failures, [])
  assert.deepEqual(await lostOf(store, received), [])
  // Some of them may have been on the wire already.
  const lost = await lostOf(store, unseen)
  assert.ok(lost.length > 100, `${lost.length} of ${unseen.length} are lost`)
})
