/** Where the uploads of the Git store lie: a directory for each in `~uploads`, whatever its repository. */
import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import { repositoryNotFound } from '../../name-page.ts'
import { completeSpool } from '../../uploads/complete-spool.ts'
import type { Spool, SpoolStore, UploadRecord } from '../../uploads/spool.ts'
import { fsyncDirectory, isMissing, makeDirectory, namesIn } from '../fsync.ts'
import { storageFailure } from '../git-failure.ts'
import { DigestQueue } from './digest-queue.ts'
import { type CompletePack, contentName, GitSpool } from './git-spool.ts'
import { SpoolFile } from './spool-file.ts'
import { beginRecord, bootId, RecordWriter, readRecord, recordPath, type SpoolRecord } from './spool-record.ts'

/** The repositories of the uploads. Methods that are told one throw `not_found`, reason `repository`, without it. */
export interface SpoolRepositories {
  /** The id that tells it from others of its name; undefined = there is none. */
  instanceOf(repository: string): Promise<string | undefined>
  formatOf(repository: string): Promise<ObjectFormat>
  /** Whether the repository has the object, on disk. */
  has(repository: string, oid: string): Promise<boolean>
  install(repository: string, pack: CompletePack): Promise<void>
}

/** Directories that are being made or removed. */
const temporaryMark = '~'

export class GitSpools implements SpoolStore {
  readonly #directory: string
  readonly #repositories: SpoolRepositories
  readonly #digests = new DigestQueue()
  /** By directory. */
  readonly #open = new Map<string, GitSpool>()

  constructor(directory: string, repositories: SpoolRepositories) {
    this.#directory = directory
    this.#repositories = repositories
  }

  /** Removes what a killed server was making or removing in the directory. @throws `unavailable`, reason `storage` */
  static async prepare(directory: string): Promise<void> {
    try {
      for (const name of await namesIn(directory)) {
        if (name.startsWith(temporaryMark)) await rm(join(directory, name), { recursive: true, force: true })
      }
    } catch (error) {
      throw storageFailure('opening the directory of uploads', error)
    }
  }

  async list(): Promise<UploadRecord[]> {
    try {
      const found: UploadRecord[] = []
      for (const directory of await this.#directories()) {
        // One that cannot be read, or is being removed, keeps no other one.
        const upload = await this.#listed(directory).catch(() => undefined)
        if (upload) found.push(upload)
      }
      return found
    } catch (error) {
      throw storageFailure('listing uploads', error)
    }
  }

  /** An upload of a repository that has gone goes, too. */
  async #listed(directory: string): Promise<UploadRecord | undefined> {
    const record = await readRecord(directory)
    const instance = record && (await this.#repositories.instanceOf(record.repository).catch(() => record.instance))
    if (record && instance === record.instance) {
      // A server was killed before it had removed it.
      if (record.done) await rm(join(directory, contentName), { force: true })
      return await this.#stateOf(directory, record)
    }
    await this.#remove(directory)
    return undefined
  }

