/**
 * Paths in trees: those that `git fsck --strict` accepts and that any system can check out without harm.
 * Source: Git's fsck.c (`hasDot`, `hasDotgit`, `fullPathname`).
 */
import { utf8Length } from '../platform/bytes.ts'
import { isDotGit, isGitattributes, isGitmodules } from './dot-names.ts'

/** The length from which `git fsck` warns of a large path name. */
const maxPathBytes = 4096

/** Every spelling of a name that has a rule of its own holds one of these. */
const special = /[.~]/

/**
 * The path that may be meant by one with slashes or dots around its segments; none where a tree cannot hold it either, or
 * it is not UTF-8 and thus has U+FFFF here.
 */
export function meantPath(path: string): string {
  const meant = path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/')
  if (meant === path || meant.length > 200 || meant.includes('\uffff') || pathProblem(meant) !== undefined) return ''
  return `; did you mean ${JSON.stringify(meant)}?`
}

/** The rule that a path violates; undefined = a tree can hold it. */
export function pathProblem(path: string, length?: number): string | undefined {
  if (typeof path !== 'string' || path === '') return 'must be a path such as "dir/file.txt"'
  if (!path.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates'
  if (path.includes('\0')) return 'must not contain NUL'
  if ((length ?? utf8Length(path)) > maxPathBytes) return `must have at most ${maxPathBytes} bytes`
  const segments = path.split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '') return `must not begin or end with "/" or contain "//"${meantPath(path)}`
    if (!special.test(segment)) continue
    if (segment === '.' || segment === '..') return `must not contain "." or ".." as a segment${meantPath(path)}`
    if (isDotGit(segment)) return 'must not contain a segment that a file system may read as ".git"'
    const problem = index < segments.length - 1 ? modeProblem(segment, '040000') : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}

/**
 * The rule that the mode of a path violates; undefined = the path can have it. Git reads the files of these names: it
 * would follow a link, and take a directory or the commit of a submodule for a damaged file.
 */
export function modeProblem(path: string, mode: string): string | undefined {
  if (mode !== '120000' && mode !== '160000' && mode !== '040000') return undefined
  const segment = path.slice(path.lastIndexOf('/') + 1)
  if (!special.test(segment)) return undefined
  if (isGitmodules(segment)) return '.gitmodules must be a file'
  if (mode !== '120000' && isGitattributes(segment)) {
    return '.gitattributes must not be a directory or a submodule'
  }
  return undefined
}
