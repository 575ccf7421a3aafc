/**
 * `npm run soak:transfers -- [PART …] [--mebibytes N] [--seed N]`: large blobs where they hurt. `giant`: 4 GiB and a byte up
 * and down, the oid against `git hash-object`, the growth of client and server in memory. `limited`: 2 GiB through a server
 * with 150 MB. `cuts`: 256 MiB up and down while the connection is cut 20 times and the server is killed once. All over
 * each transport, on the Git store. Ends with 1 where a bound does not hold.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { contentChunks, contentOid } from '../bench/contenders/stream-content.ts'
import { seededRandom } from '../server-fixture/faults/random.ts'
import { type ServerProcess, startServerProcess, startServerThrough } from '../server-fixture/process.ts'
import { createClient, type Repository } from '../src/index.ts'
import { startTcpProxy } from '../tcp-proxy/tcp-proxy.ts'
import { memoryLimit, peakMegabytes } from './bombs/memory-limit.ts'
import { resetPeak } from './transfers/peak.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Of each content, instead of its own size. */
    mebibytes: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    transport: { type: 'string', multiple: true, default: ['msgpack', 'json', 'grpc'] }
  }
})
const mebibyte = 2 ** 20
const maxGrowthMegabytes = 64
const limitedMegabytes = 150
const cuts = 20
/** Beyond what was in flight at each cut, which is a stream's window at most. */
const maxSentTwice = 0.05
const windowBytes = 8 * mebibyte
type Transport = 'msgpack' | 'json' | 'grpc'
const transports = values.transport as Transport[]
const wrong: string[] = []
const directory = mkdtempSync(join(tmpdir(), 'blobwire-transfers-'))
const bytesOf = (mebibytes: number) => Number(values.mebibytes ?? mebibytes) * mebibyte

function clientOf(transport: Transport, { http, grpc }: Pick<ServerProcess, 'http' | 'grpc'>) {
  const endpoint = transport === 'grpc' ? `grpc://${grpc.host}` : http.origin
  return createClient({ endpoint, transport, retry: { maxAttempts: 10 } })
}

async function* content(size: number): AsyncGenerator<Uint8Array, void> {
  yield* contentChunks(size, mebibyte / 4)
}

