/**
 * How many small blobs a second become durable in a Git repository: through the Git store, whose concurrent writers
 * share packs; the whole way from a client, one by one and in batches; and by one `git hash-object -w` for each blob. Rounds of both take turns; medians are compared; in the
 * end git itself is asked for every oid that was acknowledged.
 *
 *     node bench/git-store.ts [--seconds 4] [--writers 100] [--size 50] [--rounds 3] [--packs-in-flight 1]
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BlobDriver, openHashObjectDriver, openServiceDriver, openStoreDriver, runGit } from './blob-drivers.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    writers: { type: 'string', default: '100' },
    size: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    'packs-in-flight': { type: 'string', default: '1' }
  }
})
const seconds = Number(values.seconds)
const writers = Number(values.writers)
const sizeBytes = Number(values.size)
const rounds = Number(values.rounds)
const warmUpMs = 500

/** Stores distinct blobs from all writers for a while; adds their oids to `acknowledged`; returns blobs a second. */
async function measure(driver: BlobDriver, durationMs: number, acknowledged: string[]): Promise<number> {
  const start = performance.now()
  const end = start + durationMs
  let stored = 0
  async function write(): Promise<void> {
    while (performance.now() < end) {
      const contents = Array.from({ length: driver.blobsPerCall }, () => randomBytes(sizeBytes))
      acknowledged.push(...(await driver.store(contents)))
      stored += contents.length
    }
  }
  await Promise.all(Array.from({ length: Math.min(writers, driver.maxConcurrent) }, write))
  return (stored * 1000) / (performance.now() - start)
}

/** @throws an Error if git does not know every oid as a blob of the right size */
async function verify(driver: BlobDriver, acknowledged: readonly string[]): Promise<void> {
  const answer = await runGit(
    [`--git-dir=${driver.gitDir}`, 'cat-file', '--batch-check'],
    `${acknowledged.join('\n')}\n`
  )
  const expected = acknowledged.map((oid) => `${oid} blob ${sizeBytes}\n`).join('')
  if (answer !== expected) throw new Error(`${driver.name}: git does not know every blob that was acknowledged`)
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

function report(driver: BlobDriver, rates: readonly number[], found: { count: number; ratio: number }): void {
  const concurrent = Math.min(writers, driver.maxConcurrent)
  const spread = `${Math.min(...rates).toFixed(0)}-${Math.max(...rates).toFixed(0)}`
  process.stdout.write(
    `${driver.name.padEnd(20)} ${median(rates).toFixed(0).padStart(7)} blobs/s (${spread}), ${found.ratio.toFixed(1)}x, ` +
      `${concurrent} calls at a time, ${found.count} acknowledged and found by git\n`
  )
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const drivers = [
    await openStoreDriver(join(directory, 'store'), { packsInFlight: Number(values['packs-in-flight']) }),
    await openServiceDriver(join(directory, 'service'), 1),
    await openServiceDriver(join(directory, 'batches'), 20),
    await openHashObjectDriver(join(directory, 'plain'))
  ]
  try {
    const runs = drivers.map((driver) => ({ driver, rates: [] as number[], acknowledged: [] as string[] }))
    for (const { driver, acknowledged } of runs) await measure(driver, warmUpMs, acknowledged)
    for (let round = 0; round < rounds; round++) {
      for (const run of runs) run.rates.push(await measure(run.driver, seconds * 1000, run.acknowledged))
    }
    process.stdout.write(`durable blobs of ${sizeBytes} B, ${writers} writers, ${rounds} rounds of ${seconds} s each\n`)
    const plain = median(runs.at(-1)?.rates ?? [])
    for (const { driver, rates, acknowledged } of runs) {
      await verify(driver, acknowledged)
      report(driver, rates, { count: acknowledged.length, ratio: median(rates) / plain })
    }
  } finally {
    for (const driver of drivers) await driver.close()
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
