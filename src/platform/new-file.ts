/** `NewFileFunctions` of platform.ts on Node. */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeHex, toNative } from './bytes.ts'
import type { NewFile } from './platform.ts'
import { randomBytes } from './random.ts'

/** Chunks are gathered into writes of about this size: each write is a turn of the thread pool. */
const writeBytes = 256 * 1024
const maxPieces = 512

export async function createFile(path: string | URL): Promise<NewFile> {
  const given = path instanceof URL ? fileURLToPath(path) : path
  if (given === '') throw refusal('ENOENT', given)
  // A link stays one: the file that it leads to is replaced.
  const target = await realpath(given).catch(() => given)
  const existing = await statOf(target)
  if (existing?.isDirectory() || /[/\\]$/.test(target)) throw refusal('EISDIR', target)
  if (existing !== undefined && !existing.isFile()) throw refusal('ENOTSUP', target)
  const temporary = join(dirname(target), `.blobwire-${encodeHex(toNative(randomBytes(8)))}.part`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
  const handle = await open(temporary, flags, existing === undefined ? 0o666 : 0o600)
  return new TemporaryFile(handle, temporary, target)
}

/** Undefined = there is none. A name that is too long is told here, and not when all is written. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function refusal(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${basename(path)}`), { code, path })
}

class TemporaryFile implements NewFile {
  readonly #handle: FileHandle
  readonly #path: string
  readonly #target: string
  #pieces: Uint8Array[] = []
  #bytes = 0
  #position = 0
  #writing: Promise<void> | undefined
  #isOver = false

  constructor(handle: FileHandle, path: string, target: string) {
    this.#handle = handle
    this.#path = path
    this.#target = target
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#pieces.push(bytes)
    this.#bytes += bytes.length
    return this.#bytes < writeBytes && this.#pieces.length < maxPieces ? undefined : this.#flush()
  }

  async commit(): Promise<void> {
    await this.#flush()
    await this.#writing
    const existing = await statOf(this.#target)
    if (existing !== undefined) {
      // Only root may give a file away.
      await this.#handle.chown(existing.uid, existing.gid).catch(() => undefined)
      await this.#handle.chmod(existing.mode & 0o7777)
    }
    await this.#handle.sync()
    await this.#handle.close()
    await rename(this.#path, this.#target)
    this.#isOver = true
    await syncDirectory(dirname(this.#target))
  }

  async discard(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#writing?.catch(() => undefined)
    await this.#handle.close().catch(() => undefined)
    await rm(this.#path, { force: true })
  }

  /** Begins to write what was gathered, once the write before is done. */
  async #flush(): Promise<void> {
    await this.#writing
    const pieces = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    this.#writing = this.#writeAll(pieces)
    // Seen by the next flush.
    this.#writing.catch(() => undefined)
  }

  async #writeAll(pieces: Uint8Array[]): Promise<void> {
    let left = pieces
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, this.#position)
      this.#position += bytesWritten
      left = without(left, bytesWritten)
    }
  }
}

/** The pieces behind so many bytes: a disk that runs full may take a part of them. */
function without(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let toDrop = bytes
  const left = pieces.filter((piece) => {
    const isWritten = piece.length <= toDrop
    if (isWritten) toDrop -= piece.length
    return !isWritten
  })
  const [first] = left
  return first === undefined ? left : [first.subarray(toDrop), ...left.slice(1)]
}

/** So that the new name outlasts a power cut. Windows syncs no directories. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY).catch(() => undefined)
  await directory?.sync().catch(() => undefined)
  await directory?.close()
}
