/** Uploads that are being opened, and read again for that, when their repository goes or the store closes; a disk that removes none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemorySpools } from '../../server-fixture/store/memory-spools.ts'
import { ObjectTable } from '../../server-fixture/store/object-table.ts'
import type { SpoolStore } from '../../server-fixture/store/uploads/spool.ts'
import { Uploads } from '../../server-fixture/store/uploads/uploads.ts'
import { FakeClock } from '../support/fake-clock.ts'

const bounds = { maxUploadBytes: 10_000, maxBlobBytes: 10_000, uploadIdleSeconds: 60 }

/** An upload of 5,000 bytes that a process has left; another one opens it, and has to read it, which takes until `go`. */
async function opening() {
  const info = { repository: 'demo', objectFormat: 'sha1' as const, defaultBranch: 'refs/heads/main' }
  const repositories = new Map([['demo', { info, objects: new ObjectTable('sha1') }]])
  const clock = new FakeClock()
  const refused = new Set<string>()
  const memory = new MemorySpools(repositories, clock)
  await (await memory.open('demo', 'one', undefined)).append(Buffer.alloc(5000))
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const open: SpoolStore['open'] = async (...args) => {
    const spool = await memory.open(...args)
    const read = async function* () {
      begun.resolve()
      await gate.promise
      yield* spool.read()
    }
    return new Proxy(spool, {
      get(target, name) {
        const value: unknown = name === 'read' ? read : Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
  }
  const spools: SpoolStore = {
    list: () => memory.list(),
    find: (repository, id) => memory.find(repository, id),
    async remove(repository, id) {
      if (refused.has(id)) throw new Error('EIO')
      return memory.remove(repository, id)
    },
    open
  }
  const uploads = new Uploads(spools, clock)
  uploads.bound(bounds)
  const opened = uploads.open('demo', 'one', undefined)
  await begun.promise
  return { uploads, opened, memory, repositories, clock, refused, go: gate.resolve }
}

test('an upload that was being opened when its repository went has no writer and takes no room', async () => {
  const { uploads, opened, memory, repositories, go } = await opening()
  repositories.delete('demo')
  memory.removeAll('demo')
  const forgotten = uploads.forget('demo')
  go()
  const writer = await opened
  await forgotten
  await assert.rejects(async () => writer.write(Buffer.alloc(1)), { code: 'not_found', reason: 'repository' })
  await writer.release()
  assert.equal(uploads.heldBytes, 0)
})

test('a store that closes reads no upload to its end, and leaves no writer', async () => {
  const { uploads, opened, go } = await opening()
  const closed = uploads.close()
  go()
  await assert.rejects(opened, { code: 'unavailable', reason: 'store_closed' })
  await closed
})

test('an upload that cannot be removed keeps no other one', async () => {
  const { uploads, opened, memory, clock, refused, go } = await opening()
  go()
  await (await opened).release()
  for (const id of ['two', 'three']) await (await uploads.open('demo', id, undefined)).release()
  refused.add('one')
  for (let passed = 0; passed < 200; passed++) {
    clock.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(
    (await memory.list()).map(({ id }) => id),
    ['one']
  )
})
