/** Removes and writes what differs between a directory and a tree. */
import type { CallOptions } from '../../call/call-options.ts'
import { asBlobwireError, BlobwireError } from '../../core/error.ts'
import { isDotGit } from '../../git/dot-names.ts'
import { showPath, textForRules } from '../../git/raw-path.ts'
import { openFileThreads } from '../../platform/file-threads.ts'
import type { Directory, DirectoryItem, FileThreads } from '../../platform/platform.ts'
import type { RepositoryCalls } from '../calls.ts'
import { integrityError } from '../verify/integrity.ts'
import { BatchWriter } from './batch-writer.ts'
import type { Differences, EntryToRemove, FileToWrite } from './compare-files.ts'
import { type Content, ContentReader } from './content-reader.ts'
import { readLargeFile } from './large-file.ts'
import type { OpenDirectories } from './open-directories.ts'
import { RunningWrites } from './running-writes.ts'

/** Several more than Node's thread pool has threads, so that each finds work. */
const maxWrites = 16
/** Fewer files are written sooner than threads are started. */
const threadedFromFiles = 500

interface FileWriterOptions {
  readonly calls: RepositoryCalls
  readonly directories: OpenDirectories
  /** For each request. */
  readonly options: () => CallOptions
  /** Called for each file that is written, with its size. */
  readonly onWritten: (size: number) => void
}

/** Carries out the differences, and counts. */
export class FileWriter {
  readonly #options: FileWriterOptions
  written = 0
  removed = 0
  bytes = 0

  constructor(options: FileWriterOptions) {
    this.#options = options
  }

  /** Removals come first: they make room, and way. @throws BlobwireError */
  async run({ toRemove, toSetMode, toWrite }: Differences): Promise<void> {
    for (const entry of toRemove) await this.#remove(entry)
    const writes = new RunningWrites(maxWrites)
    try {
      for (const file of toSetMode) await writes.add(() => this.#setMode(file))
      await this.#writeAll(toWrite, writes)
    } finally {
      // No file is half-written when the call has failed.
      await writes.ended
    }
    writes.throwFailure()
  }

  /** Each content is read once, however many files have it. */
  async #writeAll(toWrite: readonly FileToWrite[], writes: RunningWrites): Promise<void> {
    const filesOf = new Map<string, FileToWrite[]>()
    for (const file of toWrite) {
      const others = filesOf.get(file.oid)
      if (others === undefined) filesOf.set(file.oid, [file])
      else others.push(file)
    }
    const threads = toWrite.length >= threadedFromFiles ? await openFileThreads() : undefined
    const batches = threads && this.#batchWriter(threads)
    try {
      const { calls } = this.#options
      // The threads inflate and verify.
      const verify = calls.invoker.options.verify && batches === undefined
      const acceptDeflated = batches !== undefined
      const oids = [...filesOf.keys()]
      let index = 0
      for await (const content of new ContentReader(oids, { ...this.#options, verify, acceptDeflated }).contents()) {
        const oid = oids[index++] as string
        const { bytes } = content
        const files = filesOf.get(oid) ?? []
        if (batches && bytes) await batches.add({ ...content, bytes, oid, files })
        else for (const file of files) await writes.add(() => this.#write(file, content))
      }
      await batches?.end()
    } finally {
      await batches?.stopped
      await threads?.close()
    }
  }

  #batchWriter(threads: FileThreads): BatchWriter {
    const { calls, directories } = this.#options
    return new BatchWriter({
      threads,
      base: directories.base,
      verify: calls.invoker.options.verify,
      onWritten: (size) => this.#count(size),
      failed: ({ path, oid }, error) =>
        error ? this.#diskError(path, 'write', error) : integrityError(`blob: the content is not that of ${oid}`)
    })
  }

  #count(size: number): void {
    this.written++
    this.bytes += size
    this.#options.onWritten(size)
  }

  #write(file: FileToWrite, { size, bytes }: Content): Promise<void> {
    return this.#onDisk(file.path, 'write', () =>
      this.#options.directories.use(file.directory, async (directory) => {
        await this.#put(directory, file, bytes)
        this.#count(size)
      })
    )
  }

  #put(directory: Directory, { name, mode, oid }: FileToWrite, bytes: Uint8Array | undefined): Promise<void> {
    if (mode === '120000' && bytes !== undefined) return directory.makeLink(name, bytes)
    const { calls, options } = this.#options
    const content = bytes ?? readLargeFile(calls, oid, options())
    return directory.writeFile(name, content, { isExecutable: mode === '100755' })
  }

  #setMode({ path, directory: wanted, name, mode }: FileToWrite): Promise<void> {
    return this.#onDisk(path, 'change', () =>
      this.#options.directories.use(wanted, async (directory) => {
        await directory.setExecutable(name, mode === '100755')
        this.#count(0)
      })
    )
  }

  #remove({ directory: wanted, item }: EntryToRemove): Promise<void> {
    const path = wanted.path === '' ? item.name : `${wanted.path}/${item.name}`
    return this.#onDisk(path, 'remove', () =>
      this.#options.directories.use(wanted, async (directory) => {
        await this.#removeEntry(directory, item)
      })
    )
  }

  /** False = something in it stays. Links are removed, not followed. */
  async #removeEntry(directory: Directory, { name, kind }: DirectoryItem): Promise<boolean> {
    if (isDotGit(textForRules(name))) return false
    if (kind === 'directory') {
      if (!(await this.#empty(await directory.open(name)))) return false
      await directory.removeDirectory(name)
    } else await directory.remove(name)
    this.removed++
    return true
  }

  async #empty(directory: Directory): Promise<boolean> {
    let isEmpty = true
    try {
      for (const item of await directory.list()) {
        if (!(await this.#removeEntry(directory, item))) isEmpty = false
      }
    } finally {
      await directory.close()
    }
    return isEmpty
  }

  async #onDisk(path: string, verb: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      throw error instanceof BlobwireError ? error : this.#diskError(path, verb, error)
    }
  }

  #diskError(path: string, verb: string, error: unknown): BlobwireError {
    const count = `${this.written} files were written and ${this.removed} entries removed before`
    return diskError(`could not ${verb} ${showPath(path)}`, error, `; ${count}`)
  }
}

/** The error of an operation of the file system; others are bugs. */
export function diskError(subject: string, cause: unknown, more = ''): BlobwireError {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: string }
  if (typeof code !== 'string') return asBlobwireError(cause)
  // Node puts the path behind the words, which is one of a descriptor.
  const words = message?.split(/, | '/, 1)[0] ?? code
  return new BlobwireError({ reason: 'sink_failed', message: `${subject}: ${words}${more}`, cause })
}
