/** Verifies listings of trees by their oids. */
import { hashObject, type ObjectFormat } from '../../git/oid.ts'
import { encodeItems, modesOf, type TreeItem } from '../../git/tree.ts'
import { concat, decodeLatin1, encodeLatin1, encodeUtf8, toNative } from '../../platform/bytes.ts'
import type { Messages } from '../../schema/messages.ts'
import { integrityError } from './integrity.ts'

type Entry = Messages['TreeEntry']

/** A directory whose entries are being read. */
interface Level {
  /** Begins the paths of its entries; one character for each byte. */
  readonly prefix: string
  readonly oid: string
  readonly items: TreeItem[]
}

/**
 * Checks that a whole listing, recursive or not, is exactly the tree with its oid. Its entries come as the trees have
 * them, so that a name may be there twice, and each directory's follow it.
 * @throws BlobwireError `data_loss`, reason `integrity`
 */
export function verifyTree(listing: Messages['GetTreeResponse'], recursive: boolean): void {
  const format: ObjectFormat = listing.oid.length === 40 ? 'sha1' : 'sha256'
  let level: Level = { prefix: '', oid: listing.oid, items: [] }
  const above: Level[] = []
  const close = (): void => {
    const next = above.pop()
    const rest = checkLevel(level, format, next?.prefix)
    if (next === undefined) return
    for (const item of rest) next.items.push(item)
    level = next
  }
  for (const entry of listing.entries) {
    const path = entry.rawPath.length > 0 ? toNative(entry.rawPath) : encodeUtf8(entry.path)
    const text = decodeLatin1(path)
    while (!text.startsWith(level.prefix)) close()
    level.items.push(itemOf(entry, path.subarray(level.prefix.length)))
    if (!recursive || entry.mode !== '040000') continue
    above.push(level)
    level = { prefix: `${text}/`, oid: entry.oid, items: [] }
  }
  while (above.length > 0) close()
  close()
}

function itemOf({ mode, oid, rawMode }: Entry, name: Uint8Array): TreeItem {
  if (rawMode !== '') return { name, mode, oid, rawMode }
  // Servers of earlier versions tell the modes of old history as they are.
  return { name, ...modesOf(mode.replace(/^0/, '')), oid }
}

/** Names that hold a slash are rare; each is tried. */
const maxMisplaced = 100

/**
 * Checks the entries of one directory. Returns those at the end that belong to the directory above, whose prefix is
 * given: Git reads names that hold a slash, and the paths do not tell `a/b` from `b` in `a`.
 */
function checkLevel({ prefix, oid, items }: Level, format: ObjectFormat, above: string | undefined): TreeItem[] {
  if (hashLevel(items, format) === oid) return []
  const first = above === undefined ? items.length : Math.max(0, items.length - maxMisplaced)
  for (let end = items.length - 1; end >= first; end--) {
    if (hashLevel(items.slice(0, end), format) !== oid) continue
    const name = encodeLatin1(prefix.slice(above?.length))
    return items.slice(end).map((item) => ({ ...item, name: concat([name, item.name]) }))
  }
  throw integrityError(`tree ${oid}: the entries do not match the oid`)
}

function hashLevel(items: readonly TreeItem[], format: ObjectFormat): string {
  try {
    return hashObject('tree', encodeItems(items, format), format)
  } catch (cause) {
    throw integrityError(`tree: ${(cause as Error).message}`)
  }
}
