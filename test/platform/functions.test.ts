/** The functions of src/platform do what their interfaces say. Another runtime's files are to pass the same tests. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as asyncScopeOnNode from '../../src/platform/async-scope.ts'
import * as bytesOnNode from '../../src/platform/bytes.ts'
import * as configurationOnNode from '../../src/platform/configuration.ts'
import type { ConfigurationFunctions } from '../../src/platform/configuration-functions.ts'
import * as diagnosticsOnNode from '../../src/platform/diagnostics.ts'
import * as filesOnNode from '../../src/platform/files.ts'
import * as hashOnNode from '../../src/platform/hash.ts'
import * as histogramOnNode from '../../src/platform/histogram.ts'
import type { AsyncScopeFunctions, DiagnosticsFunctions, WarningFunctions } from '../../src/platform/observing.ts'
import type {
  ByteFunctions,
  FileFunctions,
  HashFunctions,
  HistogramFunctions,
  ProcessFunctions,
  RandomFunctions,
  ScheduleFunctions,
  ZlibFunctions
} from '../../src/platform/platform.ts'
import * as processHoldOnNode from '../../src/platform/process-hold.ts'
import * as randomOnNode from '../../src/platform/random.ts'
import * as scheduleOnNode from '../../src/platform/schedule.ts'
import * as warningsOnNode from '../../src/platform/warnings.ts'
import * as zlibOnNode from '../../src/platform/zlib.ts'

const bytes: ByteFunctions = bytesOnNode
const { absolutePath, environment, readText, readTextNow }: ConfigurationFunctions = configurationOnNode
const { openFile }: FileFunctions = filesOnNode
const { hashHex, newHash }: HashFunctions = hashOnNode
const { newHistogram }: HistogramFunctions = histogramOnNode
const { abandonAfterWork, beginWork, endWork }: ProcessFunctions = processHoldOnNode
const { afterInput, afterReady, startTimer }: ScheduleFunctions = scheduleOnNode
const { randomBytes }: RandomFunctions = randomOnNode
const { newAsyncScope }: AsyncScopeFunctions = asyncScopeOnNode
const { channels, isCallChannelSubscribed }: DiagnosticsFunctions = diagnosticsOnNode
const { emitWarning }: WarningFunctions = warningsOnNode
const { compress, compressors, decompress }: ZlibFunctions = zlibOnNode

const texts = ['', 'a', 'é', '漢字', '😀', '\ufeffmark', 'a\0b', 'x'.repeat(5000), 'é'.repeat(5000)]

test('text becomes the UTF-8 of TextEncoder, and text again', () => {
  for (const text of texts) {
    const expected = new TextEncoder().encode(text)
    assert.equal(bytes.utf8Length(text), expected.length)
    assert.deepEqual(bytes.toUint8Array(bytes.encodeUtf8(text)), expected)
    const target = bytes.allocate(expected.length + 3)
    assert.equal(bytes.writeUtf8(target, text, 2), expected.length)
    assert.equal(bytes.decodeUtf8(target, 2, expected.length + 2), text)
    assert.equal(bytes.decodeUtf8(bytes.toNative(expected)), text)
    assert.ok(bytes.isUtf8(expected))
  }
  assert.equal(bytes.decodeUtf8(bytes.toNative(Uint8Array.of(0x61, 0xff))), 'a\ufffd')
  assert.ok(!bytes.isUtf8(Uint8Array.of(0xc3)))
})

test('every byte has one character in latin1, two in hex, and its place in base64', () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const native = bytes.toNative(all)
  assert.equal(bytes.decodeLatin1(native), String.fromCharCode(...all))
  assert.equal(bytes.decodeLatin1(native, 65, 67), 'AB')
  assert.equal(bytes.encodeHex(native, 9, 11), '090a')
  assert.deepEqual([...bytes.decodeHex(bytes.encodeHex(native))], [...all])
  for (let length = 0; length < 8; length++) {
    const padded = btoa(String.fromCharCode(...all.subarray(0xf8, 0xf8 + length)))
    assert.equal(bytes.encodeBase64(all.subarray(0xf8, 0xf8 + length)), padded)
    for (const text of [padded, padded.replace(/=+$/, ''), padded.replaceAll('+', '-').replaceAll('/', '_')]) {
      assert.deepEqual(bytes.decodeBase64(text), all.slice(0xf8, 0xf8 + length), text)
    }
  }
  for (const text of ['A', 'AAAAA', 'AA==AA', 'A A=', 'AA\n=', '€AAA', '====']) {
    assert.equal(bytes.decodeBase64(text), undefined, JSON.stringify(text))
  }
})

test('native and plain bytes share their memory; copies do not', () => {
  const plain = Uint8Array.of(0, 1, 2, 3, 4).subarray(1)
  const native = bytes.toNative(plain)
  assert.equal(bytes.toNative(native), native)
  assert.equal(bytes.toUint8Array(plain), plain)
  assert.equal(Object.getPrototypeOf(bytes.toUint8Array(native)), Uint8Array.prototype)
  const copies = [bytes.copyRange(native, 1, 3), bytes.concat([plain.subarray(1, 2), native.subarray(2, 3)])]
  plain[1] = 9
  assert.deepEqual([...native, ...bytes.toUint8Array(native)], [1, 9, 3, 4, 1, 9, 3, 4])
  for (const copy of copies) assert.deepEqual([...copy], [2, 3])
})

test('bytes are ordered as memcmp orders them, the shorter first', () => {
  const ordered = [[], [0], [0, 0], [1], [1, 0xff], [0x80], [0xff]].map((list) => Uint8Array.from(list))
  for (const [at, left] of ordered.entries()) {
    for (const [place, right] of ordered.entries()) {
      assert.equal(Math.sign(bytes.compare(left, right)), Math.sign(at - place))
    }
  }
})

test('header and content are hashed as one, whatever their size', async () => {
  for (const length of [0, 1, 4096, 4097, 100_000]) {
    const content = new Uint8Array(length).fill(0xe9)
    const header = `blob ${length}\0`
    for (const [algorithm, name] of [
      ['sha1', 'SHA-1'],
      ['sha256', 'SHA-256']
    ] as const) {
      const digest = await crypto.subtle.digest(
        name,
        bytes.toUint8Array(bytes.concat([bytes.encodeUtf8(header), content])).slice()
      )
      const expected = bytes.encodeHex(bytes.toNative(new Uint8Array(digest)))
      assert.equal(hashHex(algorithm, header, content), expected, `${length} bytes`)
      const pieces = newHash(algorithm)
      pieces.update(bytes.encodeUtf8(header))
      for (let at = 0; at < length; at += 1000) pieces.update(content.subarray(at, at + 1000))
      assert.equal(bytes.encodeHex(bytes.toNative(pieces.digest())), expected, `${length} bytes in pieces`)
    }
  }
})

test('each compressor and back, small at once and large by a promise, never beyond the limit', async () => {
  const magic = { gzip: [0x1f, 0x8b, 8, 0], zstd: [0x28, 0xb5, 0x2f, 0xfd] }
  for (const format of compressors) {
    for (const length of [0, 1000, 1_000_000]) {
      const content = Uint8Array.from({ length }, (_, at) => (at * at) >> 7)
      const compressed = await compress(format, content)
      assert.deepEqual([...compressed.subarray(0, 4)], magic[format])
      const back = await decompress(compressed, { format, maxBytes: length || 1 })
      assert.deepEqual(bytes.toUint8Array(back), content)
      assert.equal(compress(format, content) instanceof Promise, length > 16 * 1024)
      if (length > 1)
        await assert.rejects(async () => decompress(compressed, { format, maxBytes: length - 1 }), RangeError)
      // Node 22 takes a truncated frame of zstd for a complete one; `zstdFrames` finds those.
      if (format === 'zstd') continue
      await assert.rejects(
        async () => decompress(compressed.subarray(0, -1), { format, maxBytes: length || 1 }),
        (error) => !(error instanceof RangeError)
      )
    }
  }
})

test('what is ready runs before afterReady, and that before afterInput', async () => {
  const order: string[] = []
  const chain = async () => {
    for (let step = 0; step < 5; step++) await undefined
    order.push('promises')
  }
  await new Promise<void>((resolve) => {
    afterInput(() => {
      order.push('afterInput')
      resolve()
    })
    afterReady(() => order.push('afterReady'))
    process.nextTick(() => order.push('ticks'))
    void chain()
  })
  assert.deepEqual(order.slice(0, 2).sort(), ['promises', 'ticks'])
  assert.deepEqual(order.slice(2), ['afterReady', 'afterInput'])
})

test('a timer calls back once, unless it is cancelled', async () => {
  const cancelled = startTimer(0, () => assert.fail('it was cancelled'))
  cancelled()
  // Timers do not keep the process running.
  const hold = setInterval(() => undefined, 1000)
  await new Promise<void>((resolve) => startTimer(1, resolve))
  clearInterval(hold)
})

test('a histogram is exact to three figures', () => {
  const histogram = newHistogram()
  assert.equal(histogram.count, 0)
  for (let value = 1; value <= 1000; value++) histogram.record(value * 100)
  const { count, mean, max } = histogram
  assert.equal(count, 1000)
  for (const [found, expected] of [
    [mean, 50_050],
    [max, 100_000],
    [histogram.percentile(50), 50_000],
    [histogram.percentile(99), 99_000]
  ] as const) {
    assert.ok(Math.abs(found / expected - 1) < 0.002, `${found} for ${expected}`)
  }
})

test('random bytes are as many as asked for, their own memory, and others each time', () => {
  const keys = Array.from({ length: 1000 }, () => randomBytes(16))
  assert.ok(keys.every((key) => key.length === 16 && key.buffer.byteLength === 16))
  assert.equal(new Set(keys.map((key) => bytes.encodeHex(bytes.toNative(key)))).size, 1000)
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
