/** Names of refs. Source: git-check-ref-format(1). */
import { invalidArgument } from '../core/error.ts'
import { utf8Length } from '../platform/bytes.ts'

/** Refs are files, whose names file systems limit to 255 bytes. */
const maxRefBytes = 1024
const maxSegmentBytes = 240

// biome-ignore lint/suspicious/noControlCharactersInRegex: rule 4 forbids them
const forbidden = /[\x00-\x20\x7f~^:?*[\\]/

/** The rule of `git check-ref-format` that a full name violates; undefined = a ref may have it, as Git reads it. */
export function refFormatProblem(name: string): string | undefined {
  if (typeof name !== 'string' || !/^refs\/./.test(name)) {
    const isShort = typeof name === 'string' && !name.startsWith('refs/')
    const branch = isShort ? name.replace(/^heads\//, '') : ''
    const meant = isBranch(branch) ? `; did you mean ${show(`refs/heads/${branch}`)}?` : ''
    return `must be a full name such as refs/heads/main${meant}`
  }
  if (!name.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates'
  if (utf8Length(name) > maxRefBytes) return `must have at most ${maxRefBytes} bytes`
  if (forbidden.test(name)) return 'must not contain spaces, control characters or any of ~ ^ : ? * [ \\'
  if (name.includes('..')) return 'must not contain ".."'
  if (name.includes('@{')) return 'must not contain "@{"'
  if (name.endsWith('.')) return 'must not end with "."'
  for (const segment of name.split('/')) {
    if (segment === '') return 'must not end with "/" or contain "//"'
    if (segment.startsWith('.')) return 'must not contain a segment that begins with "."'
    if (segment.endsWith('.lock')) return 'must not contain a segment that ends with ".lock"'
    if (utf8Length(segment) > maxSegmentBytes) return `must not contain a segment of more than ${maxSegmentBytes} bytes`
  }
  return undefined
}

/**
 * The rule that a name violates; undefined = a ref can be made with it as its full name. Git makes no branches that it
 * would take for options, or for HEAD (`git check-ref-format --branch`); refs that have such names can be read and deleted.
 */
export function refNameProblem(name: string): string | undefined {
  const problem = refFormatProblem(name)
  if (problem !== undefined || !/^refs\/heads\/(?:-|HEAD$)/.test(name)) return problem
  return 'must not be a branch that is HEAD or begins with "-"'
}

/** Whether a short name may be suggested for a branch: a ref can have it, and it was not made of bytes that are not UTF-8. */
function isBranch(name: string): boolean {
  return !name.includes('\ufffd') && refNameProblem(`refs/heads/${name}`) === undefined
}

/** Why no full name of a ref begins so; undefined = one may. */
export function refPrefixProblem(prefix: string): string | undefined {
  if ('refs/'.startsWith(prefix)) return undefined
  const isPossible = ['x', '/x', 'x/x'].some((rest) => refFormatProblem(prefix + rest) === undefined)
  return isPossible ? undefined : 'must be the beginning of a full name, such as refs/heads/'
}

/** Why a name that begins like one of a ref is no branch; `x` would be taken for `refs/heads/x`. */
function otherKind(branch: string): string | undefined {
  if (branch.startsWith('heads/') && isBranch(branch.slice(6)))
    return `must be ${show(branch.slice(6))} or ${show(`refs/${branch}`)}, not ${show(branch)}`
  if (branch.startsWith('refs/heads/refs/')) {
    const meant = branch.replace(/^(?:refs\/heads\/)+/, '')
    const hint = meant.startsWith('refs/') || !isBranch(meant) ? '' : `; did you mean ${show(meant)}?`
    return `must not begin twice like a ref${hint}`
  }
  if (!branch.startsWith('refs/') || branch.startsWith('refs/heads/')) return undefined
  const end = branch.slice(branch.lastIndexOf('/') + 1)
  const last = isBranch(end) ? end : 'main'
  const meant = `${show(last)} is short for ${show(`refs/heads/${last}`)}; updateRefs moves other refs`
  return `must be a branch, not another kind of ref such as ${show(branch)}: ${meant}`
}

const show = (name: string) => JSON.stringify(name.slice(0, 80))

/**
 * The full name of a branch: `main` and `refs/heads/main` are the same.
 * @param field where the request has it
 * @throws BlobwireError `invalid_argument` for a name that no branch can have
 */
export function branchRef(branch: string, field = 'branch'): string {
  if (typeof branch !== 'string' || branch === '') throw invalidArgument(field, 'must be a name such as main')
  const other = otherKind(branch)
  if (other !== undefined) throw invalidArgument(field, other)
  const name = branch.startsWith('refs/heads/') ? branch : `refs/heads/${branch}`
  const problem = refNameProblem(name)
  if (problem !== undefined) throw invalidArgument(field, problem)
  return name
}
