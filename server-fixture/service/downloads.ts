/** DownloadBlob. */
import { createHash } from 'node:crypto'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { ObjectFormat } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { chunkOver } from '../loop-turns.ts'
import type { ObjectContent } from '../store/large-content.ts'
import { blobOid } from './blobs.ts'
import { type CallContext, throwIfAbandoned } from './context.ts'
import { notFound, precondition } from './errors.ts'
import { unlessReplaced } from './replaced.ts'
import { authorize, checkName } from './repositories.ts'
import type { TransferContext } from './uploads.ts'
import type { BlobRange, OutgoingBlob } from './vcs-service.ts'
import type { Workspace } from './workspace.ts'

/** DownloadBlob. */
export async function openDownload(
  { store, limits, report }: TransferContext,
  request: Messages['DownloadBlobRequest'],
  { context, open }: { context: CallContext; open: () => Promise<Workspace> | Workspace }
): Promise<OutgoingBlob> {
  const { repository } = request
  checkName(repository)
  authorize(context, 'read', repository)
  throwIfAbandoned(context)
  const workspace = await open()
  const oid = await unlessReplaced(workspace, blobOid(workspace, request))
  const content = await store.openObject(repository, oid)
  if (content === undefined) throw notFound('object', `object ${oid} not found`)
  try {
    const { kind, size } = content
    if (kind !== 'blob') throw precondition('wrong_kind', `${oid} is a ${kind}, not a blob`)
    const { chunkBytes } = limits
    const blob = { oid, format: workspace.format, content }
    return new StoredDownload(blob, rangeOf(request, size), { context, report, chunkBytes })
  } catch (error) {
    await content.close()
    throw error
  }
}

function rangeOf({ offset, length, digestFrom }: Messages['DownloadBlobRequest'], size: number): BlobRange {
  if (offset > size) {
    const description = `is ${offset}, beyond the end of the blob, which has ${size} bytes`
    const details = { violations: [{ field: 'offset', description }] }
    throw new BlobwireError({ code: 'out_of_range', message: `offset: ${description}`, details })
  }
  if (digestFrom !== undefined && digestFrom > offset) {
    throw invalidArgument('digestFrom', `is ${digestFrom}, beyond the offset ${offset}`)
  }
  const end = length === 0 ? size : Math.min(size, offset + length)
  return { start: offset, end, digestFrom }
}

/** How a blob is sent. */
interface Sending {
  readonly context: CallContext
  readonly report: (error: unknown) => BlobwireError
  readonly chunkBytes: number
}

class StoredDownload implements OutgoingBlob {
  readonly #blob: { readonly oid: string; readonly format: ObjectFormat; readonly content: ObjectContent }
  readonly #range: BlobRange
  readonly #sending: Sending
  sha256: Uint8Array | undefined

  constructor(blob: { oid: string; format: ObjectFormat; content: ObjectContent }, range: BlobRange, sending: Sending) {
    this.#blob = blob
    this.#range = range
    this.#sending = sending
  }

  get oid(): string {
    return this.#blob.oid
  }

  get size(): number {
    return this.#blob.content.size
  }

  get start(): number {
    return this.#range.start
  }

  get end(): number {
    return this.#range.end
  }

  narrow(range: BlobRange): OutgoingBlob {
    return new StoredDownload(this.#blob, range, this.#sending)
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#verified()
    } catch (error) {
      throw this.#sending.report(error)
    }
  }

  /** The last chunk comes when the digest is known, so that damaged bytes are never all of a blob. */
  async *#verified(): AsyncGenerator<Uint8Array> {
    const { start, end, digestFrom = start } = this.#range
    const { oid, format, content } = this.#blob
    const { context, chunkBytes } = this.#sending
    const isWhole = start === 0 && end === content.size
    const hash = isWhole ? createHash(format).update(`blob ${end}\0`, 'latin1') : createHash('sha256')
    let at = digestFrom
    let last: Uint8Array | undefined
    for await (const chunk of content.read(digestFrom, end)) {
      throwIfAbandoned(context)
      hash.update(chunk)
      for (let from = Math.max(0, start - at); from < chunk.length; from += chunkBytes) {
        if (last) yield last
        last = chunk.subarray(from, from + chunkBytes)
      }
      at += chunk.length
      await chunkOver()
    }
    const digest = hash.digest()
    if (isWhole ? digest.toString('hex') !== oid : at !== end) {
      throw new BlobwireError({ reason: 'integrity', message: `the blob ${oid} is damaged in the store` })
    }
    if (!isWhole) this.sha256 = digest
    if (last) yield last
  }

  close(): Promise<void> {
    return this.#blob.content.close()
  }
}
