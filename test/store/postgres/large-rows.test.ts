/** The rows of large content: statements that come twice or late, damage, and how much is under way. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import type { Database } from '../../../server-fixture/store/postgres/database/database.ts'
import { encodePart } from '../../../server-fixture/store/postgres/large/parts.ts'
import { type UploadKey, UploadRows } from '../../../server-fixture/store/postgres/large/upload-rows.ts'
import { hashObject } from '../../../src/git/oid.ts'
import { newDatabase } from '../../support/database.ts'
import { LargeServers, MiB, readAll, untold, write } from './large-support.ts'

const servers = await LargeServers.open(await newDatabase())
after(() => servers.close())
const content = randomBytes(2 * MiB + 777)
const oid = hashObject('blob', content, 'sha1')

/** As over a connection that is lost after each write, before its answer. */
const twice = (database: Database): Database => ({
  losses: 0,
  read: (statement) => database.read(statement),
  async write(statement) {
    await database.write(statement)
    return database.write(statement)
  },
  whole: (statements) => database.whole(statements),
  async transaction(work) {
    await database.transaction(work)
    return database.transaction(work)
  },
  close: () => database.close()
})

for (const size of [content.length, 5000]) {
  test(`statements that are carried out twice store an upload of ${size} bytes once`, async () => {
    const name = await servers.newRepository()
    const { uploads, spools } = servers.start(twice)
    const bytes = content.subarray(0, size)
    const blob = hashObject('blob', bytes, 'sha1')
    for (let at = 0; at < size; ) {
      const writer = await uploads.open(name, 'u', undefined)
      assert.equal(writer.offset, at)
      await write(writer, bytes.subarray(at, at + 900_000))
      at = writer.offset
      await writer.release()
    }
    const last = await uploads.open(name, 'u', size)
    const { created, oid: found } = await last.finish(untold)
    await last.release()
    await spools.close()
    assert.equal(found, blob)
    // Of a small one, only whether it is the first is not known.
    if (size > MiB) assert.equal(created, true)
    assert.ok(bytes.equals(await readAll(await spools.openObject(name, blob))))
    assert.deepEqual(await servers.counts(name), { uploads: 1, chunks: size > MiB ? 3 : 0, objects: 1 })
    assert.equal(await uploads.cancel(name, 'u'), false)
  })
}

test('a large object that is put twice has its parts once, and no upload is left', async () => {
  const name = await servers.newRepository()
  const { spools, repositories } = servers.start(twice)
  for (const times of [1, 2]) {
    await repositories.use(name, (found) => spools.put(found, { oid, kind: 'tree', content }))
    await spools.close()
    assert.deepEqual(await servers.counts(name), { uploads: 0, chunks: 3, objects: 1 }, `put ${times} times`)
  }
  const object = await spools.openObject(name, oid)
  assert.equal(object?.kind, 'tree')
  assert.ok(content.equals(await readAll(object)))
})

test('parts of an object that was there already are removed by a sweep where the server that put it could not', async () => {
  const name = await servers.newRepository()
  const { spools, repositories } = servers.start((database) => ({
    read: (statement) => database.read(statement),
    write: (statement) =>
      statement.name === 'remove parts' ? Promise.reject(new Error('away')) : database.write(statement),
    whole: (statements) => database.whole(statements),
    transaction: (work) => database.transaction(work),
    losses: 0,
    close: () => database.close()
  }))
  for (let times = 0; times < 2; times++) {
    await repositories.use(name, (found) => spools.put(found, { oid, kind: 'blob', content }))
    await spools.close()
  }
  assert.deepEqual(await servers.counts(name), { uploads: 1, chunks: 6, objects: 1 })
  const next = servers.start().spools
  for (const { repository, id } of await next.list(0)) if (repository === name) await next.remove(repository, id)
  await next.close()
  assert.deepEqual(await servers.counts(name), { uploads: 0, chunks: 3, objects: 1 })
  assert.ok(content.equals(await readAll(await next.openObject(name, oid))))
})

