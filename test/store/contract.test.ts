import { after, before, describe } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { type ObjectFormat, objectFormats } from '../../src/git/oid.ts'
import { newDatabase } from '../support/database.ts'
import { testObjects } from './contract.ts'
import { testEvents } from './contract-events.ts'
import { testRefs } from './contract-refs.ts'
import { testRequests } from './contract-requests.ts'
import { testUploads } from './contract-uploads.ts'
import { makeDirectory, removeDirectory } from './support.ts'

const databases = { sha1: await newDatabase(), sha256: await newDatabase() }

const stores: Record<string, (directory: string, format: ObjectFormat) => Promise<Store>> = {
  memory: async () => new MemoryStore(),
  git: (directory) => GitStore.open(directory),
  postgres: async (_directory, format) => PostgresStore.open({ urls: [databases[format]] })
}

for (const [kind, open] of Object.entries(stores)) {
  for (const format of objectFormats) {
    describe(`${kind} store, ${format}`, () => {
      let directory: string
      let store: Store
      let count = 0
      before(async () => {
        directory = await makeDirectory()
        store = await open(directory, format)
      })
      after(async () => {
        await store.close()
        await removeDirectory(directory)
      })
      async function newRepository(): Promise<string> {
        // On Citus both formats have one database.
        const name = `${format}/r${++count}`
        await store.createRepository(name, format)
        return name
      }
      const subject = () => ({ store, format, newRepository })
      testObjects(subject)
      testRefs(subject)
      testRequests(subject)
      testEvents(subject)
      testUploads(subject)
    })
  }
}
