/**
 * Paths that a tree may hold: what `git fsck --strict` accepts and what can be checked out on any system without harm.
 * Sources: Git's fsck.c (`hasDot`, `hasDotgit`, `fullPathname`), `is_ntfs_dotgit` and `is_hfs_dotgit`.
 */
import { utf8Length } from '../platform/bytes.ts'

/** Git's own limit on what fsck calls a large path name. */
const maxPathBytes = 4096

/** Code points that HFS+ ignores in names, so that ".g\u200cit" is ".git" there. Source: Git's utf8.c. */
const hfsIgnored = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** To Git these are no characters, and a name ends where its decoder stops. Source: `pick_one_utf8_char`. */
const hfsEnd = /[\ufffe\uffff].*$/s

/** NTFS drops dots and spaces at the end, takes what follows ":" as a stream, and has short names. */
const ntfsDotGit = /^(?:\.git|git~1)[. ]*(?:$|[:\\])/i
const ntfsDotGitmodules = ntfsSpellings('gitmodules', 'gi7eba')
const ntfsDotGitattributes = ntfsSpellings('gitattributes', 'gi7d29')

/** A dot file on NTFS: its name, its first four short names, and the later ones, which are made of a hash. */
function ntfsSpellings(name: string, hash: string): RegExp {
  const hashed = Array.from({ length: 7 }, (_, kept) => `${hash.slice(0, kept)}~[1-9]\\d{${6 - kept}}`)
  return new RegExp(`^(?:\\.${name}|${name.slice(0, 6)}~[1-4]|${hashed.join('|')})[. ]*(?:$|:)`, 'i')
}

/** Why a tree cannot hold this path; undefined = it can. */
export function pathProblem(path: string): string | undefined {
  if (typeof path !== 'string' || path === '') return 'must be a path such as "dir/file.txt"'
  if (!path.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates'
  if (path.includes('\0')) return 'must not contain NUL'
  if (utf8Length(path) > maxPathBytes) return `must have at most ${maxPathBytes} bytes`
  for (const segment of path.split('/')) {
    if (segment === '') return 'must not begin or end with "/" or contain "//"'
    if (segment === '.' || segment === '..') return 'must not contain "." or ".." as a segment'
    if (matches(segment, ntfsDotGit, '.git')) return 'must not contain a segment that a file system may read as ".git"'
  }
  return undefined
}

/** Git looks behind each backslash, too: NTFS takes it for a separator. */
function matches(segment: string, ntfs: RegExp, hfs: string): boolean {
  const suffixes = [segment, ...[...segment.matchAll(/\\/g)].map(({ index }) => segment.slice(index + 1))]
  return suffixes.some((suffix) => ntfs.test(suffix)) || foldHfs(segment) === hfs
}

function foldHfs(segment: string): string {
  return segment.replace(hfsIgnored, '').replace(hfsEnd, '').toLowerCase()
}

/**
 * Why the path cannot have this mode; undefined = it can. Git reads what stands under these names: it would follow a
 * link, and take a submodule's commit for a blob that is missing.
 */
export function modeProblem(path: string, mode: string): string | undefined {
  if (mode !== '120000' && mode !== '160000') return undefined
  const segment = path.slice(path.lastIndexOf('/') + 1)
  if (matches(segment, ntfsDotGitmodules, '.gitmodules')) return '.gitmodules must be a file'
  if (mode === '160000' && matches(segment, ntfsDotGitattributes, '.gitattributes')) {
    return '.gitattributes must not be a submodule'
  }
  return undefined
}
