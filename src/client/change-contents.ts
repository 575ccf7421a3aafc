/**
 * The contents of a commit that do not go with it as they are: large ones are uploaded, several at a time, and small files
 * are read, and stored in batches where they are many. The changes that are left name objects, or have contents that fit
 * a request.
 */
import type { CallOptions } from '../call/call-options.ts'
import { abortError, asBlobwireError, BlobwireError } from '../core/error.ts'
import { hashObject } from '../git/oid.ts'
import { binaryPath, pathFields, showPath } from '../git/raw-path.ts'
import type { TransferOptions } from '../transfer/options.ts'
import { readBeginning } from '../transfer/pieces.ts'
import type { ProgressMeter } from '../transfer/progress.ts'
import { endStream, openSource, sizeOfSource } from '../transfer/source.ts'
import type { UploadSource } from '../transfer/source-kinds.ts'
import { runBatch } from './batch.ts'
import { contentOfChange, isApart, listOf } from './contents-apart.ts'
import { inParallel, type Step } from './in-parallel.ts'
import type { Change, Changes, Path } from './inputs.ts'
import { takesUploads } from './large-content.ts'
import type { RepositoryContext } from './repository-context.ts'
import { type Twins, uploadFile } from './uploads.ts'

/** Files that are opened and read at a time. */
const maxReads = 8
/** Contents that are uploaded at a time. */
const maxUploads = 4
/** Contents of one batch that is stored ahead. */
const maxGroup = 1000
/** Bytes of a content in a request besides itself. */
const perContentBytes = 100

/** A content, and the first path that it is for. */
interface Entry {
  readonly content: UploadSource
  readonly path: Path
  /** Bytes; undefined = not known before it is read. */
  size: number | undefined
  /** Where it is stored. */
  oid: string | undefined
  /** Where it goes with the commit. */
  bytes: Uint8Array | undefined
}

/** The options of the call, and its progress. */
interface ContentsOptions {
  readonly options: TransferOptions
  readonly meter: ProgressMeter
}

/** The changes with oids or bytes for the contents apart. @throws BlobwireError the first that comes; it names the change */
export async function withContents(
  context: RepositoryContext,
  changes: Changes,
  options: ContentsOptions
): Promise<Changes> {
  try {
    return await new ContentStage(context, changes, options).run()
  } catch (error) {
    for (const [, change] of listOf(changes)) endStream(contentOfChange(change))
    throw error
  }
}

class ContentStage {
  readonly #context: RepositoryContext
  readonly #changes: readonly [Path, Change][]
  readonly #options: TransferOptions
  readonly #meter: ProgressMeter
  readonly #remaining: () => CallOptions
  /** The same object is one content, wherever it stands. */
  readonly #entries = new Map<UploadSource, Entry>()
  /** By path or URL. */
  readonly #files = new Map<string, Entry>()
  /** Oids that are stored, or on their way. */
  readonly #stored = new Set<string>()
  #group: Entry[] = []
  #groupBytes = 0

  constructor(context: RepositoryContext, changes: Changes, { options, meter }: ContentsOptions) {
    this.#context = context
    this.#changes = listOf(changes)
    this.#options = options
    this.#meter = meter
    this.#remaining = context.invoker.unhurried(options)
  }

  async run(): Promise<Changes> {
    const { invoker } = this.#context
    const [canUpload] = await Promise.all([
      takesUploads(this.#context, this.#remaining()),
      this.#context.fetchFormat(this.#remaining())
    ])
    const { maxInlineBytes } = invoker.caches.limits
    for (const [path, change] of this.#changes) {
      const content = contentOfChange(change)
      if (content === undefined || !isApart(content, maxInlineBytes)) continue
      // Without uploads, bytes that are too many are refused with the commit.
      if (!canUpload && (typeof content === 'string' || content instanceof Uint8Array)) continue
      this.#add({ content, path, size: undefined, oid: undefined, bytes: undefined })
    }
    const entries = [...this.#entries.values(), ...this.#files.values()]
    await this.#each(entries, maxReads, async (entry) => {
      entry.size = await sizeOfSource(entry.content)
    })
    this.#meter.expect(entries.map(({ size }) => size))
    const small = entries.filter(({ size }) => size !== undefined && size <= maxInlineBytes)
    await this.#each(small, maxReads, (entry, signal) => this.#read(entry, signal))
    await this.#upload(entries.filter(({ oid, bytes }) => oid === undefined && bytes === undefined))
    return new Map(this.#changes.map(([path, change]) => [path, this.#changed(change)]))
  }

  #entryOf(content: UploadSource): Entry | undefined {
    const file = fileOf(content)
    return file === undefined ? this.#entries.get(content) : this.#files.get(file)
  }

