/** Checks trees. Source: Git's `fsck_tree`. */
import { isUtf8 } from 'node:buffer'
import { BlobwireError } from '../../../src/core/error.ts'
import { isDotGit, isGitattributes, isGitignore, isGitmodules, isMailmap } from '../../../src/git/dot-names.ts'
import { kindOfMode, modeOfText } from '../../../src/git/mode.ts'
import { isZeroOid, type ObjectFormat } from '../../../src/git/oid.ts'
import { compareItems, parseTree, type TreeItem } from '../../../src/git/tree.ts'
import { type CheckedObject, type DotFile, type ProblemId, unreadable } from './checked-object.ts'

const maxNameBytes = 4096

/** The bytes of U+FFFD, which stands in decoded text for bytes that are not UTF-8, too. */
const replacement = Buffer.from('\ufffd')

/** @throws BlobwireError `invalid_argument` for bytes that Git cannot read as a tree */
export function checkTree(content: Uint8Array, format: ObjectFormat): CheckedObject {
  const items = itemsOf(content, format)
  const problems = new Set<ProblemId>()
  const dotFiles: DotFile[] = []
  const names = new Set<string>()
  let before: TreeItem | undefined
  for (const item of items) {
    const name = toBuffer(item.name)
    const text = textOf(name)
    addProblems(item, text, problems)
    if (item.mode === '120000') addLinkProblems(text, problems)
    else {
      if (isGitmodules(text)) dotFiles.push({ name: 'gitmodules', oid: item.oid })
      if (isGitattributes(text)) dotFiles.push({ name: 'gitattributes', oid: item.oid })
    }
    if (name.length > maxNameBytes) problems.add('largePathname')
    const key = name.toString('latin1')
    if (names.has(key)) problems.add('duplicateEntries')
    else names.add(key)
    const isSame = before !== undefined && name.equals(before.name)
    if (before !== undefined && !isSame && compareItems(before, item) >= 0) problems.add('treeNotSorted')
    before = item
  }
  const inside = items.filter(({ mode }) => mode !== '160000')
  const named = inside.map(({ mode, oid }) => ({ oid, kind: kindOfMode(mode) }))
  return { problems: [...problems], named, dotFiles }
}

const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function itemsOf(content: Uint8Array, format: ObjectFormat): TreeItem[] {
  try {
    return parseTree(content, format)
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    throw unreadable('tree', `each entry must be an octal mode, a space, a name, NUL and the bytes of a ${format} oid`)
  }
}

function addProblems({ rawMode, oid }: TreeItem, text: string, problems: Set<ProblemId>): void {
  if (rawMode?.startsWith('0')) problems.add('zeroPaddedFilemode')
  if (rawMode !== undefined && modeOfText(rawMode.replace(/^0+/, '')) === undefined) problems.add('badFilemode')
  if (isZeroOid(oid)) problems.add('nullSha1')
  if (text.includes('/')) problems.add('fullPathname')
  if (text === '.') problems.add('hasDot')
  if (text === '..') problems.add('hasDotdot')
  if (isDotGit(text)) problems.add('hasDotgit')
}

/** Git does not follow links to the files that it reads itself. */
function addLinkProblems(text: string, problems: Set<ProblemId>): void {
  if (isGitmodules(text)) problems.add('gitmodulesSymlink')
  if (isGitattributes(text)) problems.add('gitattributesSymlink')
  if (isGitignore(text)) problems.add('gitignoreSymlink')
  if (isMailmap(text)) problems.add('mailmapSymlink')
}

/** The name as text; where it is not UTF-8, with a character in it that ends it for HFS+, as it does for Git. */
function textOf(name: Buffer): string {
  const text = name.toString()
  if (isUtf8(name)) return text
  let at = 0
  let bytes = 0
  for (;;) {
    const next = text.indexOf('\ufffd', at)
    bytes += Buffer.byteLength(text.slice(at, next))
    if (!name.subarray(bytes, bytes + 3).equals(replacement))
      return `${text.slice(0, next)}\uffff${name.toString('latin1', bytes)}`
    at = next + 1
    bytes += 3
  }
}