/** The judge of oids. */
async function gitOid(size: number): Promise<string> {
  const git = spawn('git', ['hash-object', '--stdin'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answered = once(git.stdout, 'data')
  for (const chunk of contentChunks(size, mebibyte)) if (!git.stdin.write(chunk)) await once(git.stdin, 'drain')
  git.stdin.end()
  return String((await answered)[0]).trim()
}

async function upload(repository: Repository, size: number, oid: string): Promise<number> {
  const start = performance.now()
  const stored = await repository.upload(() => content(size), { size })
  if (stored.oid !== oid || stored.size !== size) wrong.push(`stored as ${stored.oid}, ${stored.size} bytes`)
  return size / mebibyte / ((performance.now() - start) / 1000)
}

/** The client checks the oid; compared here is every byte. */
async function download(repository: Repository, size: number, oid: string): Promise<number> {
  const start = performance.now()
  const expected = contentChunks(size, mebibyte)
  let [left, at] = [Buffer.alloc(0) as Buffer, 0]
  for await (const chunk of repository.download(oid)) {
    for (let from = 0; from < chunk.length; ) {
      if (left.length === 0) left = (expected.next().value as Buffer | undefined) ?? Buffer.alloc(0)
      const length = Math.min(left.length, chunk.length - from)
      if (length === 0 || Buffer.compare(left.subarray(0, length), chunk.subarray(from, from + length)) !== 0) {
        throw new Error(`other bytes at ${at + from}`)
      }
      left = left.subarray(length)
      from += length
    }
    at += chunk.length
  }
  if (at !== size) wrong.push(`${at} bytes came instead of ${size}`)
  return size / mebibyte / ((performance.now() - start) / 1000)
}

function tell(what: string, rates: readonly number[], more: string): void {
  const [up = 0, down = 0] = rates.map(Math.round)
  console.log(`${what}: ${up} MiB/s up, ${down} MiB/s down; ${more}`)
}

/** Growth is counted from a first small transfer on: what the code itself takes is no growth. */
async function giant(): Promise<void> {
  const size = bytesOf(4096) + 1
  const oid = await gitOid(size)
  for (const transport of transports) {
    const server = await startServerProcess('--store', 'git', '--data', join(directory, `giant-${transport}`))
    const client = clientOf(transport, server)
    await client.createRepository('soak')
    const repository = client.repository('soak')
    const warm = 32 * mebibyte
    await upload(repository, warm, contentOid(warm))
    await download(repository, warm, contentOid(warm))
    const pids = [process.pid, server.pid]
    pids.forEach(resetPeak)
    const before = pids.map(peakMegabytes)
    const rates = [await upload(repository, size, oid), await download(repository, size, oid)]
    const [mine = 0, its = 0] = pids.map((pid, index) => peakMegabytes(pid) - (before[index] as number))
    tell(`${size} bytes, ${transport}, oid as git's`, rates, `growth of the client ${mine} MB, of the server ${its} MB`)
    if (Math.max(mine, its) > maxGrowthMegabytes) wrong.push(`${transport}: grew by ${mine} and ${its} MB`)
    await client.close()
    await server.stop()
    rmSync(join(directory, `giant-${transport}`), { recursive: true })
  }
}

async function limited(): Promise<void> {
  const size = bytesOf(2048)
  for (const transport of transports) {
    const data = join(directory, `limited-${transport}`)
    const limit = memoryLimit(limitedMegabytes * 1e6)
    const server = await startServerThrough(limit.command, ['--store', 'git', '--data', data])
    const client = clientOf(transport, server)
    await client.createRepository('soak')
    const repository = client.repository('soak')
    const oid = contentOid(size)
    const rates = [await upload(repository, size, oid), await download(repository, size, oid)]
    tell(`${size} bytes, ${transport}, ${limit.description}`, rates, `peak ${peakMegabytes(server.pid)} MB`)
    await client.close()
    await server.stop()
    limit.remove()
    rmSync(data, { recursive: true })
  }
}

async function cut(): Promise<void> {
  const size = bytesOf(256)
  const random = seededRandom(Number(values.seed))
  for (const transport of transports) {
    const flags = ['--store', 'git', '--data', join(directory, `cuts-${transport}`)]
    let server = await startServerProcess(...flags)
    const target = () => (transport === 'grpc' ? server.grpc : server.http).href
    const proxy = await startTcpProxy(target())
    const address = new URL(`http://127.0.0.1:${proxy.port}`)
    const client = clientOf(transport, { http: address, grpc: address })
    await client.createRepository('soak')
    const repository = client.repository('soak')
    const oid = contentOid(size)
    const rates: number[] = []
    for (const direction of ['up', 'down'] as const) {
      const passed = () => (direction === 'up' ? proxy.bytesToServer : proxy.bytesToClient)
      const before = passed()
      const places = Array.from({ length: cuts }, () => Math.floor(random() * size)).sort((a, b) => a - b)
      const killedAt = places[cuts >> 1]
      let ended = false
      let made = 0
      const cutting = (async () => {
        let last = 0
        for (const place of places) {
          // What is sent again counts as passed: cuts without a byte between them would be one.
          while (!ended && passed() - before < Math.max(place, last + mebibyte)) await sleep(1)
          last = passed() - before
          if (ended) return
          if (place === killedAt) {
            await server.kill()
            server = await startServerProcess(...flags)
            proxy.target = target()
          }
          proxy.reset()
          made++
        }
      })()
      rates.push(await (direction === 'up' ? upload : download)(repository, size, oid))
      ended = true
      await cutting
      const again = passed() - before - size
      const eachMebibytes = (again / cuts / mebibyte).toFixed(1)
      const percent = ((again / size) * 100).toFixed(1)
      console.log(
        `${direction}, ${transport}: ${made} cuts, ${percent} % sent twice: ${eachMebibytes} MiB for each cut`
      )
      if (made < cuts) wrong.push(`${direction}, ${transport}: only ${made} cuts`)
      if (again - cuts * windowBytes > maxSentTwice * size)
        wrong.push(`${direction}, ${transport}: ${percent} % sent twice`)
    }
    tell(`${size} bytes with cuts, ${transport}`, rates, 'every byte as it was')
    await client.close()
    await proxy[Symbol.asyncDispose]()
    await server.stop()
  }
}

const parts = { giant, limited, cuts: cut }
type Part = keyof typeof parts
const unknown = positionals.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0)
  throw new Error(`there is no part ${unknown.join(', ')}; parts: ${Object.keys(parts).join(', ')}`)
console.log(`seed ${values.seed}`)
try {
  for (const name of (positionals.length > 0 ? positionals : Object.keys(parts)) as Part[]) await parts[name]()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
for (const problem of wrong) console.error(`WRONG: ${problem}`)
process.exitCode = wrong.length > 0 ? 1 : 0
