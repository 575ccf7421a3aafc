/** Indexes of packs, version 2: that of a pack with one object, and the search for an oid. Source: gitformat-pack(5). */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { type ObjectFormat, oidLength } from '../../../../src/git/oid.ts'

const magic = 0xff744f63
const headerBytes = 8
const fanoutBytes = 256 * 4
/** Behind the header and the fan-out table: the oids, in order. */
const oidsPosition = headerBytes + fanoutBytes
/** A position from 2 GiB on is a place in the table of positions of eight bytes. */
const largeMark = 0x80000000

/** The index of a pack that holds one object, at this position. */
export function encodeIndex(object: IndexedObject, pack: { checksum: Uint8Array; format: ObjectFormat }): Buffer {
  const oid = Buffer.from(object.oid, 'hex')
  const head = Buffer.alloc(oidsPosition)
  head.writeUInt32BE(magic, 0)
  head.writeUInt32BE(2, 4)
  for (let first = oid[0] ?? 0; first < 256; first++) head.writeUInt32BE(1, headerBytes + first * 4)
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(object.crc, 0)
  numbers.writeUInt32BE(object.position, 4)
  const body = Buffer.concat([head, oid, numbers, pack.checksum])
  return Buffer.concat([body, createHash(pack.format).update(body).digest()])
}

interface IndexedObject {
  readonly oid: string
  /** Of its bytes in the pack, with their header. */
  readonly crc: number
  readonly position: number
}

/**
 * Where in its pack an object is; undefined = it is not in this one, or the index has another form.
 *
 * @param path of the index
 */
export async function findInIndex(path: string, oid: string, format: ObjectFormat): Promise<number | undefined> {
  const handle = await open(path, 'r')
  try {
    return await find(handle, Buffer.from(oid, 'hex'), oidLength(format) / 2)
  } finally {
    await handle.close()
  }
}

async function find(handle: FileHandle, oid: Buffer, oidBytes: number): Promise<number | undefined> {
  const head = await readAt(handle, 0, oidsPosition)
  if (head.readUInt32BE(0) !== magic || head.readUInt32BE(4) !== 2) return undefined
  const first = oid[0] ?? 0
  const count = head.readUInt32BE(oidsPosition - 4)
  const low = first === 0 ? 0 : head.readUInt32BE(headerBytes + (first - 1) * 4)
  const high = head.readUInt32BE(headerBytes + first * 4)
  const index = await findOid(handle, oid, { low, high, oidBytes })
  if (index === undefined) return undefined
  const positions = oidsPosition + count * (oidBytes + 4)
  const position = (await readAt(handle, positions + index * 4, 4)).readUInt32BE()
  if (position < largeMark) return position
  const large = positions + count * 4 + (position - largeMark) * 8
  return Number((await readAt(handle, large, 8)).readBigUInt64BE())
}

async function findOid(
  handle: FileHandle,
  oid: Buffer,
  { low, high, oidBytes }: { low: number; high: number; oidBytes: number }
): Promise<number | undefined> {
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const order = oid.compare(await readAt(handle, oidsPosition + middle * oidBytes, oidBytes))
    if (order === 0) return middle
    if (order < 0) high = middle
    else low = middle + 1
  }
  return undefined
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
  if (bytesRead < length) throw new Error('the index of a pack is cut off')
  return buffer
}
