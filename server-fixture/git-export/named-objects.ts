/** The objects that an object names, read fast and without judging it. */
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'

/** An object by name; `kind` undefined = the name does not tell it. */
export interface NamedObject {
  readonly oid: string
  readonly kind: ObjectKind | undefined
}

/** Commits of submodules are left out: they are in other repositories. */
export function namedObjects(kind: ObjectKind, content: Uint8Array, format: ObjectFormat): NamedObject[] {
  if (kind === 'blob') return []
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  if (kind === 'tree') return namedByTree(bytes, format === 'sha1' ? 20 : 32)
  const end = bytes.indexOf('\n\n')
  return namedByHeader(bytes.toString('latin1', 0, end < 0 ? bytes.length : end))
}

const space = 0x20
/** Of the first digits of a mode: `40000` is a tree, `160000` a commit; zeros may precede (Git's `fsck_tree`). */
const treeMode = /^0*4/
const commitMode = /^0*16/

function namedByTree(bytes: Buffer, oidBytes: number): NamedObject[] {
  const named: NamedObject[] = []
  for (let at = 0; at < bytes.length; ) {
    const nameAt = bytes.indexOf(space, at) + 1
    const oidAt = bytes.indexOf(0, nameAt) + 1
    if (nameAt === 0 || oidAt === 0) throw new Error('the tree ends within an entry')
    const mode = bytes.toString('latin1', at, nameAt - 1)
    at = oidAt + oidBytes
    if (commitMode.test(mode)) continue
    named.push({ oid: bytes.toString('hex', oidAt, at), kind: treeMode.test(mode) ? 'tree' : 'blob' })
  }
  return named
}

const kinds: Readonly<Record<string, ObjectKind | undefined>> = { tree: 'tree', parent: 'commit', object: undefined }

/** The first lines of a commit and of a tag name objects; others come behind `author` or `type`. */
function namedByHeader(header: string): NamedObject[] {
  const named: NamedObject[] = []
  for (const line of header.split('\n')) {
    const [word = '', oid = ''] = line.split(' ', 2)
    if (!Object.hasOwn(kinds, word)) break
    named.push({ oid, kind: kinds[word] })
  }
  return named
}
