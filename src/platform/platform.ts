/**
 * The functions that differ between runtimes. Each interface has a file of its name beside it, which exports those
 * functions for Node, and one in `web/` for browsers, Deno and Bun: a build for them replaces these files and nothing else
 * below `client/transport-factory.ts`. Everything is synchronous but files and the compression of large bodies.
 */

declare const native: unique symbol

/**
 * Bytes in the class that the functions of `bytes.ts` are fastest with: `Buffer` on Node, `Uint8Array` elsewhere.
 * `allocate`, `encodeUtf8` and `toNative` make them.
 */
export type NativeBytes = Uint8Array & { readonly [native]: true }

/** `bytes.ts`: bytes and text. Positions and lengths are in bytes; ranges end before `to`. */
export interface ByteFunctions {
  /** Uninitialized bytes: each has to be written before it is read. */
  allocate(length: number): NativeBytes
  /** The same memory as native bytes. */
  toNative(bytes: Uint8Array): NativeBytes
  /** The same memory as a `Uint8Array` that is no `Buffer`, as the API returns bytes. */
  toUint8Array(bytes: Uint8Array): Uint8Array
  /**
   * Bytes that were read, for the caller to keep: below 64 KiB with a buffer of exactly their length, above with a buffer
   * that no other content is in.
   */
  ownBytes(bytes: Uint8Array): Uint8Array
  /** A copy of a range. */
  copyRange(bytes: NativeBytes, from: number, to: number): NativeBytes
  /** A copy of all pieces, one behind the other. */
  concat(pieces: readonly Uint8Array[]): NativeBytes
  /** Negative, 0 or positive, as `memcmp` orders the bytes. */
  compare(left: Uint8Array, right: Uint8Array): number

  /** Length of the text in UTF-8. A lone surrogate counts as U+FFFD. */
  utf8Length(text: string): number
  encodeUtf8(text: string): NativeBytes
  /** Writes the text at `at`, where it must fit. Returns the number of bytes written. */
  writeUtf8(target: NativeBytes, text: string, at: number): number
  /** The text of a range; bytes that are not UTF-8 become U+FFFD. A byte order mark stays. */
  decodeUtf8(bytes: NativeBytes, from?: number, to?: number): string
  isUtf8(bytes: Uint8Array): boolean
  /** One character from U+0000 to U+00FF for each byte (ISO 8859-1, not the windows-1252 of `TextDecoder`). */
  decodeLatin1(bytes: NativeBytes, from?: number, to?: number): string
  /** The bytes of such a text. */
  encodeLatin1(text: string): NativeBytes

  /** Lower-case hex digits of a range. */
  encodeHex(bytes: NativeBytes, from?: number, to?: number): string
  /** The bytes of an even number of hex digits. */
  decodeHex(text: string): Uint8Array
  /** Standard base64 with padding. */
  encodeBase64(bytes: Uint8Array): string
  /** The bytes of base64, standard or URL-safe, padded or not; undefined for any other text. */
  decodeBase64(text: string): Uint8Array | undefined
}

/** A hash of bytes that come in pieces. */
export interface IncrementalHash {
  /** Takes the next bytes, which the caller may change afterwards. */
  update(bytes: Uint8Array): unknown
  /** Called once, after the last bytes. */
  digest(): Uint8Array
}

/** `hash.ts`: the hashes that name Git objects. */
export interface HashFunctions {
  /** Hash of the header (ASCII, at most 32 characters) and the content behind it, in lower-case hex. */
  hashHex(algorithm: 'sha1' | 'sha256', header: string, content: Uint8Array): string
  newHash(algorithm: 'sha1' | 'sha256'): IncrementalHash
}

/** A file that is open for reading, whatever becomes of its name. */
export interface OpenFile {
  /** Bytes; undefined = no regular file, such as a pipe, which is read from its beginning to its end. */
  readonly size: number | undefined
  /** Tells the file and its state from others: short text without dots; empty where there is nothing to tell by. */
  readonly identity: string
  /** Up to `length` bytes, which are the caller's, at `position` (undefined = behind those read before); none at the end. */
  read(length: number, position: number | undefined): Promise<Uint8Array>
  close(): Promise<void>
}

/** The path of a file, or its `file:` URL. */
export type FilePath = string | { readonly href: string }

/** `files.ts`: files. Errors are those of the runtime. */
export interface FileFunctions {
  openFile(path: FilePath): Promise<OpenFile>
  /** Bytes; undefined = no regular file. */
  fileSize(path: FilePath): Promise<number | undefined>
}

