/** Uploads of the Git store on a machine that fails: killed at any point, without power, with a disk that fails or is full. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { cp, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { FileOperation } from '../support/file-operations.ts'
import { type CrashPoint, crashPointsOf } from './crash-points.ts'
import { isMissed } from './every-write.ts'
import { failing } from './failing.ts'
import { git, temporaryDirectory } from './support.ts'

const untold = { oid: undefined, sha256: undefined }
const storage = { code: 'unavailable', reason: 'storage' }
const content = randomBytes(700_001)
const oid = hashObject('blob', content, 'sha1')
/** The writer has so much in its memory at most. */
const bufferBytes = 512 * 1024

async function prepared(context: TestContext) {
  const top = await temporaryDirectory(context)
  const places = { directory: join(top, 'data'), copies: join(top, 'copies') }
  await mkdir(places.copies)
  const store = await GitStore.open(places.directory)
  context.after(() => store.close())
  await store.createRepository('demo', 'sha1')
  return { ...places, store }
}

/** Goes on with the upload, and has it become a blob. Returns where it went on. */
async function complete(store: GitStore, size?: number): Promise<number> {
  const writer = await store.openUpload('demo', 'one', size)
  const { offset } = writer
  await writer.write(content.subarray(offset))
  assert.equal((await writer.finish(untold)).oid, oid)
  await writer.release()
  const object = await store.openObject('demo', oid)
  const chunks: Uint8Array[] = []
  for await (const chunk of object?.read(0, object.size) ?? []) chunks.push(chunk)
  await object?.close()
  assert.ok(content.equals(Buffer.concat(chunks)))
  return offset
}

function checkGit(directory: string): void {
  const { status, output } = git(join(directory, 'demo.git'), ['fsck', '--strict', '--no-dangling'])
  assert.deepEqual([status, output.match(/missing|corrupt|error|bad/)], [0, null], output)
}

/** Opens a copy, as the next server does. */
async function openCopy(context: TestContext, directory: string): Promise<GitStore> {
  const store = await GitStore.open(directory)
  context.after(() => store.close())
  return store
}

async function checkPoint(context: TestContext, point: CrashPoint, expected: { isAnswered: boolean; size?: number }) {
  const { directory } = point
  const store = await openCopy(context, directory)
  const state = await store.uploadState('demo', 'one')
  const [there] = await store.hasObjects('demo', [oid])
  if (state?.blob) assert.deepEqual([there?.size, state.blob.oid], [content.length, oid])
  if (expected.isAnswered) {
    assert.ok(state?.blob)
    const isOfUse = (path: string) => (path.startsWith('~uploads/') ? path.endsWith('record') : isMissed(path))
    assert.deepEqual(point.account.list(directory, isOfUse), [], 'not synced')
  }
  assert.equal(await complete(store, expected.size), state?.offset ?? 0)
  const left = (await readdir(directory, { recursive: true })).filter((name) => /incoming|content|\.new$/.test(name))
  assert.deepEqual(left, [], 'unfinished files')
  await store.close()
  checkGit(directory)
}

for (const size of [content.length, undefined]) {
  test(`killed at any point of an upload of ${size ?? 'unknown'} bytes, the next server goes on with it`, async (context) => {
    const { directory, copies, store } = await prepared(context)
    const points = await crashPointsOf({ directory, copies }, () => complete(store, size))
    await store.close()
    assert.ok(points.length > 20, `${points.length}`)
    for (const point of points) {
      const isAnswered = point === points.at(-1)
      await context.test(point.label, (inner) => checkPoint(inner, point, { isAnswered, ...(size && { size }) }))
    }
  })
}