test('readers that take their time hold a part each, and those of a server together 32 more', async () => {
  const name = await servers.newRepository()
  const { spools, repositories } = servers.start()
  await repositories.use(name, (found) => spools.put(found, { oid, kind: 'blob', content }))
  let parts = 0
  const counted = servers.start((database) => ({
    read: (statement) => {
      if (statement.name === 'read part') parts++
      return database.read(statement)
    },
    write: (statement) => database.write(statement),
    whole: (statements) => database.whole(statements),
    transaction: (work) => database.transaction(work),
    losses: 0,
    close: () => database.close()
  }))
  const object = await counted.spools.openObject(name, oid)
  const open = () => object?.read(0, content.length)[Symbol.asyncIterator]() as AsyncGenerator<Uint8Array>
  const slow = Array.from({ length: 40 }, open)
  for (const reader of slow) await reader.next()
  assert.equal(parts, 40 + 32)
  // One has all, and one has enough: what they held is free for others.
  assert.equal((await readAll(object)).length, content.length)
  for (const reader of slow) await reader.return(undefined)
  parts = 0
  const [first, second] = [open(), open()]
  for (const reader of [first, second]) await reader.next()
  assert.equal(parts, 4)
  for (const reader of [first, second]) for await (const _ of reader);
})

/** An upload that holds two parts, of which the second has grown. */
async function twoParts() {
  const name = await servers.newRepository()
  const rows = new UploadRows(servers.database)
  const { repositories } = servers.start()
  const found = await repositories.use(name, async (known) => known)
  const key: UploadKey = { repository: found.id, id: 'u', writer: randomUUID() }
  const { content_id } = await rows.begin(key, randomUUID(), undefined)
  const part = async (number: number, from: number, to: number) => {
    const encoded = await encodePart(content.subarray(number * MiB, to))
    return { part: number, from, to, ...encoded }
  }
  const steps = [await part(0, 0, MiB), await part(1, MiB, MiB + 10), await part(1, MiB + 10, MiB + 99)]
  for (const step of steps) assert.equal(await rows.put(key, step), true)
  const lengths = async () => {
    const text = 'SELECT length(content) AS length FROM chunks WHERE content_id = $1 ORDER BY part'
    return (await servers.rows<{ length: number }>(text, content_id)).map(({ length }) => length)
  }
  const held = async () => Number((await rows.find(found, 'u'))?.held)
  return { name, rows, key, part, steps, lengths, held }
}

test('a statement of a part that comes late changes nothing', async () => {
  const { rows, key, steps, lengths, held } = await twoParts()
  for (const late of steps.slice(0, -1)) assert.equal(await rows.put(key, late), false)
  assert.equal(await rows.put(key, steps[2] as (typeof steps)[number]), true, 'the last one again')
  assert.deepEqual(await lengths(), [MiB, 99])
  assert.equal(await held(), MiB + 99)
})

test('neither a part nor an object is stored by a writer that is not the one of the row', async () => {
  const { rows, key, part, lengths, held } = await twoParts()
  const other = { ...key, writer: randomUUID() }
  assert.equal(await rows.put(other, await part(1, MiB + 99, MiB + 500)), false)
  const object = { oid: Buffer.from(oid, 'hex'), kind: 3, size: MiB + 99, held: MiB + 99, inline: undefined }
  assert.deepEqual(await rows.complete(other, object), { isOurs: false, created: false })
  const short = { ...object, size: MiB + 10, held: MiB + 10 }
  assert.deepEqual(await rows.complete(key, short), { isOurs: false, created: false })
  assert.deepEqual(await lengths(), [MiB, 99])
  assert.equal(await held(), MiB + 99)
  assert.deepEqual(await rows.complete(key, object), { isOurs: true, created: true })
  assert.equal(await rows.put(key, await part(1, MiB + 99, MiB + 500)), false, 'a complete one takes no more')
  assert.equal(await rows.detach(other, { isIncomplete: true }), undefined, 'nor is it cancelled')
})

