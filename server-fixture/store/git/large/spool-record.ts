/** The record of an upload: a file of lines, of which the last of each kind holds. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import type { StoredBlob } from '../../large-content.ts'
import { isMissing } from '../fsync.ts'

/** The first line. */
interface Beginning {
  readonly repository: string
  /** Of the repository: tells it from later ones of its name. */
  readonly instance: string
  readonly id: string
  readonly format: ObjectFormat
  /** Bytes; left out = known at the end alone. */
  readonly size?: number
}

/** Lines that follow. */
interface Event {
  /** The run of the machine in which bytes were written from here on. */
  readonly boot?: string
  /** So many bytes of the content are on disk. */
  readonly synced?: number
  /** The content is complete, and the end of the pack is being written behind it. */
  readonly ending?: StoredBlob
  /** The blob is in the repository, and the content is not needed any more. */
  readonly done?: StoredBlob
}

/** An upload as its record tells it. */
export interface SpoolRecord extends Beginning {
  readonly boot?: string
  readonly synced: number
  readonly ending?: StoredBlob
  readonly done?: StoredBlob
}

const fileName = 'record'

/** Begins a record. It is durable once its directory is synced. */
export async function beginRecord(directory: string, beginning: Beginning): Promise<void> {
  const path = join(directory, fileName)
  await writeFile(`${path}.new`, `${JSON.stringify(beginning)}\n`, { flush: true })
  await rename(`${path}.new`, path)
}

/** Reads the record in a directory; undefined = there is none, and the directory is a leftover. */
export async function readRecord(directory: string): Promise<SpoolRecord | undefined> {
  let text: string
  try {
    text = await readFile(recordPath(directory), 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  // A line that was cut off by a crash had not happened.
  const lines = text.split('\n').slice(0, -1)
  const parsed = lines.flatMap((line) => parseLine(line))
  const [beginning] = parsed
  if (typeof beginning?.['id'] !== 'string' || typeof beginning['repository'] !== 'string') return undefined
  return Object.assign({ synced: 0 }, ...parsed) as SpoolRecord
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>]
  } catch {
    return []
  }
}

/** Of the file of the record, whose date tells when the upload changed last. */
export function recordPath(directory: string): string {
  return join(directory, fileName)
}

/** Adds lines to a record. */
export class RecordWriter {
  readonly #file: FileHandle

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(directory: string): Promise<RecordWriter> {
    return new RecordWriter(await open(recordPath(directory), 'r+'))
  }

  /** A line begins with a line feed where the one before was cut off. */
  async add(event: Event): Promise<void> {
    const { size } = await this.#file.stat()
    const last = size === 0 ? Buffer.from('\n') : (await this.#file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer
    const line = Buffer.from(`${last.toString() === '\n' ? '' : '\n'}${JSON.stringify(event)}\n`)
    const { bytesWritten } = await this.#file.write(line, 0, line.length, size)
    if (bytesWritten < line.length) throw Object.assign(new Error('a short write'), { code: 'ENOSPC' })
  }

  async sync(): Promise<void> {
    await this.#file.datasync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

let boot: Promise<string> | undefined

/**
 * The id of this run of the machine: bytes that were written in it are in its memory, if not on disk. Where the system
 * tells none, it is another one in each process.
 */
export function bootId(): Promise<string> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'latin1').then(
    (text) => text.trim(),
    () => randomBytes(16).toString('hex')
  )
  return boot
}
