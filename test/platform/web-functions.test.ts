/** The functions of src/platform/web, which run on Node, too: they do as their interfaces say, and as those of Node do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as bytesOnNode from '../../src/platform/bytes.ts'
import type { ConfigurationFunctions } from '../../src/platform/configuration-functions.ts'
import * as hashOnNode from '../../src/platform/hash.ts'
import * as histogramOnNode from '../../src/platform/histogram.ts'
import type { AsyncScopeFunctions, DiagnosticsFunctions, WarningFunctions } from '../../src/platform/observing.ts'
import type {
  ArchiveFunctions,
  ByteFunctions,
  DirectoryFunctions,
  FileFunctions,
  FileThreadFunctions,
  MachineFunctions,
  NewFileFunctions,
  ProcessFunctions,
  StreamFunctions
} from '../../src/platform/platform.ts'
import * as archivesOnTheWeb from '../../src/platform/web/archives.ts'
import * as asyncScopeOnTheWeb from '../../src/platform/web/async-scope.ts'
import * as bytesOnTheWeb from '../../src/platform/web/bytes.ts'
import * as configurationOnTheWeb from '../../src/platform/web/configuration.ts'
import * as diagnosticsOnTheWeb from '../../src/platform/web/diagnostics.ts'
import * as directoriesOnTheWeb from '../../src/platform/web/directories.ts'
import * as fileThreadsOnTheWeb from '../../src/platform/web/file-threads.ts'
import * as filesOnTheWeb from '../../src/platform/web/files.ts'
import * as hash from '../../src/platform/web/hash.ts'
import * as histogram from '../../src/platform/web/histogram.ts'
import * as machineOnTheWeb from '../../src/platform/web/machine.ts'
import * as newFileOnTheWeb from '../../src/platform/web/new-file.ts'
import * as processHoldOnTheWeb from '../../src/platform/web/process-hold.ts'
import * as random from '../../src/platform/web/random.ts'
import * as schedule from '../../src/platform/web/schedule.ts'
import * as streamsOnTheWeb from '../../src/platform/web/streams.ts'
import * as warningsOnTheWeb from '../../src/platform/web/warnings.ts'
import * as zlib from '../../src/platform/web/zlib.ts'
import { functionTests, type Platform } from './function-tests.ts'

const bytes: ByteFunctions = bytesOnTheWeb
const { gzipChunks, zipChunks }: ArchiveFunctions = archivesOnTheWeb
const { newAsyncScope }: AsyncScopeFunctions = asyncScopeOnTheWeb
const configuration: ConfigurationFunctions = configurationOnTheWeb
const { channels, isCallChannelSubscribed }: DiagnosticsFunctions = diagnosticsOnTheWeb
const { openDirectory, fileNameProblem }: DirectoryFunctions = directoriesOnTheWeb
const { openFileThreads }: FileThreadFunctions = fileThreadsOnTheWeb
const { openFile, fileSize }: FileFunctions = filesOnTheWeb
const { machineMark }: MachineFunctions = machineOnTheWeb
const { createFile }: NewFileFunctions = newFileOnTheWeb
const { abandonAfterWork, beginWork, endWork }: ProcessFunctions = processHoldOnTheWeb
const { nodeStream }: StreamFunctions = streamsOnTheWeb
const { emitWarning }: WarningFunctions = warningsOnTheWeb

const platform: Platform = { bytes, ...hash, ...histogram, ...random, ...schedule, ...zlib }
for (const [name, check] of Object.entries(functionTests)) test(`on the web, ${name}`, () => check(platform))

/** Numbers that are the same in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const some = numbers(7)
/** Units of all lengths, surrogates that are alone among them. */
const units = ['a', '\0', '\x7f', '\x80', 'é', '\u07ff', '\u0800', '漢', '\ufeff', '\ufffd', '😀', '\ud800', '\udfff']
const someText = () => Array.from({ length: some(80) }, () => units[some(units.length)]).join('')
const someBytes = (mostBytes = 80) => Uint8Array.from({ length: some(mostBytes) }, () => some(256))

