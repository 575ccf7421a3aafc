/** The functions of src/platform on Node. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as asyncScopeOnNode from '../../src/platform/async-scope.ts'
import * as bytes from '../../src/platform/bytes.ts'
import * as configurationOnNode from '../../src/platform/configuration.ts'
import type { ConfigurationFunctions } from '../../src/platform/configuration-functions.ts'
import * as diagnosticsOnNode from '../../src/platform/diagnostics.ts'
import * as filesOnNode from '../../src/platform/files.ts'
import * as hash from '../../src/platform/hash.ts'
import * as histogram from '../../src/platform/histogram.ts'
import type { AsyncScopeFunctions, DiagnosticsFunctions, WarningFunctions } from '../../src/platform/observing.ts'
import type { FileFunctions, ProcessFunctions } from '../../src/platform/platform.ts'
import * as processHoldOnNode from '../../src/platform/process-hold.ts'
import * as random from '../../src/platform/random.ts'
import * as schedule from '../../src/platform/schedule.ts'
import * as warningsOnNode from '../../src/platform/warnings.ts'
import * as zlib from '../../src/platform/zlib.ts'
import { functionTests, type Platform } from './function-tests.ts'

const { absolutePath, environment, readText, readTextNow }: ConfigurationFunctions = configurationOnNode
const { openFile }: FileFunctions = filesOnNode
const { abandonAfterWork, beginWork, endWork }: ProcessFunctions = processHoldOnNode
const { newAsyncScope }: AsyncScopeFunctions = asyncScopeOnNode
const { channels, isCallChannelSubscribed }: DiagnosticsFunctions = diagnosticsOnNode
const { emitWarning }: WarningFunctions = warningsOnNode

const platform: Platform = { bytes, ...hash, ...histogram, ...random, ...schedule, ...zlib }
for (const [name, check] of Object.entries(functionTests)) test(name, () => check(platform))

test('small bodies are compressed at once', () => {
  for (const format of zlib.compressors) {
    const compressed = zlib.compress(format, new Uint8Array(16 * 1024))
    assert.ok(compressed instanceof Uint8Array)
    assert.ok(zlib.decompress(compressed, { format, maxBytes: 16 * 1024 }) instanceof Uint8Array)
  }
})

test('work holds the process, however much of it there is', () => {
  const holds = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = holds()
  beginWork()
  beginWork()
  endWork()
  assert.equal(holds(), before + 1)
  endWork()
  assert.equal(holds(), before)
})

test('what is pending while there is work, or while the process has other things to do, is not abandoned', async () => {
  let looks = 0
  const isPending = () => ++looks > 0
  const forget = abandonAfterWork({ isPending, abandon: () => assert.fail('abandoned') })
  beginWork()
  endWork()
  // A timer that holds the process.
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (looks < 2) return
      clearInterval(timer)
      resolve()
    }, 10)
  })
  forget()
})

test('a file is read at any place, is told from what it was before, and a directory is none', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-files-'))
  context.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'a file')
  await writeFile(path, 'content')
  const file = await openFile(path)
  assert.equal(file.size, 7)
  assert.equal(Buffer.from(await file.read(4, 3)).toString(), 'tent')
  assert.equal((await file.read(4, 7)).length, 0)
  await file.close()
  const same = await openFile(pathToFileURL(path))
  assert.deepEqual([same.identity, /^[0-9a-z-]+$/.test(same.identity)], [file.identity, true])
  await same.close()
  await writeFile(path, 'another')
  await utimes(path, 1, 1)
  const other = await openFile(path)
  assert.notEqual(other.identity, file.identity)
  await other.close()
  await assert.rejects(openFile(directory), { code: 'EISDIR' })
  await assert.rejects(openFile(join(directory, 'none')), { code: 'ENOENT' })
})

test('a warning reaches the process with its cause', async () => {
  const warned = once(process, 'warning')
  emitWarning('an observer threw', new Error('its cause'))
  const [warning] = (await warned) as [Error & { detail: string }]
  assert.equal(warning.name, 'BlobwireWarning')
  assert.match(warning.detail, /its cause/)
})

test('files of a configuration are found beside it, and read at once or later', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-platform-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'token')
  await writeFile(file, 'é')
  assert.equal(absolutePath('token', join(directory, 'blobwire.yaml')), file)
  assert.equal(absolutePath(pathToFileURL(file)), file)
  assert.equal(absolutePath('a'), join(process.cwd(), 'a'))
  assert.deepEqual([readTextNow(file), await readText(file)], ['é', 'é'])
  assert.equal(environment()['PATH'], process.env['PATH'])
})

test('a channel that somebody has subscribed to is told of, until nobody has', () => {
  assert.equal(isCallChannelSubscribed(), false)
  const messages: unknown[] = []
  const listener = (message: unknown) => messages.push(message)
  subscribe('blobwire:call:end', listener)
  assert.equal(isCallChannelSubscribed(), true)
  channels.callEnd.publish({ call: 1 })
  unsubscribe('blobwire:call:end', listener)
  assert.equal(isCallChannelSubscribed(), false)
  assert.deepEqual(messages, [{ call: 1 }])
})

test('a scope has the asynchronous work that its function begins, and no other', async () => {
  const scope = newAsyncScope()
  const later = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return scope.isWithin()
  }
  assert.deepEqual(await Promise.all([scope.run(later), later()]), [true, false])
})
