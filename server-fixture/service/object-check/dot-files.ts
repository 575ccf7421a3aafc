/**
 * Checks the files of a tree that Git reads itself. Source: Git's `fsck_blob`, `check_submodule_name` and
 * `check_submodule_url`: values with which a clone would write outside of its directory or run a command.
 */
import { decodeLatin1, toNative } from '../../../src/platform/bytes.ts'
import type { ProblemId } from './checked-object.ts'
import { parseConfig } from './git-config.ts'

/** Git takes no line of .gitattributes that is as long. */
const maxAttributesLine = 2048

/** The problems of the content of .gitmodules. */
export function gitmodulesProblems(content: Uint8Array): ProblemId[] {
  const { entries, isMalformed } = parseConfig(decodeLatin1(toNative(content)))
  const problems = new Set<ProblemId>()
  let last: string | undefined
  let submodule: Submodule | undefined
  for (const { section, key: given, value } of entries) {
    // Looked at once: a section may be as long as the file, with as many keys as it has lines.
    if (section !== last) submodule = submoduleOf(section)
    last = section
    if (submodule === undefined) continue
    if (submodule.isBad) problems.add('gitmodulesName')
    const problem = value === undefined ? undefined : valueProblem(submodule.key ?? given, untilNul(value))
    if (problem !== undefined) problems.add(problem)
  }
  if (isMalformed) problems.add('gitmodulesParse')
  return [...problems]
}

interface Submodule {
  readonly isBad: boolean
  /** The key that Git reads for all of the section, whose name has a NUL in it; undefined = each has its own. */
  readonly key: string | undefined
}

/** The submodule that a section is about; undefined = none. */
function submoduleOf(section: string): Submodule | undefined {
  const name = untilNul(section)
  const isCut = name.length < section.length
  const end = isCut ? name.lastIndexOf('.') : name.length
  if (!name.startsWith('submodule.') || end < 'submodule.'.length) return undefined
  return { isBad: isBadName(name.slice('submodule.'.length, end)), key: isCut ? name.slice(end + 1) : undefined }
}

function valueProblem(key: string, value: string): ProblemId | undefined {
  if (key === 'url' && isBadUrl(value)) return 'gitmodulesUrl'
  if (key === 'path' && value.startsWith('-')) return 'gitmodulesPath'
  return key === 'update' && value.startsWith('!') ? 'gitmodulesUpdate' : undefined
}

/** For Git, a text ends at a NUL. */
const untilNul = (text: string) => text.split('\0', 1)[0] as string

const isBadName = (name: string) => name === '' || name.split(/[\\/]/).includes('..')

function isBadUrl(url: string): boolean {
  if (url.startsWith('-')) return true
  if (/^\.{1,2}[\\/]|^git:\/\//.test(url)) {
    if (decoded(url).includes('\n')) return true
    // More "../" than the address that it is relative to has parts: what follows takes the place of the host.
    const [leading = ''] = /^(?:\.{1,2}[\\/])*/.exec(url) ?? []
    return /\.\.[\\/]/.test(leading) && /^[:/]/.test(url.slice(leading.length))
  }
  const [, helper, address] = /^((?:https?|ftps?)::)?(.*)$/s.exec(url) ?? []
  const isFetched = helper !== undefined || /^(?:https?|ftps?):\/\//.test(url)
  return isFetched && isBadAddress(address ?? '')
}

/** An address whose parts would put another host, or lines of their own, before a credential helper. */
function isBadAddress(url: string): boolean {
  const [, authority, rest] = /^.+?:\/\/([^/?#]*)(.*)$/s.exec(url) ?? []
  if (authority === undefined || rest === undefined) return true
  const host = authority.slice(authority.indexOf('@') + 1)
  return host === '' || decoded(authority).includes('\n') || decoded(rest).includes('\n')
}

const decoded = (text: string) =>
  text.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** The problems of the content of .gitattributes, which Git reads up to a NUL. */
export function gitattributesProblems(content: Uint8Array): ProblemId[] {
  const text = untilNul(decodeLatin1(toNative(content)))
  return text.split('\n').some((line) => line.length >= maxAttributesLine) ? ['gitattributesLineLength'] : []
}
