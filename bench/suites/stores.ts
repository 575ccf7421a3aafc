/** The suite of durable stores: what each writes and reads, in the same run. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Repository } from '../../src/index.ts'
import { copyDependencyTree } from '../contenders/dependency-tree.ts'
import { postgresStore, type StoreBench, type StoreKind, stores } from '../contenders/stores.ts'
import { checkOid, contents } from '../measure/load.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

const author = { name: 'Bench', email: 'bench@example.org' }
const zero = '0'.repeat(40)
const sizeBytes = 50
const readBlobs = 10_000

/** Prepares the repository; the result makes one call of the writer with this number, and is checked. */
type Work = (repository: Repository) => Promise<(writer: number) => Promise<unknown>>

interface Load {
  readonly name: string
  readonly writers: number
  readonly work: Work
}

const storeBlobs: Work = async (repository) => {
  const content = contents(sizeBytes)
  return async () => {
    const blob = content()
    checkOid((await repository.storeBlob(blob)).oid, blob)
  }
}

const getBlobs: Work = async (repository) => {
  const content = contents(sizeBytes)
  const blobs = Array.from({ length: readBlobs }, content)
  const stored = await Promise.all(blobs.map((blob) => repository.storeBlob(blob)))
  let next = 0
  return async () => {
    const { oid } = stored[next++ % readBlobs] as { oid: string }
    checkOid(oid, (await repository.getBlob(oid)).content)
  }
}

/** Each writer has a branch of its own; with one writer it is `main`. */
const commitFiles: Work = async (repository) => {
  const content = contents(sizeBytes)
  let next = 0
  return async (writer) => {
    const changes = { [`d${next % 20}/f${next++ % 400}`]: content() }
    const { oid } = await repository.commitFiles({ branch: `b${writer}`, changes, message: 'Bench\n', author })
    if (oid.length !== 40) throw new Error(`${oid} is no oid`)
  }
}

/** Compare-and-swaps of a ref for each writer, to and fro between two commits. */
const moveRefs: Work = async (repository) => {
  const commit = async (text: string) => {
    const changes = { a: text }
    return (await repository.commitFiles({ branch: 'targets', changes, message: 'Bench\n', author })).oid
  }
  const targets = [await commit('a'), await commit('b')]
  const moved: { at: string; times: number }[] = []
  return async (writer) => {
    moved[writer] ??= { at: zero, times: 0 }
    const ref = moved[writer] as { at: string; times: number }
    const newOid = targets[ref.times++ % 2] as string
    await repository.updateRefs([{ name: `refs/heads/w${writer}`, expectedOid: ref.at, newOid }])
    ref.at = newOid
  }
}

const loads: readonly Load[] = [
  { name: `storeBlob of ${sizeBytes} B, 100 writers`, writers: 100, work: storeBlobs },
  { name: 'updateRefs, 100 writers of a ref each', writers: 100, work: moveRefs },
  { name: 'commitFiles of one file, 50 branches at once', writers: 50, work: commitFiles },
  { name: 'commitFiles of one file, one writer', writers: 1, work: commitFiles },
  { name: `getBlob of ${sizeBytes} B, 100 readers`, writers: 100, work: getBlobs }
]

function driven(
  name: string,
  open: () => Promise<StoreBench>,
  { writers, work, unit }: Load & { unit: 'calls/s' | 'ms' }
): Contender {
  return {
    name,
    async open() {
      const { repository, close } = await open()
      const call = await work(repository)
      return {
        async run(durationMs) {
          const start = performance.now()
          let calls = 0
          const write = async (writer: number) => {
            for (; performance.now() < start + durationMs; calls++) await call(writer)
          }
          await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
          const ms = performance.now() - start
          return unit === 'ms' ? (ms * writers) / calls : (calls * 1000) / ms
        },
        close
      }
    }
  }
}

const suite = 'stores'
const kinds = Object.keys(stores) as StoreKind[]

const rates = (load: Load): Scenario => ({
  suite,
  name: `${load.name}, durable`,
  unit: 'calls/s',
  better: 'more',
  baseline: 'Git store, before',
  contenders: kinds.map((kind) => driven(kind, stores[kind], { ...load, unit: 'calls/s' }))
})

/** Latency of a commit where the database is elsewhere. */
const farDatabase: Scenario = {
  suite,
  name: 'commitFiles of one file, one writer, 5 ms added between server and database',
  unit: 'ms',
  better: 'less',
  baseline: 'PostgreSQL store',
  contenders: [0, 5].map((addedMs) => {
    const name = addedMs === 0 ? 'PostgreSQL store' : `PostgreSQL store, ${addedMs} ms away`
    return driven(name, () => postgresStore(addedMs), { name, writers: 1, work: commitFiles, unit: 'ms' })
  })
}

/** A dependency tree is committed once, and measured as often as there are rounds. */
const disk: Scenario = {
  suite,
  name: 'disk of a dependency tree',
  unit: 'MiB',
  better: 'less',
  baseline: 'Git store',
  contenders: kinds.slice(1).map((kind) => ({
    name: kind,
    async open() {
      const { repository, bytesOnDisk, close } = await stores[kind]()
      const tree = await copyDependencyTree()
      const read = async (path: string) => [path, await readFile(join(tree.directory, path))] as const
      const changes = Object.fromEntries(await Promise.all(tree.files.map(({ path }) => read(path))))
      await repository.commitFiles({ branch: 'main', changes, message: 'all dependencies\n', author })
      await tree[Symbol.asyncDispose]()
      return { run: async () => (await bytesOnDisk()) / 2 ** 20, close }
    }
  }))
}

/** Beside the Git store as it was before keys: what exactness costs, and what the database gains. */
export const storesSuite: Suite = {
  name: suite,
  about: 'The Git store as it was before request keys, as it is, and the PostgreSQL store: writes, reads, disk.',
  scenarios: ({ quick }) => [...loads.map(rates), farDatabase, ...(quick ? [] : [disk])]
}