test('what the web makes of bytes and texts is what Node makes of them', () => {
  const node = bytesOnNode
  for (let round = 0; round < 2000; round++) {
    const text = someText()
    const encoded = node.encodeUtf8(text)
    assert.equal(bytes.utf8Length(text), node.utf8Length(text), JSON.stringify(text))
    assert.deepEqual(bytes.encodeUtf8(text), new Uint8Array(encoded))
    const target = bytes.allocate(encoded.length + 1)
    assert.equal(bytes.writeUtf8(target, text, 1), encoded.length)
    assert.deepEqual([...target.subarray(1)], [...encoded])

    const plain = someBytes()
    const [web, native] = [bytes.toNative(plain), node.toNative(plain)]
    const [from, to] = [some(plain.length + 1), some(plain.length + 1)].sort((left, right) => left - right)
    for (const name of ['decodeUtf8', 'decodeLatin1', 'encodeHex'] as const) {
      assert.equal(bytes[name](web, from, to), node[name](native, from, to), `${name} of ${plain}`)
    }
    assert.equal(bytes.isUtf8(plain), node.isUtf8(plain), String(plain))
    assert.equal(bytes.encodeBase64(plain), node.encodeBase64(plain))
    const other = someBytes(4)
    assert.equal(Math.sign(bytes.compare(plain, other)), Math.sign(node.compare(plain, other)))
    const digits = Array.from({ length: some(9) }, () => 'AZaz09+/-_= \n€'[some(14)]).join('')
    assert.deepEqual(bytes.decodeBase64(digits), node.decodeBase64(digits), JSON.stringify(digits))
  }
})

test('bytes of a Buffer, which some runtimes have, are never shared where a copy is meant', () => {
  const given = bytes.toNative(Buffer.from([0, 1, 2, 3]))
  const copy = bytes.copyRange(given, 1, 3)
  assert.equal(Object.getPrototypeOf(bytes.toUint8Array(given)), Uint8Array.prototype)
  given.fill(9)
  assert.deepEqual([...copy], [1, 2])
  assert.deepEqual([...bytes.ownBytes(bytes.concat([given]).subarray(1))], [9, 9, 9])
  const piece = new Uint8Array(200_000).subarray(0, 150_000)
  assert.equal(bytes.ownBytes(piece).buffer, piece.buffer)
  const small = new Uint8Array(60_000).subarray(0, 40_000)
  assert.notEqual(bytes.ownBytes(small).buffer, small.buffer)
})

test('hashes, and percentiles, are those of Node', () => {
  const [own, nodes] = [histogram.newHistogram(), histogramOnNode.newHistogram()]
  for (let round = 0; round < 300; round++) {
    const content = someBytes(300)
    for (const algorithm of ['sha1', 'sha256'] as const) {
      assert.equal(
        hash.hashHex(algorithm, `blob ${content.length}\0`, content),
        hashOnNode.hashHex(algorithm, `blob ${content.length}\0`, content)
      )
    }
    const value = 1 + some(10 ** (1 + some(9)))
    own.record(value)
    nodes.record(value)
  }
  assert.equal(own.count, nodes.count)
  for (const percent of [1, 50, 90, 99, 99.9, 100]) {
    const [found, expected] = [own.percentile(percent), nodes.percentile(percent)]
    assert.ok(Math.abs(found / expected - 1) < 0.002, `${found} for ${expected} at ${percent}`)
  }
  assert.ok(Math.abs(own.mean / nodes.mean - 1) < 0.002)
})

test('a body is not inflated beyond the limit, and one that nobody waits for not at all', async () => {
  const bomb = await zlib.compress('gzip', new Uint8Array(1024 * 1024))
  await assert.rejects(async () => zlib.decompress(bomb, { format: 'gzip', maxBytes: 1000 }), RangeError)
  await assert.rejects(async () => zlib.decompress(bomb, { format: 'zstd', maxBytes: 1000 }), /no zstd/)
  const unwanted = { format: 'gzip', maxBytes: 1e9, isWanted: () => false } as const
  await assert.rejects(async () => zlib.decompress(bomb, unwanted), /nobody waits/)
})

test('deflate is read with the header of zlib and without', async () => {
  const content = new TextEncoder().encode('content '.repeat(100))
  for (const format of ['deflate', 'deflate-raw'] as const) {
    const stream = new Blob([content]).stream().pipeThrough(new CompressionStream(format))
    const compressed = new Uint8Array(await new Response(stream).arrayBuffer())
    assert.deepEqual(await zlib.decompress(compressed, { format, maxBytes: 800 }), content)
  }
})

