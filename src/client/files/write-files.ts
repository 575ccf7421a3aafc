/** Removes and writes what differs between a directory and a tree. */
import type { CallOptions } from '../../call/call-options.ts'
import { asBlobwireError, BlobwireError } from '../../core/error.ts'
import { isDotGit } from '../../git/dot-names.ts'
import { showPath, textForRules } from '../../git/raw-path.ts'
import type { Directory, DirectoryItem } from '../../platform/platform.ts'
import type { RepositoryCalls } from '../calls.ts'
import type { Differences, EntryToRemove, FileToWrite } from './compare-files.ts'
import { type Content, ContentReader } from './content-reader.ts'
import { readLargeFile } from './large-file.ts'
import type { OpenDirectories } from './open-directories.ts'
import { RunningWrites } from './running-writes.ts'

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
    const writes = new RunningWrites()
    try {
      for (const file of toSetMode) await writes.add(() => this.#setMode(file))
      const oids = toWrite.map(({ oid }) => oid)
      const reader = new ContentReader(oids, this.#options)
      let index = 0
      for await (const content of reader.contents()) {
        const file = toWrite[index++] as FileToWrite
        await writes.add(() => this.#write(file, content))
      }
    } finally {
      // No file is half-written when the call has failed.
      await writes.ended
    }
    writes.throwFailure()
  }

  #write(file: FileToWrite, { size, bytes }: Content): Promise<void> {
    const { directories, onWritten } = this.#options
    return this.#onDisk(file.path, 'write', () =>
      directories.use(file.directory, async (directory) => {
        await this.#put(directory, file, bytes)
        this.written++
        this.bytes += size
        onWritten(size)
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
        this.written++
        this.#options.onWritten(0)
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
      if (error instanceof BlobwireError) throw error
      const count = `${this.written} files were written and ${this.removed} entries removed before`
      throw diskError(`could not ${verb} ${showPath(path)}`, error, `; ${count}`)
    }
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
