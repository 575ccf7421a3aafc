/** The tree object: `<mode> <name>\0<oid bytes>` for each entry, in Git's order. Source: Git's "Git Objects". */
import { BlobwireError, invalidArgument } from '../core/error.ts'
import {
  compare,
  concat,
  decodeHex,
  decodeLatin1,
  decodeUtf8,
  encodeHex,
  encodeUtf8,
  toNative
} from '../platform/bytes.ts'
import { canonicalMode, isMode, type Mode, modeOfText, textOfMode } from './mode.ts'
import { isOid, type ObjectFormat, oidLength } from './oid.ts'

/** One entry of one tree. Git's names are bytes. The mode is that of `git ls-tree`. */
export interface TreeItem {
  readonly name: Uint8Array
  readonly mode: string
  readonly oid: string
  /** The mode as the tree has it, where that is not the text that Git writes. */
  readonly rawMode?: string
}

/** The modes of an entry whose mode has this text. */
export function modesOf(text: string): { mode: Mode; rawMode?: string } {
  const mode = modeOfText(text)
  return mode === undefined ? { mode: canonicalMode(text), rawMode: text } : { mode }
}

const slash = 0x2f
const space = 0x20
const nul = new Uint8Array(1)

/** Git sorts a tree as if its name ended in "/". Source: git-mktree(1) and Git's `base_name_compare`. */
export function compareItems(a: TreeItem, b: TreeItem): number {
  const length = Math.min(a.name.length, b.name.length)
  const order = compare(a.name.subarray(0, length), b.name.subarray(0, length))
  return order !== 0 ? order : byteAfter(a, length) - byteAfter(b, length)
}

function byteAfter(item: TreeItem, at: number): number {
  return item.name[at] ?? (item.mode === '040000' ? slash : 0)
}

/** The items in the order that Git gives them. */
export function inGitsOrder(items: readonly TreeItem[]): TreeItem[] {
  return [...items].sort(compareItems)
}

/**
 * The content of a tree object with these entries in this order, as Git itself may have read it.
 * @throws BlobwireError `invalid_argument` for names, modes and oids whose bytes would be read as other entries
 */
export function encodeItems(items: readonly TreeItem[], format: ObjectFormat): Uint8Array {
  const pieces: Uint8Array[] = []
  for (const { name, mode, oid, rawMode } of items) {
    const isSound = name.length > 0 && !name.includes(0) && isOid(oid, format) && isMode(mode)
    if (!isSound || (rawMode !== undefined && !isTextOf(rawMode, mode))) {
      const shown = JSON.stringify(decodeUtf8(toNative(name)))
      throw invalidArgument('entries', `${shown} must have a name without NUL, a mode of Git and a full ${format} oid`)
    }
    pieces.push(encodeUtf8(`${rawMode ?? textOfMode(mode)} `), name, nul, decodeHex(oid))
  }
  return concat(pieces)
}

const isTextOf = (text: string, mode: string) => /^[0-7]+$/.test(text) && canonicalMode(text) === mode

/**
 * The content of a tree object as Git writes it; the items may come in any order.
 * @throws BlobwireError `invalid_argument` for a name that is given twice, is empty, or holds "/" or NUL, and for a
 * mode or an oid of another length, whose bytes would be read as further entries
 */
export function encodeTree(items: readonly TreeItem[], format: ObjectFormat): Uint8Array {
  const names = new Set<string>()
  const sorted = inGitsOrder(items)
  for (const item of sorted) {
    const name = toNative(item.name)
    const key = decodeLatin1(name)
    if (key === '' || name.includes(slash) || name.includes(0)) {
      throw invalidArgument('entries', `${JSON.stringify(decodeUtf8(name))} is not a valid name of an entry`)
    }
    if (names.has(key)) throw invalidArgument('entries', `${JSON.stringify(decodeUtf8(name))} occurs twice in one tree`)
    names.add(key)
  }
  return encodeItems(sorted, format)
}

function damaged(): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message: 'the tree is damaged: its bytes are not a tree object' })
}

/**
 * The entries of a tree object, in its order.
 * @throws BlobwireError `data_loss`, reason `integrity`, for malformed bytes
 */
export function parseTree(content: Uint8Array, format: ObjectFormat): TreeItem[] {
  const bytes = toNative(content)
  const oidBytes = oidLength(format) / 2
  const items: TreeItem[] = []
  let at = 0
  while (at < bytes.length) {
    const nameAt = bytes.indexOf(space, at) + 1
    const oidAt = bytes.indexOf(0, nameAt) + 1
    if (nameAt <= at + 1 || oidAt <= nameAt + 1 || oidAt + oidBytes > bytes.length) throw damaged()
    const mode = decodeLatin1(bytes, at, nameAt - 1)
    if (!/^[0-7]+$/.test(mode)) throw damaged()
    items.push({
      name: bytes.subarray(nameAt, oidAt - 1),
      ...modesOf(mode),
      oid: encodeHex(bytes, oidAt, oidAt + oidBytes)
    })
    at = oidAt + oidBytes
  }
  return items
}