test('without power, an upload goes on where it is known to be on disk', async (context) => {
  const { directory, copies, store } = await prepared(context)
  const first = await store.openUpload('demo', 'one', undefined)
  await first.write(content.subarray(0, 300_000))
  await first.release()
  const second = await store.openUpload('demo', 'one', undefined)
  assert.equal(second.offset, 300_000)
  await second.write(content.subarray(300_000))
  const copy = join(copies, 'copy')
  await cp(directory, copy, { recursive: true })
  await second.release()
  await rm(join(copy, 'server.lock'))
  const [name = ''] = await readdir(join(copy, '~uploads'))
  const upload = join(copy, '~uploads', name)
  assert.ok((await stat(join(upload, 'content'))).size > 500_000)
  const record = await readFile(join(upload, 'record'), 'utf8')
  await writeFile(join(upload, 'record'), record.replaceAll(/"boot":"[^"]+"/g, '"boot":"before"'))
  const next = await openCopy(context, copy)
  assert.equal((await next.uploadState('demo', 'one'))?.offset, 300_000)
  assert.equal(await complete(next), 300_000)
})

for (const [kind, name] of [
  ['write', 'content'],
  ['write', 'record'],
  ['sync', 'content'],
  ['sync', 'record'],
  ['sync', 'pack'],
  ['rename', '.idx']
] as const) {
  test(`where a ${kind} of ${name} fails, nothing is acknowledged, and the upload goes on with what is held`, async (context) => {
    const { directory, store } = await prepared(context)
    const faults = await failing(context, directory, (one) => one.kind === kind && one.path.endsWith(name))
    const writer = await store.openUpload('demo', 'one', content.length)
    await writer.write(content.subarray(0, 600_000))
    faults.isOn = true
    const rest = async () => {
      await writer.write(content.subarray(600_000))
      await writer.finish(untold)
    }
    await assert.rejects(rest(), storage)
    await writer.release().catch((error) => assert.equal(error.reason, 'storage'))
    if (name === 'pack') await assert.rejects(complete(store, content.length), storage)
    faults.isOn = false
    const held = (await store.uploadState('demo', 'one'))?.offset
    if (kind === 'sync' && name === 'content') assert.equal(held, 0, 'the system may have dropped all of it')
    else assert.ok(held !== undefined && held >= 600_000 - bufferBytes, String(held))
    assert.equal(await complete(store, content.length), held)
    await store.close()
    checkGit(directory)
  })
}

test('one write that fails among others is not passed over', async (context) => {
  const { directory, store } = await prepared(context)
  const faults = await failing(context, directory, ({ kind, path }) => {
    const isHit = kind === 'write' && path.endsWith('content')
    if (isHit) faults.isOn = false
    return isHit
  })
  const writer = await store.openUpload('demo', 'one', undefined)
  faults.isOn = true
  await assert.rejects(async () => {
    await writer.write(content)
    await writer.finish(untold)
  }, storage)
  await writer.release().catch(() => undefined)
  await complete(store)
})

test('an upload goes with its repository, also where another one has its name', async (context) => {
  const { directory, store } = await prepared(context)
  const writer = await store.openUpload('demo', 'one', undefined)
  await writer.write(content)
  await writer.release()
  await store.close()
  await rm(join(directory, 'demo.git'), { recursive: true })
  const next = await openCopy(context, directory)
  await next.createRepository('demo', 'sha1')
  assert.equal(await next.uploadState('demo', 'one'), undefined)
  assert.deepEqual(readdirSync(join(directory, '~uploads')), [])
  assert.equal(await complete(next), 0)
})

test('a large upload is synced on its way, and its checksums are made beside it', async (context) => {
  const { directory, store } = await prepared(context)
  // The second sync waits for the first.
  const large = Buffer.alloc(36_000_000, content)
  for (const size of [large.length, undefined]) {
    const id = `large-${size}`
    const writer = await store.openUpload('demo', id, size)
    large.write(id)
    for (let at = 0; at < large.length; at += 500_000) await writer.write(large.subarray(at, at + 500_000))
    const uploads = readdirSync(join(directory, '~uploads')).map((name) => join(directory, '~uploads', name, 'record'))
    const records = await Promise.all(uploads.map((path) => readFile(path, 'utf8')))
    const record = records.find((text) => text.includes(id)) ?? ''
    const synced = Number(/"synced":(\d+)/.exec(record)?.[1])
    assert.ok(synced >= 16 * 2 ** 20 && synced <= large.length, record)
    assert.equal((await writer.finish(untold)).oid, hashObject('blob', large, 'sha1'))
    await writer.release()
  }
  await store.close()
  checkGit(directory)
})

test('a repository on another file system gets a copy of the pack', async (context) => {
  const { directory, store } = await prepared(context)
  const faults = await failing(context, directory, (one) => one.kind === 'link' && one.path.endsWith('content'))
  faults.isOn = true
  assert.equal(await complete(store), 0)
  await store.close()
  checkGit(directory)
})

test('killed when the pack is in its place and that is not noted: the upload is complete, and its pack stays as it is', async (context) => {
  const { directory, store } = await prepared(context)
  const packs = join(directory, 'demo.git', 'objects', 'pack')
  const isThere = () => readdirSync(packs).some((name) => name.endsWith('.idx'))
  const isNote = ({ kind, path }: FileOperation) => kind === 'write' && path.endsWith('record') && isThere()
  const faults = await failing(context, directory, isNote)
  faults.isOn = true
  const writer = await store.openUpload('demo', 'one', undefined)
  await writer.write(content)
  await assert.rejects(writer.finish(untold), storage)
  faults.isOn = false
  await writer.release()
  await store.close()
  const next = await openCopy(context, directory)
  const opened = await next.openUpload('demo', 'one', undefined)
  assert.deepEqual(opened.blob, { oid, size: content.length })
  await opened.release()
  assert.deepEqual(readdirSync(join(directory, '~uploads'), { recursive: true }).length, 2, 'the content is gone')
  await next.close()
  checkGit(directory)
})

test('a short write is gone on with, a full disk is told, and the offset is right', async (context) => {
  const { directory, store } = await prepared(context)
  const handle = await open(directory)
  const prototype = Object.getPrototypeOf(handle) as { write: (...args: unknown[]) => Promise<unknown> }
  await handle.close()
  const { write } = prototype
  let isFull = false
  context.mock.method(
    prototype,
    'write',
    function (this: unknown, bytes: Uint8Array, at: number, length: number, position: number) {
      if (isFull && length > 100_000) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      return write.call(this, bytes, at, length > 100_000 ? length - 70_000 : length, position)
    }
  )
  const writer = await store.openUpload('demo', 'one', undefined)
  await writer.write(content.subarray(0, 300_000))
  isFull = true
  const rest = async () => {
    for (let at = 300_000; at < content.length; at += 100_000) await writer.write(content.subarray(at, at + 100_000))
    await writer.finish(untold)
  }
  await assert.rejects(rest(), storage)
  await writer.release().catch(() => undefined)
  isFull = false
  const held = (await store.uploadState('demo', 'one'))?.offset ?? 0
  assert.ok(held > 0 && held <= 400_000, String(held))
  assert.equal(await complete(store), held)
  await store.close()
  checkGit(directory)
})
