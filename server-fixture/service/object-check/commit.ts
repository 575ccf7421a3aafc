/** Checks commits. Source: Git's `parse_commit_buffer`, for the bytes that Git can read, and `fsck_commit`. */
import { type ObjectFormat, oidLength } from '../../../src/git/oid.ts'
import { type CheckedObject, type NamedObject, type ProblemId, unreadable } from './checked-object.ts'
import { headerOf, identityProblem } from './header.ts'

/** The oid at the end of a line; Git reads it in either case. */
function oidOf(line: string, name: string, format: ObjectFormat): string | undefined {
  const oid = line.slice(name.length + 1)
  return line.startsWith(`${name} `) && oid.length === oidLength(format) && /^[\da-fA-F]+$/.test(oid)
    ? oid.toLowerCase()
    : undefined
}

/** @throws BlobwireError `invalid_argument` for bytes that Git cannot read as a commit */
export function checkCommit(content: Uint8Array, format: ObjectFormat): CheckedObject {
  const { lines, problem } = headerOf(content)
  const [first = ''] = lines
  const tree = oidOf(first, 'tree', format)
  // Git reads no commit that ends with this line.
  if (tree === undefined || content.length <= first.length + 1) {
    throw unreadable('commit', `the first line of several must be 'tree' and a full ${format} oid`)
  }
  const named: NamedObject[] = [{ oid: tree, kind: 'tree' }]
  let read = first.length + 1
  let next = 1
  for (; lines[next]?.startsWith('parent '); next++) {
    const line = lines[next] as string
    const oid = oidOf(line, 'parent', format)
    // Git reads no parent where the object ends too early for one.
    const isCut = content.length - read <= 'parent '.length + oidLength(format)
    if (isCut) break
    if (oid === undefined) throw unreadable('commit', `each 'parent' line must have a full ${format} oid`)
    named.push({ oid, kind: 'commit' })
    read += line.length + 1
  }
  const found = problem ?? (lines[next]?.startsWith('parent ') ? 'badParentSha1' : peopleProblem(lines.slice(next)))
  if (found !== undefined) return { named, problems: [found] }
  return { named, problems: content.includes(0) ? ['nulInCommit'] : [] }
}

/** Git reports the first problem of the lines behind the parents. */
function peopleProblem(lines: readonly string[]): ProblemId | undefined {
  let authors = 0
  for (; lines[authors]?.startsWith('author '); authors++) {
    const found = identityProblem((lines[authors] as string).slice('author '.length))
    if (found !== undefined) return found
  }
  if (authors === 0) return 'missingAuthor'
  if (authors > 1) return 'multipleAuthors'
  const committer = lines[authors]
  return committer?.startsWith('committer ')
    ? identityProblem(committer.slice('committer '.length))
    : 'missingCommitter'
}
