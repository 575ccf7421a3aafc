/** Sends objects, each after those that it refers to. */
import { BlobwireError, type Repository } from '../../src/index.ts'
import type { MissingObjects } from './missing-objects.ts'
import type { ObjectReader, SourceObject } from './object-reader.ts'
import { SendWindow } from './send-window.ts'

/** A request of trees, commits or tags: each may need the one before it, so that requests follow one another. */
const maxOperations = 1000
const maxRequestBytes = 1024 * 1024

/** The sending of one run. */
export interface Sending {
  readonly reader: ObjectReader
  readonly repo: Repository
  /** Called with the number of objects, and of bytes, that the server has just taken. */
  readonly onSent: (objects: number, bytes: number) => void
}

/** Why the server refuses an object, and with it all that refer to it. */
export type Refusals = Map<string, BlobwireError>

/** Whether the server has looked at the object, and will never take it. */
export function isRefusal(error: unknown): error is BlobwireError {
  return error instanceof BlobwireError && (error.code === 'invalid_argument' || error.code === 'failed_precondition')
}

/** Sends the objects; the server has them, durably, when this resolves, but for those that it refuses. */
export async function sendObjects(objects: MissingObjects, sending: Sending): Promise<Refusals> {
  const refusals: Refusals = new Map()
  await sendBlobs(sending.reader.read(objects.blob), sending)
  for (const kind of ['tree', 'commit', 'tag'] as const) {
    await sendInOrder(sending.reader.read(objects[kind]), sending, refusals)
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

/** The copy would be another one. */
function checkOid(oid: string, stored: { readonly oid: string }): void {
  if (stored.oid !== oid) throw new Error(`object ${oid} of the source was stored as ${stored.oid}`)
}

/** One request after the other; git reads the next one's objects meanwhile. */
async function sendInOrder(objects: AsyncIterable<SourceObject>, sending: Sending, refusals: Refusals): Promise<void> {
  let underWay: Promise<void> = Promise.resolve()
  for await (const group of groupsOf(objects)) {
    await underWay
    underWay = sendGroup(group, sending, refusals)
    // Its failure is thrown where it is waited for.
    underWay.catch(() => {})
  }
  await underWay
}

async function* groupsOf(objects: AsyncIterable<SourceObject>): AsyncGenerator<SourceObject[], void> {
  let group: SourceObject[] = []
  let bytes = 0
  for await (const object of objects) {
    group.push(object)
    bytes += object.content.length
    if (group.length < maxOperations && bytes < maxRequestBytes) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
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
    if (!error.is('missing_object')) refusals.set(oid, error)
  }
  onSent(objects, bytes)
}
