/** Large content of several servers on one database: uploads that they take from each other, remove and count. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { hashObject } from '../../../src/git/oid.ts'
import { newDatabase } from '../../support/database.ts'
import { LargeServers, MiB, readAll, takenOver, untold, write } from './large-support.ts'

const servers = await LargeServers.open(await newDatabase())
after(() => servers.close())
const [first, second] = [servers.start(), servers.start()]
const content = randomBytes(3 * MiB + 12_345)
const size = content.length
const oidOf = (bytes: Uint8Array) => hashObject('blob', bytes, 'sha1')
const oid = oidOf(content)
const bounds = { maxUploadBytes: 1e9, maxBlobBytes: 1e9, uploadIdleSeconds: 3600 }

test('an upload that one server began is finished by another one, and the first writes nothing more', async () => {
  const name = await servers.newRepository()
  const begun = await first.uploads.open(name, 'moved', size)
  await write(begun, content.subarray(0, 2 * MiB + 500))
  assert.equal((await first.uploads.state(name, 'moved'))?.offset, 2 * MiB + 500)
  await write(begun, content.subarray(2 * MiB + 500, 2 * MiB + 9000))
  const next = await second.uploads.open(name, 'moved', size)
  assert.equal(next.offset, 2 * MiB + 500, 'what the first told, and nothing that it kept in memory')
  await assert.rejects(
    write(begun, content.subarray(2 * MiB + 9000)).then(() => begun.finish(untold)),
    takenOver
  )
  await begun.release()
  await write(next, content.subarray(next.offset))
  assert.deepEqual(await next.finish(untold), { oid, size, created: true })
  await next.release()
  const again = await first.uploads.open(name, 'moved', size)
  assert.deepEqual(again.blob, { oid, size })
  await again.release()
  assert.ok(content.equals(await readAll(await first.spools.openObject(name, oid))))
})

test('servers that take an upload from each other while they write lose no byte that was told and mix none', async () => {
  const name = await servers.newRepository()
  let told = 0
  for (let turn = 0; told < size; turn++) {
    const { uploads } = turn % 2 === 0 ? first : second
    const writer = await uploads.open(name, 'contested', size)
    assert.ok(writer.offset >= told, `holds ${writer.offset}, told ${told}`)
    told = writer.offset
    // Left in the middle of a part: it is written before or after the other server has the upload, or not at all.
    void write(writer, content.subarray(told, told + 1_400_000 + turn)).catch(() => undefined)
    if (turn % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    if (turn % 3 === 1) told = (await uploads.state(name, 'contested'))?.offset ?? 0
  }
  const last = await first.uploads.open(name, 'contested', size)
  assert.equal((await last.finish({ oid, sha256: undefined })).oid, oid)
  await last.release()
  assert.ok(content.equals(await readAll(await second.spools.openObject(name, oid))))
})

test('a server that gets an upload back hashes what another one wrote meanwhile', async () => {
  const name = await servers.newRepository()
  const begun = await first.uploads.open(name, 'back', undefined)
  await write(begun, content.subarray(0, 1000))
  await first.uploads.state(name, 'back')
  await write(begun, Buffer.alloc(1000, 'a'))
  const other = await second.uploads.open(name, 'back', undefined)
  await write(other, Buffer.alloc(1000, 'b'))
  await other.release()
  await begun.release()
  const back = await first.uploads.open(name, 'back', undefined)
  assert.equal(back.offset, 2000)
  const expected = Buffer.concat([content.subarray(0, 1000), Buffer.alloc(1000, 'b')])
  assert.equal((await back.finish(untold)).oid, oidOf(expected))
  await back.release()
})

test('one server completes an upload while others open, cancel and complete it: there is one outcome', async () => {
  for (let round = 0; round < 6; round++) {
    const name = await servers.newRepository()
    const begun = await first.uploads.open(name, 'u', undefined)
    await write(begun, content.subarray(0, MiB + 1))
    const other = servers.start().uploads
    const [finished, opened, cancelled] = await Promise.allSettled([
      begun.finish(untold),
      second.uploads.open(name, 'u', undefined),
      round % 2 === 0 ? other.cancel(name, 'u') : false
    ])
    await begun.release()
    const state = await other.state(name, 'u')
    const isStored = (await first.spools.openObject(name, oidOf(content.subarray(0, MiB + 1)))) !== undefined
    assert.equal(isStored, finished.status === 'fulfilled', 'the object is there where its writer was told so')
    if (isStored) assert.notEqual((cancelled as { value?: boolean }).value, true, 'a complete upload is not cancelled')
    else if (state) assert.equal(state.blob, undefined)
    if (opened.status === 'fulfilled') await opened.value.release()
  }
})

test('an upload that another server cancelled is gone with its parts, and its writer is told so', async () => {
  const name = await servers.newRepository()
  const writer = await first.uploads.open(name, 'cancelled', undefined)
  await write(writer, content.subarray(0, 2 * MiB + 5))
  assert.equal(await second.uploads.cancel(name, 'cancelled'), true)
  const gone = { code: 'not_found', reason: 'upload' }
  await assert.rejects(
    write(writer, content).then(() => writer.finish(untold)),
    gone
  )
  await writer.release()
  await second.spools.close()
  assert.deepEqual(await servers.counts(name), { uploads: 0, chunks: 0, objects: 0 })
})

test('a repository that another server deleted takes no part more', async () => {
  const name = await servers.newRepository()
  const writer = await first.uploads.open(name, 'deleted', undefined)
  await write(writer, content.subarray(0, MiB + 5))
  await first.uploads.state(name, 'deleted')
  const [{ id }] = (await servers.rows('SELECT id FROM repositories WHERE name = $1', name)) as [{ id: string }]
  await second.repositories.delete(name, undefined)
  await second.repositories.create(name, 'sha1', {})
  const gone = { code: 'not_found', reason: 'repository' }
  await assert.rejects(
    write(writer, content).then(() => writer.finish(untold)),
    gone
  )
  await writer.release()
  const chunks = await servers.rows('SELECT part FROM chunks WHERE repository = $1', id)
  assert.equal(chunks.length, 2)
  assert.equal(await first.uploads.state(name, 'deleted'), undefined)
})

test('a blob that is there already keeps its parts, and those of the second upload are removed', async () => {
  const name = await servers.newRepository()
  for (const [id, { uploads }] of [
    ['one', first],
    ['two', second]
  ] as const) {
    const writer = await uploads.open(name, id, undefined)
    await write(writer, content)
    assert.equal((await writer.finish(untold)).created, id === 'one')
    await writer.release()
  }
  await second.spools.close()
  assert.deepEqual(await servers.counts(name), { uploads: 2, chunks: 4, objects: 1 })
  assert.ok(content.equals(await readAll(await first.spools.openObject(name, oid))))
})

test('any server removes what nobody went on with, and nothing else', async () => {
  const name = await servers.newRepository()
  const open = async (id: string, bytes: Uint8Array) => {
    const writer = await first.uploads.open(name, id, undefined)
    await write(writer, bytes)
    return writer
  }
  const abandoned = await open('abandoned', content.subarray(0, 2 * MiB))
  await abandoned.release()
  const goesOn = await open('goes-on', content.subarray(0, MiB + 1))
  const complete = await open('complete', content)
  await complete.finish(untold)
  await complete.release()
  // A server died while it stored an object, or removed an upload.
  const [{ id }] = (await servers.rows('SELECT id FROM repositories WHERE name = $1', name)) as [{ id: string }]
  const orphan = 'b5b2d0b8-40e4-4c0f-8d4e-6a4f3f6c5d01'
  await servers.rows(
    `INSERT INTO uploads (repository, id, content_id, writer, held, changed_at)
     SELECT $1::bigint, '~' || $2::text, $2::uuid, $2::uuid, 5, now()`,
    id,
    orphan
  )
  await servers.rows(`INSERT INTO chunks SELECT $1::bigint, $2::uuid, 0, 0, '12345'::bytea`, id, orphan)
  await servers.rows(`UPDATE uploads SET changed_at = now() - interval '2 hours' WHERE repository = $1`, id)
  await goesOn.write(content.subarray(MiB + 1, MiB + 2))
  await first.uploads.state(name, 'goes-on')
  const sweepers = [servers.start(), servers.start()]
  for (const { uploads } of sweepers) uploads.bound(bounds)
  let counts = await servers.counts(name)
  for (let round = 0; round < 500 && counts.uploads > 1; round++) {
    for (const { clock } of sweepers) clock.advance(1000)
    counts = await servers.counts(name)
  }
  for (const { uploads, spools } of sweepers) {
    await uploads.close()
    await spools.close()
  }
  assert.deepEqual(await servers.counts(name), { uploads: 1, chunks: 2 + 4, objects: 1 })
  assert.equal(await first.uploads.state(name, 'complete'), undefined)
  assert.ok(content.equals(await readAll(await first.spools.openObject(name, oid))))
  await write(goesOn, content.subarray(MiB + 2))
  assert.equal((await goesOn.finish(untold)).oid, oid)
  await goesOn.release()
})

test('the quota counts what other servers hold', async (context) => {
  const beside = await LargeServers.open(await newDatabase())
  context.after(() => beside.close())
  const name = await beside.newRepository()
  const [one, other] = [beside.start(), beside.start()]
  for (const { uploads } of [one, other]) uploads.bound({ ...bounds, maxUploadBytes: 3 * MiB })
  const here = await one.uploads.open(name, 'here', undefined)
  const there = await other.uploads.open(name, 'there', undefined)
  await write(there, content.subarray(0, 2 * MiB))
  await other.uploads.state(name, 'there')
  await write(here, content.subarray(0, MiB / 2))
  const countedBy = async (bytes: number) => {
    one.clock.advance(10_000)
    for (let times = 0; times < 500 && one.uploads.heldBytes !== bytes; times++) await one.uploads.state(name, 'here')
    assert.equal(one.uploads.heldBytes, bytes)
  }
  await countedBy(2.5 * MiB)
  const full = { code: 'resource_exhausted', reason: 'upload_quota' }
  await assert.rejects(async () => here.write(content.subarray(0, MiB)), full)
  await other.uploads.cancel(name, 'there')
  await other.spools.close()
  await countedBy(0.5 * MiB)
  await here.release()
})
