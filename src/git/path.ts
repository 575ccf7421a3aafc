/**
 * Paths in trees: those that `git fsck --strict` accepts and that any system can check out without harm.
 * Sources: Git's fsck.c (`hasDot`, `hasDotgit`, `fullPathname`), `is_ntfs_dotgit` and `is_hfs_dotgit`.
 */
import { utf8Length } from '../platform/bytes.ts'

/** The length from which `git fsck` warns of a large path name. */
const maxPathBytes = 4096

/** Code points that HFS+ ignores in names, so that ".g\u200cit" is ".git" there. Source: Git's utf8.c. */
const hfsIgnored = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** Git's decoder does not accept these characters, and ends the name before them. Source: `pick_one_utf8_char`. */
const hfsEnd = /[\ufffe\uffff].*$/s

/** NTFS drops dots and spaces at the end, takes the text behind ":" as the name of a stream, and has short names. */
const ntfsDotGit = /^(?:\.git|git~1)[. ]*(?:$|[:\\])/i
const ntfsDotGitmodules = ntfsSpellings('gitmodules', 'gi7eba')
const ntfsDotGitattributes = ntfsSpellings('gitattributes', 'gi7d29')

/** A dot file on NTFS: its name, its first four short names, and the later ones, which are made of a hash. */
function ntfsSpellings(name: string, hash: string): RegExp {
  const hashed = Array.from({ length: 7 }, (_, kept) => `${hash.slice(0, kept)}~[1-9]\\d{${6 - kept}}`)
  return new RegExp(`^(?:\\.${name}|${name.slice(0, 6)}~[1-4]|${hashed.join('|')})[. ]*(?:$|:)`, 'i')
}

/** Every spelling of a name that has a rule of its own holds one of these. */
const special = /[.~]/

/** The rule that a path violates; undefined = a tree can hold it. */
export function pathProblem(path: string): string | undefined {
  if (typeof path !== 'string' || path === '') return 'must be a path such as "dir/file.txt"'
  if (!path.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates'
  if (path.includes('\0')) return 'must not contain NUL'
  if (utf8Length(path) > maxPathBytes) return `must have at most ${maxPathBytes} bytes`
  const segments = path.split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '') return 'must not begin or end with "/" or contain "//"'
    if (!special.test(segment)) continue
    if (segment === '.' || segment === '..') return 'must not contain "." or ".." as a segment'
    if (matchesBehindBackslash(segment, ntfsDotGit, '.git'))
      return 'must not contain a segment that a file system may read as ".git"'
    const problem = index < segments.length - 1 ? modeProblem(segment, '040000') : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Git checks the text behind each backslash, too, because NTFS takes it for a separator; not so for .gitattributes. */
function matchesBehindBackslash(segment: string, ntfs: RegExp, hfs: string): boolean {
  const suffixes = [...segment.matchAll(/\\/g)].map(({ index }) => segment.slice(index + 1))
  return suffixes.some((suffix) => ntfs.test(suffix)) || matches(segment, ntfs, hfs)
}

function matches(segment: string, ntfs: RegExp, hfs: string): boolean {
  return ntfs.test(segment) || foldHfs(segment) === hfs
}

function foldHfs(segment: string): string {
  return segment.replace(hfsIgnored, '').replace(hfsEnd, '').toLowerCase()
}

/**
 * The rule that the mode of a path violates; undefined = the path can have it. Git reads the files of these names: it
 * would follow a link, and take a directory or the commit of a submodule for a damaged file.
 */
export function modeProblem(path: string, mode: string): string | undefined {
  if (mode !== '120000' && mode !== '160000' && mode !== '040000') return undefined
  const segment = path.slice(path.lastIndexOf('/') + 1)
  if (!special.test(segment)) return undefined
  if (matchesBehindBackslash(segment, ntfsDotGitmodules, '.gitmodules')) return '.gitmodules must be a file'
  if (mode !== '120000' && matches(segment, ntfsDotGitattributes, '.gitattributes')) {
    return '.gitattributes must not be a directory or a submodule'
  }
  return undefined
}
