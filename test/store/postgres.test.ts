/** The contract of every store, for the one on a database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { newDatabase } from '../support/database.ts'

test('the schema is made where it is missing, and found where it is there', async () => {
  const urls = [await newDatabase()]
  for (let times = 0; times < 2; times++) {
    const store = await PostgresStore.open({ urls })
    assert.equal(store.requestKeySeconds, 7 * 24 * 3600)
    await store.close()
  }
})
