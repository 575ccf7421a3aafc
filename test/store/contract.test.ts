import { after, before, describe } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { objectFormats } from '../../src/git/oid.ts'
import { testObjects } from './contract.ts'
import { testEvents } from './contract-events.ts'
import { testRefs } from './contract-refs.ts'
import { testRequests } from './contract-requests.ts'
import { testUploads } from './contract-uploads.ts'
import { makeDirectory, removeDirectory } from './support.ts'

const stores: Record<string, (directory: string) => Promise<Store>> = {
  memory: async () => new MemoryStore(),
  git: (directory) => GitStore.open(directory)
}

for (const [kind, open] of Object.entries(stores)) {
  for (const format of objectFormats) {
    describe(`${kind} store, ${format}`, () => {
      let directory: string
      let store: Store
      let count = 0
      before(async () => {
        directory = await makeDirectory()
        store = await open(directory)
      })
      after(async () => {
        await store.close()
        await removeDirectory(directory)
      })
      async function newRepository(): Promise<string> {
        const name = `team/r${++count}`
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