  #add(entry: Entry): void {
    const { content } = entry
    const file = fileOf(content)
    if (this.#entryOf(content) !== undefined) return
    if (file === undefined) this.#entries.set(content, entry)
    else this.#files.set(file, entry)
  }

  /** The change with the oid or the bytes of its content. */
  #changed(change: Change): Change {
    const content = contentOfChange(change)
    const entry = content === undefined ? undefined : this.#entryOf(content)
    if (entry === undefined) return change
    // A stream that is the change itself has a mode, too: that of the file which it reads.
    const { mode, expectedOid } = (content === change ? {} : change) as { mode?: never; expectedOid?: string | null }
    const rules = { ...(mode !== undefined && { mode }), ...(expectedOid !== undefined && { expectedOid }) }
    return entry.oid === undefined ? { content: entry.bytes as Uint8Array, ...rules } : { oid: entry.oid, ...rules }
  }

  #each(entries: readonly Entry[], most: number, step: Step<Entry>): Promise<void> {
    return inParallel(entries, { most, signal: this.#options.signal }, async (entry, signal) => {
      try {
        await step(entry, signal)
      } catch (error) {
        throw ofChange(asBlobwireError(error), entry.path)
      }
    })
  }

  /** Reads a small content. What many of them hold is stored before the next ones are read. */
  async #read(entry: Entry, signal: AbortSignal): Promise<void> {
    const { maxInlineBytes, maxBatchBytes } = this.#context.invoker.caches.limits
    if (signal.aborted) throw signal.reason instanceof BlobwireError ? signal.reason : abortError(signal.reason)
    const source = await openSource(entry.content)
    try {
      const bytes = await readBeginning(source, source.size, maxInlineBytes)
      // The file has grown since: it is uploaded.
      if (!(bytes instanceof Uint8Array)) return
      entry.bytes = bytes
      this.#meter.file().done(bytes.length)
    } finally {
      await source.close()
    }
    const bytes = entry.bytes.length + perContentBytes
    const isFull = this.#groupBytes + bytes > maxBatchBytes || this.#group.length >= maxGroup
    const group = isFull ? this.#group : []
    if (isFull) {
      this.#group = []
      this.#groupBytes = 0
    }
    this.#group.push(entry)
    this.#groupBytes += bytes
    await this.#store(group, { ...this.#remaining(), signal })
  }

  /** Stores contents that the server lacks, and lets go of their bytes. */
  async #store(group: readonly Entry[], options: CallOptions): Promise<void> {
    const { invoker, repository, defaults } = this.#context
    const { known, takesNew } = invoker.caches
    const contents = new Map<string, Uint8Array>()
    for (const entry of group) {
      const content = entry.bytes as Uint8Array
      const oid = hashObject('blob', content, defaults.objectFormat)
      if (!this.#stored.has(oid) && !known.has(repository, oid)) contents.set(oid, content)
      this.#stored.add(oid)
      entry.oid = oid
      entry.bytes = undefined
    }
    if (contents.size === 0) return
    if (takesNew.get(repository) !== true) {
      const oids = [...contents.keys()]
      const missing = new Set((await invoker.operation('findMissing', { repository, oids }, options)).missing)
      takesNew.set(repository, missing.size === oids.length)
      for (const oid of oids) if (!missing.has(oid)) contents.delete(oid)
    }
    const stores = [...contents.values()].map((content) => ({ storeBlob: { content } }))
    for (const { error } of await runBatch(this.#context, stores, options)) if (error) throw error
  }

  async #upload(large: readonly Entry[]): Promise<void> {
    const counts = new Map<number | undefined, number>()
    for (const { size } of large) counts.set(size, (counts.get(size) ?? 0) + 1)
    const underWay: Twins['underWay'] = new Map()
    await this.#each(large, maxUploads, async (entry, signal) => {
      const { stallTimeoutMs } = this.#options
      const options = { ...this.#remaining(), stallTimeoutMs, onProgress: undefined, signal }
      const twins = { underWay, areLikely: (counts.get(entry.size) ?? 0) > 1 }
      const { oid } = await uploadFile(this.#context, entry.content, { options, meter: this.#meter, twins })
      entry.oid = oid
    })
  }
}

/** The path or URL of a file; undefined = the content is another source. */
function fileOf(content: UploadSource): string | undefined {
  if (typeof content !== 'object' || !('file' in content)) return undefined
  return typeof content.file === 'string' ? content.file : content.file.href
}

/** The error with the path as the caller knows it. */
function ofChange(error: BlobwireError, path: Path): BlobwireError {
  if (error.method !== undefined || error.code === 'cancelled' || error.code === 'deadline_exceeded') return error
  return error.with({ message: `changes[${showPath(binaryPath(pathFields(path)))}]: ${error.message}` })
}