test('callbacks by messages keep their order, each in a turn of its own', async () => {
  const { later, close } = schedule.laterByMessages()
  const order: string[] = []
  await new Promise<void>((resolve) => {
    later(() => {
      order.push('first')
      void Promise.resolve().then(() => order.push('its promise'))
    })
    later(() => {
      order.push('second')
      resolve()
    })
  })
  close()
  assert.deepEqual(order, ['first', 'its promise', 'second'])
})

test('work holds the process, and a timer alone does not', () => {
  const holds = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = holds()
  const cancel = schedule.startTimer(60_000, () => undefined)
  assert.equal(holds(), before)
  cancel()
  for (let round = 0; round < 2; round++) {
    beginWork()
    beginWork()
    endWork()
    assert.equal(holds(), before + 1)
    endWork()
    assert.equal(holds(), before)
  }
  abandonAfterWork({ isPending: () => true, abandon: () => assert.fail('abandoned') })()
})

test('a scope has what happens while its function is under way, however it ends', async () => {
  const scope = newAsyncScope()
  assert.equal(scope.isWithin(), false)
  assert.equal(
    scope.run(() => scope.isWithin()),
    true
  )
  assert.throws(() => scope.run(() => assert.fail('its error')), /its error/)
  assert.equal(scope.isWithin(), false)
  const pending = Promise.withResolvers<void>()
  const running = scope.run(() => pending.promise)
  assert.equal(scope.isWithin(), true)
  pending.reject(new Error('later'))
  await assert.rejects(running, /later/)
  assert.equal(scope.isWithin(), false)
})

test('gzip of chunks is one member; an archive that is not read to its end returns its source', async () => {
  const returned: string[] = []
  async function* chunks() {
    try {
      for (let chunk = 0; chunk < 20; chunk++) yield new Uint8Array(100_000).fill(chunk)
    } finally {
      returned.push('returned')
    }
  }
  const pieces: Uint8Array[] = []
  for await (const piece of gzipChunks(chunks())) pieces.push(piece)
  const content = await zlib.decompress(bytes.concat(pieces), { format: 'gzip', maxBytes: 1e8 })
  assert.deepEqual([content.length, content[150_000]], [2_000_000, 1])
  for await (const _ of gzipChunks(chunks())) break
  assert.deepEqual(returned, ['returned', 'returned'])
  async function* failing() {
    yield new Uint8Array(1)
    throw new Error('its source')
  }
  await assert.rejects(async () => {
    for await (const _ of gzipChunks(failing())) void _
  }, /its source/)
})

test('what only Node has is refused with what to do instead', async () => {
  await assert.rejects(openFile('a'), /only on Node; give a File or Blob/)
  await assert.rejects(fileSize('a'), /only on Node/)
  await assert.rejects(createFile('a'), /only on Node; read the download as a stream/)
  await assert.rejects(openDirectory('a', { make: true }), /only on Node; archive\(\)/)
  await assert.rejects(configuration.readText('a'), /only on Node; give what is in the file/)
  await assert.rejects(async () => zipChunks(noMembers()).next(), /choose tar.gz or tar/)
  assert.throws(() => configuration.readTextNow('a'), /only on Node/)
  assert.throws(() => nodeStream(noMembers()), /use stream\(\)/)
  assert.equal(await openFileThreads(), undefined)
  assert.equal(fileNameProblem('a\\b'), undefined)
})

async function* noMembers(): AsyncGenerator<never> {}

test('the rest is there, and says nothing', (context) => {
  assert.equal(machineMark(), '')
  assert.equal(configuration.environment()['PATH'], process.env['PATH'])
  assert.equal(configuration.absolutePath({ href: 'file:///a' }), 'file:///a')
  assert.equal(isCallChannelSubscribed() || channels.event.hasSubscribers, false)
  channels.callEnd.publish({})
  const warn = context.mock.method(console, 'warn', () => undefined)
  emitWarning('an observer threw', new Error('its cause'))
  assert.match(String(warn.mock.calls[0]?.arguments), /an observer threw,Error: its cause/)
})
