/** The suite of durable storage in Git repositories. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlobDriver,
  openHashObjectDriver,
  openServiceDriver,
  openStoreDriver,
  runGit
} from '../contenders/git-drivers.ts'
import { contents } from '../measure/load.ts'
import type { Contender, Suite } from '../measure/scenario.ts'

const writers = 100
const sizeBytes = 50

/** At the end, git itself verifies that every acknowledged oid is stored. */
function storing(name: string, open: (directory: string) => Promise<BlobDriver>): Contender {
  return {
    name,
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const driver = await open(directory)
      const acknowledged: string[] = []
      const content = contents(sizeBytes)
      return {
        facts: () => ({ 'found by git': acknowledged.length }),
        run: (durationMs) => store(driver, content, { durationMs, acknowledged }),
        async close() {
          await verify(driver, acknowledged)
          await driver.close()
          await rm(directory, { recursive: true, force: true })
        }
      }
    }
  }
}

async function store(
  driver: BlobDriver,
  content: () => Uint8Array,
  { durationMs, acknowledged }: { durationMs: number; acknowledged: string[] }
): Promise<number> {
  const start = performance.now()
  let stored = 0
  const write = async () => {
    while (performance.now() < start + durationMs) {
      acknowledged.push(...(await driver.store(Array.from({ length: driver.blobsPerCall }, content))))
      stored += driver.blobsPerCall
    }
  }
  await Promise.all(Array.from({ length: Math.min(writers, driver.maxConcurrent) }, write))
  return (stored * 1000) / (performance.now() - start)
}

/** @throws an Error if git does not know every oid as a blob of the right size */
async function verify(driver: BlobDriver, acknowledged: readonly string[]): Promise<void> {
  const list = `${acknowledged.join('\n')}\n`
  const answer = await runGit([`--git-dir=${driver.gitDir}`, 'cat-file', '--batch-check'], list)
  const expected = acknowledged.map((oid) => `${oid} blob ${sizeBytes}\n`).join('')
  if (answer !== expected) throw new Error('git does not know every blob that was acknowledged')
}

/** Durable small blobs; each counts only once its pack is on the disk. */
export const gitStore: Suite = {
  name: 'git-store',
  about: 'Durable blobs of 50 B in a Git repository, 100 writers, beside one `git hash-object -w` for each.',
  scenarios: () => [
    {
      suite: 'git-store',
      name: 'durable blobs of 50 B, 100 writers',
      unit: 'calls/s',
      better: 'more',
      baseline: 'git hash-object -w',
      contenders: [
        storing('the Git store alone', (directory) => openStoreDriver(join(directory, 'store'))),
        storing('client, storeBlob', (directory) => openServiceDriver(directory, 1)),
        storing('client, batches of 20', (directory) => openServiceDriver(directory, 20)),
        storing('git hash-object -w', (directory) => openHashObjectDriver(directory))
      ]
    }
  ]
}
