/** Sends objects, each after those that it refers to. */
import { BlobwireError, type Repository, type TransferProgress } from '../../src/index.ts'
import type { ObjectReader, SourceObject } from './object-reader.ts'
import type { SortedObjects } from './plan.ts'
import { SendWindow } from './send-window.ts'
import type { Sorted } from './sort-objects.ts'

/** A request of trees, commits or tags. */
const maxOperations = 500
const maxRequestBytes = 1024 * 1024
/** Requests under way. */
const maxRequests = 4
/** Streams under way. */
const maxStreams = 4

/** The sending of one run. */
export interface Sending {
  readonly reader: Pick<ObjectReader, 'read'>
  readonly repo: Pick<Repository, 'storeBlob' | 'batch' | 'upload'>
  /** Content of a blob, in chunks, from its beginning each time. */
  readonly stream: (oid: string) => AsyncIterable<Uint8Array>
  /** Called with the number of objects, and of bytes, that the server has just taken; with 0 objects on the way. */
  readonly onSent: (objects: number, bytes: number) => void
}

/** Why the server refuses an object, and with it all that refer to it. */
export type Refusals = Map<string, BlobwireError>

/** Whether the server has looked at the object, and will never take it. */
export function isRefusal(error: unknown): error is BlobwireError {
  return error instanceof BlobwireError && (error.code === 'invalid_argument' || error.code === 'failed_precondition')
}

/** Sends the objects; the server has them, durably, when this resolves, but for those that it refuses. */
export async function sendObjects(objects: SortedObjects, sending: Sending): Promise<Refusals> {
  const refusals: Refusals = new Map()
  await sendBlobs(sending.reader.read(objects.blob), sending)
  await sendStreams(objects.streamed, sending)
  for (const kind of ['tree', 'commit', 'tag'] as const) {
    await sendInOrder(objects[kind], sending, refusals)
  }
  return refusals
}

/** Blobs refer to nothing: each is a call of its own, and the client gathers calls into frames. */
async function sendBlobs(blobs: AsyncIterable<SourceObject>, { repo, onSent }: Sending): Promise<void> {
  const window = new SendWindow()
  for await (const { content, oid } of blobs) {
    await window.begin(content.length, async () => {
      checkOid(oid, await repo.storeBlob(content))
      onSent(1, content.length)
    })
  }
  await window.end()
}

/** Large blobs, some at a time; one that is cut goes on where it was. */
async function sendStreams(blobs: SortedObjects['streamed'], { repo, stream, onSent }: Sending): Promise<void> {
  const waiting = blobs.entries()
  const sendOne = async () => {
    for (const [oid, size] of waiting) {
      let sent = 0
      const onProgress = ({ transferredBytes }: TransferProgress) => {
        onSent(0, transferredBytes - sent)
        sent = transferredBytes
      }
      checkOid(oid, await repo.upload(() => stream(oid), { oid, size, onProgress }))
      onSent(1, size - sent)
    }
  }
  await Promise.all(Array.from({ length: maxStreams }, sendOne))
}

/** The copy would be another one. */
function checkOid(oid: string, stored: { readonly oid: string }): void {
  if (stored.oid !== oid) throw new Error(`object ${oid} of the source was stored as ${stored.oid}`)
}

/** Objects of one request. */
interface Group {
  readonly objects: SourceObject[]
  readonly lowest: number
  readonly highest: number
}

/** A request waits for those before it that have objects of a lower level than one of its own. */
async function sendInOrder(sorted: Sorted, sending: Sending, refusals: Refusals): Promise<void> {
  let underWay: { readonly lowest: number; readonly answered: Promise<void> }[] = []
  for await (const { objects, lowest, highest } of groupsOf(sorted, sending.reader)) {
    const isFull = underWay.length === maxRequests
    await Promise.all(
      underWay
        .filter((group, index) => group.lowest < highest || (isFull && index === 0))
        .map(({ answered }) => answered)
    )
    underWay = underWay.filter((group, index) => group.lowest >= highest && !(isFull && index === 0))
    const answered = sendGroup(objects, sending, refusals)
    // Its failure is thrown where it is waited for.
    answered.catch(() => {})
    underWay.push({ lowest, answered })
  }
  await Promise.all(underWay.map(({ answered }) => answered))
}

async function* groupsOf({ oids, levels }: Sorted, reader: Sending['reader']): AsyncGenerator<Group, void> {
  let objects: SourceObject[] = []
  let bytes = 0
  let place = 0
  const levelOf = (index: number) => levels?.[index] ?? index
  const group = () => ({ objects, lowest: levelOf(place - objects.length), highest: levelOf(place - 1) })
  for await (const object of reader.read(oids)) {
    place++
    objects.push(object)
    bytes += object.content.length
    if (objects.length < maxOperations && bytes < maxRequestBytes) continue
    yield group()
    objects = []
    bytes = 0
  }
  if (objects.length > 0) yield group()
}

async function sendGroup(group: readonly SourceObject[], { repo, onSent }: Sending, refusals: Refusals): Promise<void> {
  const operations = group.map(({ kind, content }) => ({ storeObject: { kind, content, check: 'lenient' } }) as const)
  const results = await repo.batch(operations)
  let objects = 0
  let bytes = 0
  for (const [index, { oid, content }] of group.entries()) {
    const result = results[index]
    if (result?.ok) {
      checkOid(oid, result.value)
      objects++
      bytes += content.length
      continue
    }
    const error = result?.error
    if (!isRefusal(error)) throw error
    // Whatever refers to a refused object is refused for that alone.
    if (!error.is('missing_object') || refusals.size === 0) refusals.set(oid, error)
  }
  onSent(objects, bytes)
}
