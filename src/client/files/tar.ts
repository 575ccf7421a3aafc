/** Members of a tar archive. modern-tar makes their headers: ustar, with pax records where a field has no room. */
import type { TarHeader } from 'modern-tar'
import { concat, decodeUtf8, encodeLatin1, encodeUtf8, isUtf8 } from '../../platform/bytes.ts'

const blockBytes = 512
const nameBytes = 100
const linkAt = 157
const checksumAt = 148
const prefixAt = 345

/** Fills a member up to a whole block. */
export const tarPadding = (size: number) => new Uint8Array(-size & (blockBytes - 1))

/** The end of an archive. */
export const tarEnd = new Uint8Array(2 * blockBytes)

/** A member, whose names are binary strings. */
export interface TarMember extends Omit<TarHeader, 'name' | 'linkname' | 'uname' | 'gname'> {
  readonly name: string
  readonly linkname?: string
}

/** The header of a member, with its pax records. */
export async function tarHeader({ name, linkname, ...rest }: TarMember): Promise<Uint8Array> {
  const names = { name: textOf(name), ...(linkname === undefined ? {} : { linkname: textOf(linkname) }) }
  const blocks = await headerBlocks({ ...rest, ...names, uname: 'root', gname: 'root' })
  const isExact = isUtf8(encodeLatin1(name)) && (linkname === undefined || isUtf8(encodeLatin1(linkname)))
  if (!isExact) putBytes(blocks, name, linkname)
  return blocks
}

/** The text of a name; each byte of one that is not UTF-8 is a letter, so that it has its length and its slashes. */
function textOf(binary: string): string {
  const bytes = encodeLatin1(binary)
  return isUtf8(bytes) ? decodeUtf8(bytes) : standIn(binary)
}

const standIn = (binary: string) => binary.replace(/[\x80-\xff]/g, '_')

async function headerBlocks(header: TarHeader): Promise<Uint8Array> {
  const { createTarPacker } = await import('modern-tar')
  const { readable, controller } = createTarPacker()
  controller.add(header)
  const reader = readable.getReader()
  const pieces: Uint8Array[] = []
  let missing = blockBytes
  for (let length = 0; length < missing; ) {
    const { value = new Uint8Array(0) } = await reader.read()
    // Pax records come as a member before: header, body, and then the header itself.
    if (length === 0 && String.fromCharCode(value[156] as number) === 'x') {
      const size = Number.parseInt(decodeUtf8(concat([value.subarray(124, 135)])), 8)
      missing = 2 * blockBytes + size + tarPadding(size).length
    }
    pieces.push(value)
    length += value.length
  }
  return concat(pieces)
}

/** Puts the bytes of names in the places of the letters. GNU tar and Git take pax records as bytes, too. */
function putBytes(blocks: Uint8Array, name: string, linkname: string | undefined): void {
  const header = blocks.subarray(blocks.length - blockBytes)
  const records = blocks.subarray(blockBytes, Math.max(blockBytes, blocks.length - blockBytes))
  const prefixEnd = header.indexOf(0, prefixAt)
  const prefixLength = Math.min(prefixEnd < 0 ? blockBytes : prefixEnd, prefixAt + 155) - prefixAt
  if (prefixLength > 0) header.set(encodeLatin1(name.slice(0, prefixLength)), prefixAt)
  const rest = prefixLength > 0 ? name.slice(prefixLength + 1) : name
  if (!isUtf8(encodeLatin1(name))) {
    header.set(encodeLatin1(rest.slice(0, nameBytes)), 0)
    putRecord(records, ' path=', name)
  }
  if (linkname !== undefined && !isUtf8(encodeLatin1(linkname))) {
    header.set(encodeLatin1(linkname.slice(0, nameBytes)), linkAt)
    putRecord(records, ' linkpath=', linkname)
  }
  header.fill(0x20, checksumAt, checksumAt + 8)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.set(encodeUtf8(`${sum.toString(8).padStart(6, '0')}\0 `), checksumAt)
}

function putRecord(records: Uint8Array, key: string, value: string): void {
  const text = String.fromCharCode(...records)
  const at = text.indexOf(`${key}${standIn(value)}\n`)
  if (at >= 0) records.set(encodeLatin1(value), at + key.length)
}
