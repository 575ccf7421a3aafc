/** The suite of durable stores: what each writes and reads, in the same run. */
import type { Repository } from '../../src/index.ts'
import { type StoreKind, stores } from '../contenders/stores.ts'
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

function driven(kind: StoreKind, { writers, work }: Load): Contender {
  return {
    name: kind,
    async open() {
      const { repository, close } = await stores[kind]()
      const call = await work(repository)
      return {
        async run(durationMs) {
          const start = performance.now()
          let calls = 0
          const write = async (writer: number) => {
            for (; performance.now() < start + durationMs; calls++) await call(writer)
          }
          await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
          return (calls * 1000) / (performance.now() - start)
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
  contenders: kinds.map((kind) => driven(kind, load))
})

/** Beside the Git store as it was before keys: what exactness costs, and what the database gains. */
export const storesSuite: Suite = {
  name: suite,
  about: 'The Git store as it was before request keys, as it is, and the PostgreSQL store: writes and reads.',
  scenarios: () => loads.map(rates)
}
