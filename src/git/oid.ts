/** Object ids: the hash of `<kind> <size>\0<content>`. Source: Git's "Git Internals - Git Objects". */
import { contentGone, isGone } from '../core/contents.ts'
import { encodeUtf8 } from '../platform/bytes.ts'
import { hashHex, newHash } from '../platform/hash.ts'
import type { IncrementalHash } from '../platform/platform.ts'

/** Hash function for the oids of a repository. Source: git-init(1), `--object-format`. */
export type ObjectFormat = 'sha1' | 'sha256'

/** The type of an object. */
export type ObjectKind = 'blob' | 'tree' | 'commit' | 'tag'

/** All object formats, the default first. */
export const objectFormats: readonly ObjectFormat[] = ['sha1', 'sha256']

/** All kinds of objects. */
export const objectKinds: readonly ObjectKind[] = ['blob', 'tree', 'commit', 'tag']

/** Length of an oid in hex digits. */
export function oidLength(format: ObjectFormat): number {
  return format === 'sha1' ? 40 : 64
}

/** The format of an oid. */
export function oidFormat(oid: string): ObjectFormat {
  return oid.length === 64 ? 'sha256' : 'sha1'
}

const zeroOids = { sha1: '0'.repeat(40), sha256: '0'.repeat(64) } as const

/** The oid of no object, which stands for "no such ref". */
export function zeroOid(format: ObjectFormat): string {
  return zeroOids[format]
}

/** Whether the text is the zero oid of either format. */
export function isZeroOid(text: string): boolean {
  return text === zeroOids.sha1 || text === zeroOids.sha256
}

const forms = { sha1: /^[0-9a-f]{40}$/, sha256: /^[0-9a-f]{64}$/ } as const

/** Whether the text is a full oid in lower-case hex, of this format or (without one) of either. */
export function isOid(text: string, format?: ObjectFormat): boolean {
  return format === undefined ? forms.sha1.test(text) || forms.sha256.test(text) : forms[format].test(text)
}

/** The oid of an object, as `git hash-object` computes it; `content` is without Git's header. @throws BlobwireError `invalid_argument` for detached bytes */
export function hashObject(kind: ObjectKind, content: Uint8Array, format: ObjectFormat): string {
  // Node hashes the content of a detached buffer as an empty one.
  if (content.length === 0 && isGone(content)) throw contentGone('content')
  return hashHex(format, `${kind} ${content.length}\0`, content)
}

/** The hash of an object whose content comes in pieces; its digest is the oid. */
export function newObjectHash(kind: ObjectKind, size: number, format: ObjectFormat): IncrementalHash {
  const hash = newHash(format)
  hash.update(encodeUtf8(`${kind} ${size}\0`))
  return hash
}

/** The oid of the tree without entries. */
export function emptyTreeOid(format: ObjectFormat): string {
  return hashObject('tree', new Uint8Array(0), format)
}

/** The rule that a text violates, which is no oid of the format (without one: of either), and the oid that may be meant. */
export function oidProblem(text: string, format?: ObjectFormat): string {
  const rule = `must be a full ${format === undefined ? '' : `${format} `}oid in lower-case hex`
  if (isOid(text.toLowerCase(), format)) return `${rule}; did you mean ${text.toLowerCase()}?`
  if (format !== undefined && isOid(text))
    return `${rule} (${oidLength(format)} digits), as the repository is ${format}`
  const digits = format === undefined ? '40 or 64' : oidLength(format)
  if (/^[0-9a-f]{4,64}$/i.test(text)) return `${rule}: ${digits} digits, not ${text.length}`
  return text === '' ? rule : `${rule}, not ${JSON.stringify(text.slice(0, 80))}`
}