/** `random.ts`: random numbers that nobody can guess. */
export interface RandomFunctions {
  randomBytes(length: number): Uint8Array
}

/** By the names of HTTP's content codings: gzip (RFC 1952), zstd (RFC 8878). */
export type Compressor = 'gzip' | 'zstd'

/** Formats of one compressed piece: `deflate` has the header of zlib (RFC 1950), `deflate-raw` has none (RFC 1951). */
export type CompressedFormat = Compressor | 'deflate' | 'deflate-raw'

/** How bytes are decompressed. */
export interface Decompression {
  readonly format: CompressedFormat
  /** Most bytes of the content. */
  readonly maxBytes: number
  /** About as many bytes as the content has, where they are known: they fit one buffer then. */
  readonly expectedBytes?: number | undefined
  /** Asked when a body has waited for its turn; without it, the body is wanted. */
  readonly isWanted?: (() => boolean) | undefined
}

/** `zlib.ts`: compression. The result for a large body is a promise; some runtimes have nothing else. */
export interface ZlibFunctions {
  /** Compressors of this runtime, the best first. */
  readonly compressors: readonly Compressor[]
  /** One gzip member, or one zstd frame with its content size; compressed for speed. */
  compress(compressor: Compressor, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
  /**
   * The content of one or more gzip members (of one in a browser), of one zstd frame that is complete, or of one stream of
   * deflate.
   * @throws RangeError above `maxBytes`, before much more is buffered; another Error for bytes of another format, for a
   * zstd frame with a window above 8 MiB or a dictionary, and where the runtime lacks the format
   */
  decompress(bytes: Uint8Array, decompression: Decompression): Uint8Array | Promise<Uint8Array>
}

/** `schedule.ts`: callbacks in later phases of the event loop, and timers. */
export interface ScheduleFunctions {
  /** Calls back after all callbacks and settled promises that are ready now, and before the next input is read. */
  afterReady(callback: () => void): void
  /** Calls back after the input that has arrived by now, and after the callbacks of `afterReady`. */
  afterInput(callback: () => void): void
  /**
   * Calls back after `delayMs` (at most 2^31 - 1). Returns the function that cancels the timer. The timer does not keep
   * the process running.
   */
  startTimer(delayMs: number, callback: () => void): () => void
}

/** Something that can keep a process running after the last work, such as a `connect` without an answer. */
export interface Abandonable {
  isPending(): boolean
  abandon(): void
}

/** Work that holds the process: the process runs until `endWork` has been called as often as `beginWork`. */
export interface Work {
  beginWork(): void
  endWork(): void
}

/** `process-hold.ts`: the process runs while there is work, and ends after it. */
export interface ProcessFunctions extends Work {
  /**
   * Where there is no work, and requests to the system are all that keeps the process running, what is pending is abandoned
   * within a quarter of a second. Returns the function that ends this.
   */
  abandonAfterWork(abandonable: Abandonable): () => void
}

export interface MachineFunctions {
  /** `machine.ts`: the same for all processes of a machine until it is started again, and of no other machine; empty = not known. */
  machineMark(): string
}

/** Integers from 1, kept as counts of a fixed number of buckets. */
export interface Histogram {
  readonly count: number
  readonly mean: number
  readonly max: number
  record(value: number): void
  /** `percent` is from 0 to 100; exact to three figures. */
  percentile(percent: number): number
}

/** `histogram.ts`: durations. */
export interface HistogramFunctions {
  newHistogram(): Histogram
}

/** A file on its way: written beside its target under a temporary name, and put in its place when it is complete. */
export interface NewFile {
  /**
   * Takes the next bytes, which may not change before the file is complete. Undefined = there is room for more; a promise
   * is to be awaited, and rejects where a write failed.
   */
  write(bytes: Uint8Array): Promise<void> | undefined
  /** Syncs the file and puts it in the place of its target, whose mode it takes over. */
  commit(): Promise<void>
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>
}

/** `new-file.ts`: files that are written. Errors are those of the system, with a `code` such as `ENOSPC`. */
export interface NewFileFunctions {
  /** `ENOTSUP` where something else than a file is in the place, such as a device. */
  createFile(path: string | URL): Promise<NewFile>
}

/** `streams.ts`: the streams of the runtime. */
export interface StreamFunctions {
  /** A `Readable` of Node; destroying it returns the iterator. */
  nodeStream(chunks: AsyncIterable<Uint8Array>): object
}

/** An entry of a directory. */
export interface DirectoryItem {
  /** As a binary string, one character for each byte. */
  readonly name: string
  /** `other` is a FIFO, a socket or a device. */
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

/**
 * A directory that is open. Every name is that of an entry, as a binary string, and no link is followed: where the system
 * can, also none that another process puts there meanwhile. Errors are those of the system, with its `code`.
 */
export interface Directory {
  list(): Promise<DirectoryItem[]>
  has(name: string): Promise<boolean>
  /** Opens a directory in this one. */
  open(name: string): Promise<Directory>
  /** Makes a directory, unless there is an entry of this name. */
  make(name: string): Promise<void>
  /** The hash of a file, in hex, and its size and permission; an empty hash = the file changed meanwhile. */
  hashFile(
    name: string,
    newHash: (size: number) => IncrementalHash
  ): Promise<{ readonly digest: string; readonly size: number; readonly isExecutable: boolean }>
  /** The target of a link. */
  readLink(name: string): Promise<Uint8Array>
  setExecutable(name: string, isExecutable: boolean): Promise<void>
  /** Writes a file beside, and puts it in the place of the file or link of this name when it is whole. */
  writeFile(
    name: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    mode: { readonly isExecutable: boolean }
  ): Promise<void>
  /** The same for a symbolic link. */
  makeLink(name: string, target: Uint8Array): Promise<void>
  /** Removes a file, a link or another entry that is no directory. */
  remove(name: string): Promise<void>
  /** Removes a directory that is empty. */
  removeDirectory(name: string): Promise<void>
  /** The path by which threads of this process reach the directory while it is open. */
  readonly base: string
  close(): Promise<void>
}

/** The content of a link is its target. */
export type NewFileKind = 'file' | 'executable' | 'link'

/** A content, and the files that are to have it. */
export interface ContentOfFiles {
  readonly bytes: Uint8Array
  /** The bytes are a zlib stream of so many; undefined = they are the content. */
  readonly inflatedBytes: number | undefined
  /** The hash of `header` and the content that it must have, in hex; undefined = any. */
  readonly hash: { readonly algorithm: 'sha1' | 'sha256'; readonly header: string; readonly digest: string } | undefined
  readonly files: readonly { readonly directory: number; readonly name: string; readonly kind: NewFileKind }[]
}

/** Files of several directories. Names are binary strings. */
export interface FileBatch {
  /** The path of the directory that the first one is in; see `Directory`. */
  readonly base: string
  /** Each behind the one that it is in, which is told by its index; -1 = `base`. New ones are made. */
  readonly directories: readonly { readonly above: number; readonly name: string; readonly isNew: boolean }[]
  /** A directory is told by its index; -1 = `base`. */
  readonly contents: readonly ContentOfFiles[]
}

/** The first content or file of a batch that failed, by index; those before it are done. */
export interface FileFailure {
  readonly content: number
  readonly file: number
  /** Of the system, with its `code`; undefined = the content has another hash, or is no zlib stream. */
  readonly error: Error | undefined
}

/** `file-threads.ts`: threads that write many small files as `Directory` does. */
export interface FileThreads {
  /** Copies the contents at once. Undefined = all are written. */
  write(batch: FileBatch): Promise<FileFailure | undefined>
  close(): Promise<void>
}

export interface FileThreadFunctions {
  /** `file-threads.ts`: undefined where threads cannot be had: in a program that was bundled into one file. */
  openFileThreads(): Promise<FileThreads | undefined>
}

/** `directories.ts`: the files below a directory. */
export interface DirectoryFunctions {
  /** With `make`, makes the directory and those above it where they are missing. */
  openDirectory(path: string | URL, options: { readonly make: boolean }): Promise<Directory>
  /** The rule of the system that a name of a file violates, as a binary string; undefined = the system can have it. */
  fileNameProblem(name: string): string | undefined
  /** A name that no file has. */
  temporaryName(): string
}

/** A member of a zip archive. */
export interface ZipMember {
  readonly path: string
  /** Undefined = a directory. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Type and permissions, as Unix has them. */
  readonly mode: number
  readonly mtime: Date
}

/** `archives.ts`: formats of archives. Leaving a loop early returns the source. */
export interface ArchiveFunctions {
  /** One gzip member. */
  gzipChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void>
  zipChunks(members: AsyncIterable<ZipMember>): AsyncGenerator<Uint8Array, void>
}
