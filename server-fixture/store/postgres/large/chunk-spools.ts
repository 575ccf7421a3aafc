/** Uploads as rows of parts, and large objects, which were uploads or are stored like one. */
import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../../../src/core/clock.ts'
import type { ObjectKind } from '../../../../src/git/oid.ts'
import type { ObjectContent } from '../../large-content.ts'
import { MemoryContent } from '../../memory-content.ts'
import type { NewObject } from '../../store.ts'
import { completeSpool } from '../../uploads/complete-spool.ts'
import { placeOf, type Removal, type Spool, type SpoolStore, type UploadRecord } from '../../uploads/spool.ts'
import type { Database } from '../database/database.ts'
import { type KnownRepository, type Repositories, RepositoryGone } from '../repositories.ts'
import { ChunkSpool } from './chunk-spool.ts'
import { AheadBudget, ChunkedContent, readParts } from './chunked-content.ts'
import { decodePart, partBytes } from './parts.ts'
import { Slots } from './slots.ts'
import { type AgedUploadRow, type Detached, idWithoutUpload, UploadRows } from './upload-rows.ts'

/** Transactions with a part that a server has at once: it has connections left for those that move refs. */
const maxTransactions = 2

const kinds = ['commit', 'tree', 'blob', 'tag'] as const

/** An object as its row tells it. */
interface ObjectRow {
  readonly kind: number
  readonly size: string
  readonly encoding: number
  readonly content: Uint8Array | null
  readonly content_id: string | null
}

const findObject = {
  name: 'open object',
  text: `SELECT o.kind, o.size, o.encoding, o.content, o.content_id FROM repositories r
    LEFT JOIN objects o ON o.repository = r.id AND o.repository = $1::bigint AND o.oid = $2::bytea
    WHERE r.id = $1::bigint`
}

export class ChunkSpools implements SpoolStore {
  /** Other servers take uploads, too. */
  readonly recountMs = 10_000
  readonly #database: Database
  readonly #repositories: Repositories
  readonly #clock: Clock
  readonly #rows: UploadRows
  readonly #slots = new Slots(maxTransactions)
  /** The first half of each writer of this server. */
  readonly #server = randomUUID().slice(0, 18)
  /** By the id of the repository and that of the upload. */
  readonly #open = new Map<string, ChunkSpool>()
  readonly #removing = new Set<Promise<void>>()
  readonly #ahead = new AheadBudget()

  constructor(database: Database, repositories: Repositories, clock: Clock = systemClock) {
    this.#database = database
    this.#repositories = repositories
    this.#clock = clock
    this.#rows = new UploadRows(database)
  }

