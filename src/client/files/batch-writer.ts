/** Writes small files in batches, on threads of their own. */
import { oidFormat } from '../../git/oid.ts'
import type { ContentOfFiles, FileBatch, FileFailure, FileThreads, NewFileKind } from '../../platform/platform.ts'
import type { FileToWrite } from './compare-files.ts'
import { RunningWrites } from './running-writes.ts'
import type { WantedDirectory } from './wanted-tree.ts'

/** Contents of one batch, and its files, about. */
const batchBytes = 1024 * 1024
const batchFiles = 256
/** Each is open until the batch is written. */
const batchDirectories = 64
/** Batches that wait for a thread: each thread has one, and one that comes next. */
const maxBatches = 4

/** A content, and the files that are to have it. */
interface Write {
  readonly oid: string
  /** Of the content, in bytes. */
  readonly size: number
  readonly bytes: Uint8Array
  /** The bytes are a zlib stream of the content. */
  readonly isDeflated: boolean
  readonly files: readonly FileToWrite[]
}

interface BatchWriterOptions {
  readonly threads: FileThreads
  /** Of the directory that is checked out into; see `Directory`. */
  readonly base: string
  /** Whether contents are held against their oids. */
  readonly verify: boolean
  readonly onWritten: (size: number) => void
  /** Makes the error of a file that could not be written; without an error, its content is not that of its oid. */
  readonly failed: (file: FileToWrite, error: Error | undefined) => Error
}

export class BatchWriter {
  readonly #options: BatchWriterOptions
  readonly #running = new RunningWrites(maxBatches)
  #writes: Write[] = []
  #bytes = 0
  #files = 0
  readonly #directories = new Set<WantedDirectory>()

  constructor(options: BatchWriterOptions) {
    this.#options = options
  }

  /** Takes a content; resolves when there is room for another. @throws BlobwireError of an earlier one */
  async add(write: Write): Promise<void> {
    this.#writes.push(write)
    this.#bytes += write.bytes.length
    this.#files += write.files.length
    for (const { directory } of write.files) this.#directories.add(directory)
    const isFull = this.#bytes >= batchBytes || this.#files >= batchFiles || this.#directories.size >= batchDirectories
    if (isFull) await this.#flush()
  }

  /** Resolves when all that was taken is written. @throws BlobwireError */
  async end(): Promise<void> {
    await this.#flush()
    await this.#running.ended
    this.#running.throwFailure()
  }

  /** Resolves when nothing is being written. What was taken and has not begun is left out. */
  get stopped(): Promise<void> {
    return this.#running.ended
  }

  async #flush(): Promise<void> {
    const writes = this.#writes
    this.#writes = []
    this.#bytes = 0
    this.#files = 0
    this.#directories.clear()
    if (writes.length > 0) await this.#running.add(() => this.#write(writes))
  }

  async #write(writes: readonly Write[]): Promise<void> {
    const { base, threads } = this.#options
    const directories = new DirectoryTable()
    const contents = writes.map((write) => this.#content(write, directories))
    this.#report(writes, await threads.write({ base, directories: directories.rows, contents }))
  }

  #content({ oid, size, bytes, isDeflated, files }: Write, directories: DirectoryTable): ContentOfFiles {
    return {
      bytes,
      inflatedBytes: isDeflated ? size : undefined,
      hash: this.#options.verify ? { algorithm: oidFormat(oid), header: `blob ${size}\0`, digest: oid } : undefined,
      files: files.map(({ name, mode, directory }) => ({
        directory: directories.index(directory),
        name,
        kind: kindOf(mode)
      }))
    }
  }

  #report(writes: readonly Write[], failure: FileFailure | undefined): void {
    const { onWritten, failed } = this.#options
    for (const [content, { size, files }] of writes.entries()) {
      for (const [index, file] of files.entries()) {
        if (failure?.content === content && failure.file === index) throw failed(file, failure.error)
        onWritten(size)
      }
    }
  }
}

function kindOf(mode: string): NewFileKind {
  if (mode === '120000') return 'link'
  return mode === '100755' ? 'executable' : 'file'
}

/** The directories of a batch, each behind the one that it is in. */
class DirectoryTable {
  readonly rows: FileBatch['directories'][number][] = []
  readonly #indexes = new Map<WantedDirectory, number>()

  index(wanted: WantedDirectory): number {
    if (wanted.above === undefined) return -1
    const found = this.#indexes.get(wanted)
    if (found !== undefined) return found
    const { name, isNew } = wanted
    const index = this.rows.push({ above: this.index(wanted.above), name, isNew }) - 1
    this.#indexes.set(wanted, index)
    return index
  }
}
