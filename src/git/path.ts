/**
 * Paths that a tree may hold: what `git fsck --strict` accepts and what can be checked out on any system without harm.
 * Sources: Git's fsck.c (`hasDot`, `hasDotgit`, `fullPathname`), `is_ntfs_dotgit` and `is_hfs_dotgit`.
 */

/** Git's own limit on what fsck calls a large path name. */
const maxPathBytes = 4096

/** Code points that HFS+ ignores in names, so that ".g\u200cit" is ".git" there. Source: Git's utf8.c. */
const hfsIgnored = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** NTFS drops dots and spaces at the end, takes what follows ":" as a stream, and has short names. */
const ntfsDotGit = /^(?:\.git|git~1)[. ]*(?:$|[:\\])/i
const ntfsDotGitmodules =
  /^(?:\.gitmodules|gitmod~[1-4]|gi7eba~\d|gi7eb~\d{2}|gi7e~\d{3}|gi7~\d{4}|gi~\d{5}|g~\d{6})[. ]*(?:$|:)/i

/** Why a tree cannot hold this path; undefined = it can. */
export function pathProblem(path: string): string | undefined {
  if (typeof path !== 'string' || path === '') return 'must be a path such as "dir/file.txt"'
  if (!path.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates'
  if (path.includes('\0')) return 'must not hold NUL'
  if (Buffer.byteLength(path) > maxPathBytes) return `must have at most ${maxPathBytes} bytes`
  for (const segment of path.split('/')) {
    if (segment === '') return 'must not begin or end with "/" or hold "//"'
    if (segment === '.' || segment === '..') return 'must not hold "." or ".." as a segment'
    if (isDotGit(segment)) return 'must not hold a segment that some system takes for ".git"'
  }
  return undefined
}

function isDotGit(segment: string): boolean {
  // Git looks behind each backslash, too: NTFS takes it for a separator.
  return segment.split('\\').some((part) => ntfsDotGit.test(part)) || foldHfs(segment) === '.git'
}

function foldHfs(segment: string): string {
  return segment.replace(hfsIgnored, '').toLowerCase()
}

/** Why the path cannot be a symbolic link; undefined = it can. Git reads `.gitmodules` and would follow it. */
export function symlinkProblem(path: string): string | undefined {
  const segment = path.slice(path.lastIndexOf('/') + 1)
  const isGitmodules = ntfsDotGitmodules.test(segment) || foldHfs(segment) === '.gitmodules'
  return isGitmodules ? '.gitmodules must not be a symbolic link' : undefined
}
