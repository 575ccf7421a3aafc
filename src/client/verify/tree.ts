/** Verifies listings of trees by their oids. */
import { BlobwireError } from '../../core/error.ts'
import { hashObject, type ObjectFormat } from '../../git/oid.ts'
import { encodeTree, type TreeItem } from '../../git/tree.ts'
import { decodeLatin1, encodeUtf8, toNative } from '../../platform/bytes.ts'
import type { Messages } from '../../schema/messages.ts'

type Entry = Messages['TreeEntry']

const slash = 0x2f

/** The error of an answer whose bytes do not hash to its oid. */
export function integrityError(message: string): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message, sent: 'processed', attempts: 1 })
}

/** Directory and name of an entry. Git's paths are bytes, so that keys are their Latin-1 text. */
function split(entry: Entry): { directory: string; name: Uint8Array; path: string } {
  const path = entry.rawPath.length > 0 ? toNative(entry.rawPath) : encodeUtf8(entry.path)
  const at = path.lastIndexOf(slash)
  const text = decodeLatin1(path)
  return { directory: at < 0 ? '' : text.slice(0, at), name: path.subarray(at + 1), path: text }
}

/**
 * Checks that a whole listing, recursive or not, is exactly the tree with its oid.
 * @throws BlobwireError `data_loss`, reason `integrity`
 */
export function verifyTree(listing: Messages['GetTreeResponse'], recursive: boolean): void {
  const format: ObjectFormat = listing.oid.length === 40 ? 'sha1' : 'sha256'
  const levels = new Map<string, TreeItem[]>([['', []]])
  const expected = new Map([['', listing.oid]])
  for (const entry of listing.entries) {
    const { directory, name, path } = split(entry)
    const level = levels.get(directory)
    if (level === undefined)
      throw integrityError(`tree: the listing lacks the directory of ${JSON.stringify(entry.path)}`)
    level.push({ name, mode: entry.mode, oid: entry.oid })
    if (recursive && entry.mode === '040000') {
      levels.set(path, [])
      expected.set(path, entry.oid)
    }
  }
  for (const [path, items] of levels) {
    const oid = expected.get(path)
    if (hashLevel(items, format) !== oid) throw integrityError(`tree ${oid}: the entries do not match the oid`)
  }
}

function hashLevel(items: TreeItem[], format: ObjectFormat): string {
  try {
    return hashObject('tree', encodeTree(items, format), format)
  } catch (cause) {
    throw integrityError(`tree: ${(cause as Error).message}`)
  }
}
