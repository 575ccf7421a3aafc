/**
 * `npm run soak:large-git -- [--mebibytes N] [--directory D]`: blobs of so much and a byte (4096 MiB, whose size and
 * positions need more than 32 bits) in the Git store, with `git` as judge: their oids are those of `git hash-object`, of
 * known and unknown size; `git fsck`, `verify-pack`, `repack -ad` and `cat-file` take them, and ranges behind 4 GiB of the
 * joined pack are read. Tells how fast a blob is written and read, and where the time goes. Ends with 1 where anything is
 * wrong. Takes three times the room on disk.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { GitStore } from '../server-fixture/store/git/git-store.ts'
import { adler32 } from '../server-fixture/store/git/large/adler32.ts'
import { openPackedBlob } from '../server-fixture/store/git/large/packed-blob.ts'

const { values } = parseArgs({
  options: { mebibytes: { type: 'string', default: '4096' }, directory: { type: 'string', default: tmpdir() } }
})
const mebibyte = 2 ** 20
const chunkBytes = 256 * 1024
const size = Number(values.mebibytes) * mebibyte + 1
const directory = mkdtempSync(join(values.directory, 'blobwire-large-'))
const gitDir = join(directory, 'demo.git')
const packs = join(gitDir, 'objects', 'pack')
const untold = { oid: undefined, sha256: undefined }
const wrong: string[] = []
const check = (isRight: boolean, said: string) => isRight || wrong.push(said)

/** Mostly zeros; the first four bytes of each chunk tell its number and which content it is of. The same buffer each time. */
function* chunksOf(content: number): Iterable<Buffer> {
  const chunk = Buffer.alloc(chunkBytes)
  for (let at = 0; at < size; at += chunkBytes) {
    chunk.writeUInt32LE(at / chunkBytes + content * 2 ** 24, 0)
    yield chunk.subarray(0, Math.min(chunkBytes, size - at))
  }
}

async function git(command: readonly string[], chunks: Iterable<Uint8Array> = []): Promise<string> {
  const child = spawn('git', [`--git-dir=${gitDir}`, ...command], { stdio: ['pipe', 'pipe', 'inherit'] })
  const output: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes))
  const closed = once(child, 'close')
  for (const chunk of chunks) if (!child.stdin.write(Buffer.from(chunk))) await once(child.stdin, 'drain')
  child.stdin.end()
  const [status] = await closed
  check(status === 0, `git ${command.join(' ')} ended with ${status}`)
  return Buffer.concat(output).toString().trim()
}

/** How fast some work on `bytes` is, in MiB/s, with the seconds of the processor that it takes. */
async function measure(what: string, work: () => Promise<unknown>): Promise<void> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const cpuSeconds = `${(user / 1e6).toFixed(1)} s + ${(system / 1e6).toFixed(1)} s of the processor`
  console.log(`${what}: ${seconds.toFixed(1)} s, ${(size / mebibyte / seconds).toFixed(0)} MiB/s, ${cpuSeconds}`)
}

async function upload(store: GitStore, content: number, known: number | undefined): Promise<string> {
  const writer = await store.openUpload('demo', `content-${content}`, known)
  await measure(`written, ${known === undefined ? 'unknown' : 'known'} size`, async () => {
    for (const chunk of chunksOf(content)) await (writer.write(chunk) ?? turn())
  })
  let oid = ''
  await measure('finished', async () => {
    oid = (await writer.finish(untold)).oid
  })
  await writer.release()
  return oid
}

async function read(store: GitStore, oid: string, content: number): Promise<void> {
  const object = await store.openObject('demo', oid)
  check(object?.size === size, `the size of ${oid}`)
  await measure('read', async () => {
    let bytes = 0
    const expected = chunksOf(content)[Symbol.iterator]()
    for await (const chunk of object?.read(0, size) ?? []) {
      bytes += chunk.length
      const { value } = expected.next()
      if (value === undefined || !value.equals(chunk)) wrong.push(`other bytes of ${oid} before ${bytes}`)
    }
    check(bytes === size, `${bytes} bytes of ${oid}`)
  })
  await object?.close()
}

/** The last chunk of the blob in the pack into which git has copied it. */
async function readEnd(oid: string, content: number): Promise<void> {
  const object = await openPackedBlob(packs, oid, 'sha1')
  const found: Uint8Array[] = []
  const start = size - 1 - chunkBytes
  for await (const chunk of object?.read(start, start + chunkBytes) ?? []) found.push(chunk)
  await object?.close()
  const expected = Buffer.alloc(chunkBytes)
  expected.writeUInt32LE(start / chunkBytes + content * 2 ** 24, 0)
  check(expected.equals(Buffer.concat(found)), `a range at the end of ${oid}`)
}

/** The parts of writing, each alone and in memory. */
function measureParts(): void {
  const bytes = Buffer.alloc(4 * mebibyte, 'abc')
  const parts: Record<string, () => unknown> = {
    'SHA-1 (of the object; of the pack)': () => createHash('sha1').update(bytes).digest(),
    'SHA-256 (unknown size)': () => createHash('sha256').update(bytes).digest(),
    'CRC-32 (of groups; of the pack)': () => crc32(bytes),
    'Adler-32': () => adler32(bytes, 1)
  }
  for (const [what, part] of Object.entries(parts)) {
    part()
    const start = performance.now()
    for (let count = 0; count < 16; count++) part()
    console.log(`${what}: ${(64_000 / (performance.now() - start)).toFixed(0)} MiB/s`)
  }
}

try {
  measureParts()
  const store = await GitStore.open(directory, { housekeeping: false })
  await store.createRepository('demo', 'sha1')
  const oids = [await upload(store, 0, size), await upload(store, 1, undefined)]
  for (const [content, oid] of oids.entries()) {
    await read(store, oid, content)
    const judged = await git(['hash-object', '--stdin'], chunksOf(content))
    check(judged === oid, `${oid} should be ${judged}`)
  }
  for (const name of readdirSync(packs)) if (name.endsWith('.pack')) await git(['verify-pack', join(packs, name)])
  for (const name of readdirSync(packs)) if (name.endsWith('.keep')) await rm(join(packs, name))
  await git(['update-ref', '--no-deref', 'refs/tags/one', oids[0] ?? ''])
  await git(['update-ref', '--no-deref', 'refs/tags/two', oids[1] ?? ''])
  // Smaller blobs than 512 MiB would become deltas of each other.
  await git(['-c', 'core.bigFileThreshold=1m', 'repack', '-adq'])
  check(readdirSync(packs).filter((name) => name.endsWith('.pack')).length === 1, 'repack -ad left more than one pack')
  for (const [content, oid] of oids.entries()) await readEnd(oid, content)
  await git(['fsck', '--strict', '--no-dangling'])
  await store.close()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
for (const problem of wrong) console.error(`wrong: ${problem}`)
process.exitCode = wrong.length > 0 ? 1 : 0
