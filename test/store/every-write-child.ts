/**
 * Makes each kind of write in a new Git store, one after the other, and says `answered NAME` after each.
 *
 *     node every-write-child.ts DIRECTORY
 */
import { mock } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { prepare, refusal, serviceOn, writes } from './every-write.ts'

// Marks of the journal, which nobody waits for, would be half written now and then.
mock.timers.enable({ apis: ['setTimeout'] })
const answered = (name: string) => process.stdout.write(`answered ${name}\n`)
const [directory = ''] = process.argv.slice(2)
const store = await GitStore.open(directory)
answered('opening')
const { call } = serviceOn(store)
const head = await prepare(call)
for (const { name, method, request } of writes) {
  await call(method, request(head))
  answered(name)
  if (name === 'deletion') await prepare(call)
}
await call('Apply', refusal).catch(() => undefined)
answered('refusal')
await store.close()
answered('closing')
