/** The body of a thread of `file-threads.ts`. Its calls wait for the system: nothing else runs on the thread. */
import { closeSync, mkdirSync, openSync, renameSync, symlinkSync, unlinkSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { inflateSync } from 'node:zlib'
import { newFileFlags, noFollow, onlyDirectory, pathIn, pathOfOpen, temporaryName } from './directory-paths.ts'
import { hashHex } from './hash.ts'
import type { ContentOfFiles, FileBatch, FileFailure, NewFileKind } from './platform.ts'

/** A batch as it is sent: contents one behind the other, and the rest as JSON, which takes less time than cloning objects. */
export interface FileMessage {
  readonly bytes: Uint8Array
  readonly json: string
}

/** In the JSON of a message. */
export interface BatchOfLengths extends Omit<FileBatch, 'contents'> {
  readonly contents: readonly (Omit<ContentOfFiles, 'bytes'> & { readonly length: number })[]
}

/** Directories of one batch, which are opened when the first file is written into them. */
class BatchDirectories {
  readonly #batch: BatchOfLengths
  readonly #opened: { readonly descriptor: number; readonly path: string }[] = []

  constructor(batch: BatchOfLengths) {
    this.#batch = batch
  }

  path(index: number): string {
    if (index < 0) return this.#batch.base
    this.#opened[index] ??= this.#open(index)
    return this.#opened[index].path
  }

  #open(index: number): { descriptor: number; path: string } {
    const { above, name, isNew } = this.#batch.directories[index] as FileBatch['directories'][number]
    const path = pathIn(this.path(above), name)
    if (isNew) makeDirectory(path)
    const descriptor = openSync(path, onlyDirectory | noFollow)
    return { descriptor, path: pathOfOpen(descriptor) }
  }

  close(): void {
    for (const { descriptor } of this.#opened.filter((directory) => directory !== undefined)) closeSync(descriptor)
  }
}

function makeDirectory(path: string | Buffer): void {
  try {
    mkdirSync(path)
  } catch (error) {
    // Another thread or process has made it; what it is, shows when it is opened.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function writeBatch(bytes: Uint8Array, batch: BatchOfLengths): FileFailure | undefined {
  const directories = new BatchDirectories(batch)
  try {
    let at = 0
    for (const [content, { length, inflatedBytes, hash, files }] of batch.contents.entries()) {
      const given = bytes.subarray(at, at + length)
      at += length
      const own = inflatedBytes === undefined ? given : inflate(given, inflatedBytes)
      if (own === undefined || (hash && hashHex(hash.algorithm, hash.header, own) !== hash.digest))
        return { content, file: 0, error: undefined }
      for (const [file, { directory, name, kind }] of files.entries()) {
        try {
          writeFile(directories.path(directory), name, { bytes: own, kind })
        } catch (error) {
          return { content, file, error: error as Error }
        }
      }
    }
    return undefined
  } finally {
    directories.close()
  }
}

/** Deflate makes of 258 bytes two bits at best. */
const maxDeflateRatio = 1032

/** Undefined = it is no zlib stream of so many bytes. With room for one more, zlib sees that it is complete. */
function inflate(bytes: Uint8Array, size: number): Uint8Array | undefined {
  if (size > bytes.length * maxDeflateRatio) return undefined
  try {
    const content = inflateSync(bytes, { chunkSize: Math.max(64, size + 1), maxOutputLength: size + 1 })
    return content.length === size ? content : undefined
  } catch {
    return undefined
  }
}

interface NewFile {
  readonly bytes: Uint8Array
  readonly kind: NewFileKind
}

function writeFile(directory: string, name: string, { bytes, kind }: NewFile): void {
  const beside = `${directory}/${temporaryName()}`
  try {
    if (kind === 'link') symlinkSync(bytes as Buffer, beside)
    else writeContent(openSync(beside, newFileFlags, kind === 'executable' ? 0o777 : 0o666), bytes)
    renameSync(beside, pathIn(directory, name))
  } catch (error) {
    try {
      unlinkSync(beside)
    } catch {
      // It was not made.
    }
    throw error
  }
}

function writeContent(descriptor: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at)
  } finally {
    closeSync(descriptor)
  }
}

/** Messages of a thread; a clone of an error has no `code`. */
export interface FileReply {
  readonly failure: FileFailure | undefined
  readonly code: string | undefined
}

parentPort?.on('message', ({ bytes, json }: FileMessage) => {
  const failure = writeBatch(bytes, JSON.parse(json))
  const { code } = (failure?.error ?? {}) as NodeJS.ErrnoException
  parentPort?.postMessage({ failure, code } satisfies FileReply)
})
parentPort?.postMessage('ready')