test('an upload is removed as its remover knows it, or stays', async () => {
  const { rows, key, lengths } = await twoParts()
  const remover = { ...key, writer: randomUUID() }
  assert.equal(await rows.detach(remover, { identity: randomUUID() }), undefined)
  assert.equal(await rows.detach(remover, { idleSeconds: 60 }), undefined)
  assert.deepEqual(await lengths(), [MiB, 99])
  const detached = await rows.detach(remover, { identity: key.writer, isIncomplete: true, idleSeconds: 0 })
  assert.equal(detached?.held, String(MiB + 99))
})

test('a part that is damaged or missing is told, and no other bytes in its place', async () => {
  const damages = [
    `UPDATE chunks SET content = substr(content, 1, 100), encoding = 1 WHERE part = 1`,
    `UPDATE chunks SET content = content || '\\x00'::bytea WHERE part = 1`,
    'DELETE FROM chunks WHERE part = 1'
  ]
  for (const damage of damages) {
    const name = await servers.newRepository()
    const { uploads, spools } = servers.start()
    const writer = await uploads.open(name, 'u', undefined)
    await write(writer, content)
    await writer.finish(untold)
    await writer.release()
    await servers.rows(`${damage} AND repository = (SELECT id FROM repositories WHERE name = $1)`, name)
    const object = await spools.openObject(name, oid)
    assert.ok(content.subarray(0, MiB).equals(await readAll(object, 0, MiB)))
    await assert.rejects(readAll(object), { code: 'data_loss', reason: 'integrity' })
  }
})

test('a range reads the parts that it has bytes of; parts are deflated where that pays', async () => {
  let reads = 0
  const name = await servers.newRepository()
  const { uploads, spools } = servers.start((database) => ({
    losses: 0,
    read(statement) {
      if (statement.name === 'read part') reads++
      return database.read(statement)
    },
    write: (statement) => database.write(statement),
    whole: (statements) => database.whole(statements),
    transaction: (work) => database.transaction(work),
    close: () => database.close()
  }))
  const text = Buffer.from('a line of text\n'.repeat(70_000 * 3))
  for (const bytes of [text, content]) {
    const writer = await uploads.open(name, `u${bytes.length}`, bytes.length)
    await write(writer, bytes)
    const { oid: stored } = await writer.finish(untold)
    await writer.release()
    const object = await spools.openObject(name, stored)
    for (const [start, end, expected] of [
      [MiB, MiB + 1, 1],
      [MiB - 1, MiB + 1, 2],
      [2 * MiB + 1, bytes.length, bytes === text ? 2 : 1],
      [5, 5, 0]
    ] as const) {
      reads = 0
      assert.ok(bytes.subarray(start, end).equals(await readAll(object, start, end)))
      assert.equal(reads, expected, `${start} to ${end}`)
    }
  }
  const counted = 'SELECT encoding, count(*)::int AS count FROM chunks WHERE repository = (SELECT id FROM repositories'
  const rows = await servers.rows(`${counted} WHERE name = $1) GROUP BY encoding ORDER BY encoding`, name)
  assert.deepEqual(rows, [
    { encoding: 0, count: 3 },
    { encoding: 1, count: 4 }
  ])
})

test('a server takes no more than two parts of an upload ahead of the database, and writes two at a time', async () => {
  const name = await servers.newRepository()
  const gate = Promise.withResolvers<void>()
  let underWay = 0
  const { uploads } = servers.start((database) => ({
    losses: 0,
    read: (statement) => database.read(statement),
    write: (statement) => database.write(statement),
    whole: (statements) => database.whole(statements),
    async transaction(work) {
      underWay++
      await gate.promise
      return database.transaction(work)
    },
    close: () => database.close()
  }))
  const block = content.subarray(0, MiB / 2)
  const writers = await Promise.all(Array.from({ length: 4 }, (_, at) => uploads.open(name, `u${at}`, undefined)))
  const waiting = writers.map((writer) => {
    let waits: Promise<void> | undefined
    while (waits === undefined) waits = writer.write(block)
    assert.equal(writer.offset, 2 * MiB)
    return waits
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(underWay, 2)
  gate.resolve()
  await Promise.all(waiting)
  await Promise.all(writers.map((writer) => writer.release()))
})