  async find(repository: string, id: string): Promise<UploadRecord | undefined> {
    const directory = this.#directoryOf(repository, id)
    try {
      const record = await this.#recordOf(repository, directory)
      return record && (await this.#stateOf(directory, record))
    } catch (error) {
      throw storageFailure('looking for an upload', error)
    }
  }

  async open(repository: string, id: string, size: number | undefined): Promise<Spool> {
    const directory = this.#directoryOf(repository, id)
    try {
      const found = (await this.#recordOf(repository, directory)) ?? (await this.#begin({ repository, id, size }))
      const record = await this.#settled(directory, found)
      return record.done ? completeSpool(record.done, record) : await this.#openSpool(directory, record)
    } catch (error) {
      throw storageFailure('opening an upload', error)
    }
  }

  async remove(repository: string, id: string): Promise<boolean> {
    try {
      return await this.#remove(this.#directoryOf(repository, id))
    } catch (error) {
      throw storageFailure('removing an upload', error)
    }
  }

  /** Removes those of a repository that was deleted. */
  async removeAll(repository: string): Promise<void> {
    try {
      for (const directory of await this.#directories()) {
        if ((await readRecord(directory))?.repository === repository) await this.#remove(directory)
      }
    } catch (error) {
      throw storageFailure('removing uploads', error)
    }
  }

  async #directories(): Promise<string[]> {
    const names = await namesIn(this.#directory)
    return names.filter((name) => !name.startsWith(temporaryMark)).map((name) => join(this.#directory, name))
  }

  async close(): Promise<void> {
    await this.#digests.close()
  }

  /** The name tells nothing of the id, which nobody else is to know, and is a name on every system. */
  #directoryOf(repository: string, id: string): string {
    const name = createHash('sha256').update(`${repository}\n${id}`).digest('hex').slice(0, 40)
    return join(this.#directory, name)
  }

  /** Undefined = there is none; that of an earlier repository of the name counts as none, and is removed. */
  async #recordOf(repository: string, directory: string): Promise<SpoolRecord | undefined> {
    const instance = await this.#repositories.instanceOf(repository)
    if (instance === undefined) throw repositoryNotFound(repository)
    const record = await readRecord(directory)
    if (record === undefined || record.instance === instance) return record
    await this.#remove(directory)
    return undefined
  }

  async #stateOf(directory: string, record: SpoolRecord): Promise<UploadRecord> {
    const [content, lines] = await Promise.all([statOf(join(directory, contentName)), stat(recordPath(directory))])
    const offset = this.#open.get(directory)?.offset ?? (await heldBytes(record, content?.size))
    return {
      repository: record.repository,
      id: record.id,
      size: record.size,
      offset,
      blob: record.done,
      changedAtMs: Math.max(content?.mtimeMs ?? 0, lines.mtimeMs)
    }
  }

  /** Made aside and renamed, so that there is none without its record. */
  async #begin(upload: { repository: string; id: string; size: number | undefined }): Promise<SpoolRecord> {
    const { repository, id, size } = upload
    const instance = await this.#repositories.instanceOf(repository)
    if (instance === undefined) throw repositoryNotFound(repository)
    const format = await this.#repositories.formatOf(repository)
    const making = this.#temporary()
    await makeDirectory(this.#directory)
    await mkdir(making)
    const beginning = { repository, instance, id, format, ...(size !== undefined && { size }) }
    try {
      await beginRecord(making, beginning)
      await rename(making, this.#directoryOf(repository, id))
    } catch (error) {
      await rm(making, { recursive: true, force: true })
      throw error
    }
    return { ...beginning, synced: 0 }
  }

  /**
   * A server that was killed while the pack was moved in left a file with two names: it is the pack of the repository, or
   * was about to be, also where the record has lost that with the power. It must not change any more then.
   */
  async #settled(directory: string, record: SpoolRecord): Promise<SpoolRecord> {
    const path = join(directory, contentName)
    const content = await statOf(path)
    if (record.done || content === undefined || content.nlink === 1) return record
    const done = record.ending
    if (done && (await this.#repositories.has(record.repository, done.oid))) {
      const writer = await RecordWriter.open(directory)
      try {
        await writer.add({ done })
        await writer.sync()
      } finally {
        await writer.close()
      }
      await rm(path)
      return { ...record, done }
    }
    await copyFile(path, `${path}.new`)
    await rename(`${path}.new`, path)
    return record
  }

  async #openSpool(directory: string, record: SpoolRecord): Promise<GitSpool> {
    const { repository, format, size } = record
    const path = join(directory, contentName)
    const offset = await heldBytes(record, (await statOf(path))?.size)
    const file = await SpoolFile.open({ path, format, size }, offset)
    const writer = await openRecord(directory, record).catch(async (error) => {
      await file.close()
      throw error
    })
    const spool = new GitSpool({
      directory,
      objectFormat: format,
      size,
      file,
      record: writer,
      synced: Math.min(record.synced, offset),
      digests: this.#digests,
      has: (oid) => this.#repositories.has(repository, oid),
      install: async (pack) => {
        if ((await this.#repositories.instanceOf(repository)) !== record.instance) throw repositoryNotFound(repository)
        await this.#repositories.install(repository, pack)
      },
      syncPlace: async () => {
        await fsyncDirectory(directory)
        await fsyncDirectory(this.#directory)
      },
      onClose: () => this.#open.delete(directory)
    })
    this.#open.set(directory, spool)
    return spool
  }

  /** False = there is none. */
  async #remove(directory: string): Promise<boolean> {
    const removing = this.#temporary()
    try {
      await rename(directory, removing)
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
    await rm(removing, { recursive: true, force: true })
    return true
  }

  #temporary(): string {
    return join(this.#directory, temporaryMark + randomBytes(8).toString('hex'))
  }
}

/** Opens the record for the events of this run of the machine. */
async function openRecord(directory: string, record: SpoolRecord): Promise<RecordWriter> {
  const writer = await RecordWriter.open(directory)
  try {
    const boot = await bootId()
    if (record.boot !== boot) await writer.add({ boot })
    return writer
  } catch (error) {
    await writer.close()
    throw error
  }
}

/**
 * How much of the content is held: what is in the file, and after a crash of the machine what is known to be on disk.
 *
 * @param length of the file; undefined = there is none
 */
async function heldBytes(record: SpoolRecord, length: number | undefined): Promise<number> {
  if (record.done) return record.done.size
  if (length === undefined) return 0
  const bytes = SpoolFile.bytesIn(length, record.size)
  const end = Math.min(record.size ?? bytes, record.ending?.size ?? bytes)
  return Math.min(bytes, end, record.boot === (await bootId()) ? bytes : record.synced)
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
