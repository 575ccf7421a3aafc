/** Large content of the store on a database: uploads that servers take from each other, and what dies leaves. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import type { UploadWriter } from '../../../server-fixture/store/large-content.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { hashObject } from '../../../src/git/oid.ts'
import { newDatabase } from '../../support/database.ts'

const untold = { oid: undefined, sha256: undefined }
const takenOver = { code: 'aborted', reason: 'upload_taken_over' }
const MiB = 1024 * 1024
const content = randomBytes(3 * MiB + 12_345)
const oid = hashObject('blob', content, 'sha1')

const urls = [await newDatabase()]
const [first, second] = [await PostgresStore.open({ urls }), await PostgresStore.open({ urls })]
after(async () => {
  await first.close()
  await second.close()
})

let count = 0
async function newRepository(): Promise<string> {
  const name = `r${++count}`
  await first.createRepository(name, 'sha1')
  return name
}

async function write(writer: UploadWriter, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 65_536) await writer.write(bytes.subarray(at, at + 65_536))
}

async function readAll(store: PostgresStore, name: string, of: string, range?: [number, number]): Promise<Buffer> {
  const object = await store.openObject(name, of)
  assert.ok(object)
  const chunks: Uint8Array[] = []
  for await (const chunk of object.read(...(range ?? [0, object.size]))) chunks.push(chunk)
  await object.close()
  return Buffer.concat(chunks)
}

test('an upload that one server began is finished by another one, and the first writes nothing more', async () => {
  const name = await newRepository()
  const begun = await first.openUpload(name, 'moved', content.length)
  await write(begun, content.subarray(0, 2 * MiB + 500))
  assert.equal((await first.uploadState(name, 'moved'))?.offset, 2 * MiB + 500)
  await write(begun, content.subarray(2 * MiB + 500, 2 * MiB + 9000))
  const next = await second.openUpload(name, 'moved', content.length)
  assert.equal(next.offset, 2 * MiB + 500, 'what the first told, and nothing that it kept in memory')
  await assert.rejects(
    write(begun, content.subarray(2 * MiB + 9000)).then(() => begun.finish(untold)),
    takenOver
  )
  await begun.release()
  await write(next, content.subarray(next.offset))
  assert.deepEqual(await next.finish(untold), { oid, size: content.length, created: true })
  await next.release()
  assert.ok(content.equals(await readAll(first, name, oid)))
})
