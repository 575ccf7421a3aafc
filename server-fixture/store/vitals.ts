/** Facts about a store for metrics and health. */
import { randomUUID } from 'node:crypto'
import { readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Histogram } from '../metrics/histogram.ts'
import type { DatabaseFigures, UploadFigures } from '../metrics/snapshot.ts'

/** Durations of the steps of a store that take long. */
export class StoreSteps {
  /** A pack was written, indexed and synced. */
  readonly pack: Histogram = new Histogram()
  /** A transaction moved refs. */
  readonly refs: Histogram = new Histogram()
  /** Records of the journal were written and synced. */
  readonly journal: Histogram = new Histogram()

  /** Does the work, whose time counts where it succeeds. */
  async timed<T>(step: 'pack' | 'refs' | 'journal', work: () => Promise<T>): Promise<T> {
    const startMs = performance.now()
    const result = await work()
    this[step].observe(performance.now() - startMs)
    return result
  }
}

/** The room on a disk. */
export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** What a store tells of itself. */
export interface StoreVitals {
  readonly steps: Readonly<Record<string, Histogram>>
  uploads(): UploadFigures
  /** Absent = the store has no database. */
  readonly database?: () => DatabaseFigures
  /** Writes a few bytes where objects are kept, and reads them. Rejects where that fails. */
  check(): Promise<void>
  /** Undefined = the store is on no disk of this machine. */
  diskSpace(): Promise<DiskSpace | undefined>
}

/** The vitals of a store in memory. */
export function memoryVitals(uploads: () => UploadFigures): StoreVitals {
  return { steps: {}, uploads, check: async () => undefined, diskSpace: async () => undefined }
}

/** Name of the file in a data directory that the check writes. */
const checkName = '~health'

/** The vitals of a store in a directory. */
export class DirectoryVitals implements StoreVitals {
  readonly steps: Readonly<Record<string, Histogram>>
  readonly uploads: () => UploadFigures
  readonly #directory: string

  constructor(directory: string, { steps, uploads }: Pick<StoreVitals, 'uploads'> & { readonly steps: StoreSteps }) {
    this.#directory = directory
    this.steps = { pack: steps.pack, refs: steps.refs, journal: steps.journal }
    this.uploads = uploads
  }

  async check(): Promise<void> {
    const path = join(this.#directory, checkName)
    const written = randomUUID()
    try {
      await writeFile(path, written)
      if ((await readFile(path, 'utf8')) !== written) throw new Error('other bytes were read than were written')
    } finally {
      await rm(path, { force: true })
    }
  }

  async diskSpace(): Promise<DiskSpace> {
    const { bavail, blocks, bsize } = await statfs(this.#directory)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }
}