  async list(completeForSeconds?: number): Promise<UploadRecord[]> {
    const rows = await this.#rows.list(completeForSeconds)
    return rows.map((row) => this.#recordOf(row.name, row))
  }

  /** An upload that is open here is told with all that came: it is written before. */
  find(repository: string, id: string): Promise<UploadRecord | undefined> {
    return this.#repositories.use(repository, async (found) => {
      // Where it cannot be written, what the rows hold is true.
      await this.#open
        .get(placeOf(found.id, id))
        ?.flush()
        .catch(() => undefined)
      const row = await this.#rows.find(found, id)
      return row && this.#recordOf(repository, row)
    })
  }

  open(repository: string, id: string, size: number | undefined): Promise<Spool> {
    return this.#repositories.use(repository, (found) => this.#openSpool(found, { id, size }))
  }

  /** Whatever its condition, one whose repository has gone needs no more than that. */
  remove(repository: string, id: string, removal: Removal = {}): Promise<boolean> {
    return this.#repositories.use(repository, async ({ id: repositoryId }) => {
      const detached = await this.#rows.detach({ repository: repositoryId, id, writer: this.#newWriter() }, removal)
      if (detached) this.#inBackground(this.#removeDetached(repositoryId, detached))
      return detached !== undefined
    })
  }

  /** Undefined = missing. */
  openObject(repository: string, oid: string): Promise<ObjectContent | undefined> {
    return this.#repositories.use(repository, async (found) => {
      const values = [found.id, Buffer.from(oid, 'hex')]
      const [row] = await this.#database.read<ObjectRow>({ ...findObject, values })
      if (row === undefined) throw new RepositoryGone()
      if (row.kind === null) return undefined
      const kind = kinds[row.kind - 1] as ObjectKind
      if (row.content) {
        const content = await decodePart({ encoding: row.encoding, content: row.content })
        return new MemoryContent({ kind, content })
      }
      const [contentId, size] = [row.content_id as string, Number(row.size)]
      return new ChunkedContent(kind, { rows: this.#rows, repository: found, contentId, size, ahead: this.#ahead })
    })
  }

  /** The content of an object that lies in parts, at once: at most so many bytes as its row tells. */
  async readWhole(repository: KnownRepository, contentId: string, size: number): Promise<Uint8Array> {
    const content = new Uint8Array(size)
    let at = 0
    for await (const chunk of readParts({ rows: this.#rows, repository, contentId, size }, 0, size)) {
      content.set(chunk, at)
      at += chunk.length
    }
    return content
  }

  /**
   * Stores an object in parts. It is an upload without an id meanwhile, which is removed like another one where this server
   * dies.
   */
  async put(repository: KnownRepository, { oid, kind, content }: NewObject): Promise<void> {
    const contentId = randomUUID()
    const upload = { id: idWithoutUpload(contentId), size: content.length, contentId, kind: kinds.indexOf(kind) + 1 }
    const spool = await this.#openSpool(repository, upload)
    await spool.append(content)
    await spool.become({ oid, size: content.length })
    // The row goes last: it tells the sweep of parts that are of no use, where the object was there already.
    const detached = { id: upload.id, content_id: contentId, held: `${content.length}`, oid: Buffer.from(oid, 'hex') }
    this.#inBackground(this.#removeDetached(repository.id, detached))
  }

  /** Waits for what is removed in the background; what is left is removed by the next sweep. */
  async close(): Promise<void> {
    await Promise.all(this.#removing)
  }

  async #openSpool(
    repository: KnownRepository,
    {
      id,
      size,
      contentId = randomUUID(),
      kind
    }: { id: string; size: number | undefined; contentId?: string; kind?: number }
  ): Promise<Spool> {
    const place = placeOf(repository.id, id)
    const opener = { repository: repository.id, id, writer: this.#newWriter() }
    const row = await this.#rows.begin(opener, contentId, size)
    const { content_id, writer, size: begun, held: heldBytes } = row
    const held = Number(heldBytes)
    const blob = blobOf(row)
    if (blob) return completeSpool(blob, { format: repository.objectFormat, size: sizeOf(begun) })
    const parts = { rows: this.#rows, repository, contentId: content_id, size: held }
    const spool = new ChunkSpool({
      rows: this.#rows,
      repository,
      key: { ...opener, writer },
      contentId: content_id,
      size: sizeOf(begun),
      held,
      last: await lastOf(readParts(parts, held - (held % partBytes), held)),
      kind,
      now: () => this.#clock.now(),
      inSlot: (work) => this.#slots.run(work),
      drop: (dropped, bytes) => {
        if (kind === undefined) this.#inBackground(this.#rows.removeParts(repository.id, dropped, partsOf(bytes)))
      },
      onClose: () => {
        if (this.#open.get(place) === spool) this.#open.delete(place)
      }
    })
    // Nobody looks for an object that is being stored, or closes it.
    if (kind === undefined) this.#open.set(place, spool)
    return spool
  }

  async #removeDetached(repository: string, { id, content_id, held, oid }: Detached): Promise<void> {
    const isObject = oid && (await this.#rows.isObject(repository, oid, content_id))
    if (!isObject) await this.#rows.removeParts(repository, content_id, partsOf(Number(held)))
    await this.#rows.removeRow(repository, id)
  }

  #inBackground(work: Promise<void>): void {
    const done: Promise<void> = work
      .catch(() => undefined)
      .then(() => {
        this.#removing.delete(done)
      })
    this.#removing.add(done)
  }

  #recordOf(repository: string, row: AgedUploadRow): UploadRecord {
    const { id, size, held, age } = row
    const changedAtMs = this.#clock.wallTimeMs() - age * 1000
    return { repository, id, size: sizeOf(size), offset: Number(held), blob: blobOf(row), changedAtMs }
  }

  #newWriter(): string {
    return this.#server + randomUUID().slice(18)
  }
}

const sizeOf = (size: string | null) => (size === null ? undefined : Number(size))

const partsOf = (bytes: number) => Math.ceil(bytes / partBytes)

const blobOf = ({ oid, held }: Pick<AgedUploadRow, 'oid' | 'held'>) =>
  oid === null ? undefined : { oid: Buffer.from(oid).toString('hex'), size: Number(held) }

/** A part that is not full; empty = there is none. */
async function lastOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let last: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) last = chunk
  return last
}
