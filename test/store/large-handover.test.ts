/** The file of an upload on its way into the repository: from then on it is a pack, and must stay as it is. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import type { FileOperation } from '../support/file-operations.ts'
import { failing } from './failing.ts'
import { git, openGitStore } from './support.ts'

const untold = { oid: undefined, sha256: undefined }
const storage = { code: 'unavailable', reason: 'storage' }
const content = randomBytes(700_001)

async function newStore(context: TestContext) {
  const { store, directory } = await openGitStore(context, { housekeeping: false })
  await store.createRepository('demo', 'sha1')
  return { store, directory }
}

function checkGit(directory: string): void {
  const { status, output } = git(join(directory, 'demo.git'), ['fsck', '--strict', '--no-dangling'])
  assert.deepEqual([status, output.match(/missing|corrupt|error|bad/)], [0, null], output)
}

for (const size of [6, 5.5].map((groups) => groups * 128 * 1024)) {
  test(`a pack of ${size} bytes that is in its place stays as it is when its upload is let go`, async (context) => {
    const { directory, store } = await newStore(context)
    const isInPlace = ({ kind, path }: FileOperation) => kind === 'sync' && path.endsWith('objects/pack')
    const faults = await failing(context, directory, isInPlace)
    faults.isOn = true
    const writer = await store.openUpload('demo', 'one', undefined)
    await writer.write(Buffer.alloc(size, content))
    await assert.rejects(writer.finish(untold), storage)
    faults.isOn = false
    await writer.release()
    checkGit(directory)
    await store.close()
  })
}

test('a file with a second name is never written to, whatever its record has lost with the power', async (context) => {
  const { directory, store } = await newStore(context)
  const isNote = ({ kind, path }: FileOperation) => kind === 'write' && path.endsWith('record')
  let notes = 0
  const faults = await failing(context, directory, (one) => isNote(one) && ++notes === 3)
  faults.isOn = true
  const writer = await store.openUpload('demo', 'one', content.length)
  await writer.write(content)
  await assert.rejects(writer.finish(untold), storage)
  faults.isOn = false
  await writer.release()
  await store.close()
  const [upload = ''] = readdirSync(join(directory, '~uploads'))
  const record = join(directory, '~uploads', upload, 'record')
  const [beginning = ''] = (await readFile(record, 'utf8')).split('\n')
  await writeFile(record, `${beginning}\n{"boot":"another"}\n`)
  const next = await GitStore.open(directory)
  const opened = await next.openUpload('demo', 'one', content.length)
  checkGit(directory)
  await opened.write(content.subarray(0, 300_000))
  await opened.release()
  checkGit(directory)
  await next.close()
})

test('an upload that cannot be opened has no file open', { skip: !existsSync('/proc/self/fd') }, async (context) => {
  const { directory, store } = await newStore(context)
  const openFiles = () => readdirSync('/proc/self/fd').length
  for (const isHit of [
    ({ kind, path }: FileOperation) => kind === 'write' && path.endsWith('record'),
    ({ kind, path }: FileOperation) => kind === 'write' && path.endsWith('content')
  ]) {
    const faults = await failing(context, directory, isHit)
    faults.isOn = true
    const before = openFiles()
    await assert.rejects(store.openUpload('demo', 'one', content.length), storage)
    assert.equal(openFiles(), before)
    faults.isOn = false
  }
})

test('an upload that cannot be read keeps no other one', async (context) => {
  const { directory, store } = await newStore(context)
  await mkdir(join(directory, '~uploads', 'damaged', 'record'), { recursive: true })
  for (const [name, text] of Object.entries({ foreign: '{"id":"x"}\n', empty: '', lines: 'null\n7\n' })) {
    await mkdir(join(directory, '~uploads', name))
    await writeFile(join(directory, '~uploads', name, 'record'), text)
  }
  const writer = await store.openUpload('demo', 'one', 5)
  await writer.write(Buffer.from('12345'))
  assert.equal((await writer.finish(untold)).size, 5)
  await writer.release()
  assert.equal((await store.uploadState('demo', 'one'))?.offset, 5)
})
