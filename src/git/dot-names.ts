/**
 * Names of entries that Git reads itself, in every spelling that a file system may take for them.
 * Source: Git's `is_ntfs_dotgit`, `is_hfs_dotgit` and their relatives.
 */

/** Code points that HFS+ ignores in names, so that ".g\u200cit" is ".git" there. Source: Git's utf8.c. */
const hfsIgnored = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** Git's decoder does not accept these characters, and ends the name before them. Source: `pick_one_utf8_char`. */
const hfsEnd = /[\ufffe\uffff].*$/s

/** The spellings of one name on NTFS and on HFS+. */
interface Spellings {
  readonly ntfs: RegExp
  readonly hfs: RegExp
}

/** Every spelling of a name here holds one of these. */
const special = /[.~]/

/** NTFS drops dots and spaces at the end, takes the text behind ":" as the name of a stream, and has short names. */
const dotGit: Spellings = { ntfs: /^(?:\.git|git~1)[. ]*(?:$|[:\\/])/i, hfs: hfsSpelling('git') }
const gitmodules = spellings('gitmodules', 'gi7eba')
const gitattributes = spellings('gitattributes', 'gi7d29')
const gitignore = spellings('gitignore', 'gi250a')
const mailmap = spellings('mailmap', 'maba30')

/** A dot file. On NTFS it has four short names made of its own, and later ones made of a hash. */
function spellings(name: string, hash: string): Spellings {
  const hashed = Array.from({ length: 7 }, (_, kept) => `${hash.slice(0, kept)}~[1-9]\\d{${6 - kept}}`)
  const short = [`\\.${name}`, `${name.slice(0, 6)}~[1-4]`, ...hashed]
  return { ntfs: new RegExp(`^(?:${short.join('|')})[. ]*(?:$|:)`, 'i'), hfs: hfsSpelling(name) }
}

function hfsSpelling(name: string): RegExp {
  return new RegExp(`^\\.${name}(?:$|/)`)
}

function matches(name: string, { ntfs, hfs }: Spellings): boolean {
  if (!special.test(name)) return false
  return ntfs.test(name) || hfs.test(name.replace(hfsIgnored, '').replace(hfsEnd, '').toLowerCase())
}

/** NTFS takes a backslash for a separator. */
function matchesBehindBackslash(name: string, { ntfs }: Spellings): boolean {
  for (let at = name.indexOf('\\'); at >= 0; at = name.indexOf('\\', at + 1)) {
    if (ntfs.test(name.slice(at + 1))) return true
  }
  return false
}

/** Whether a file system may read the name as `.git`. */
export const isDotGit = (name: string) => matches(name, dotGit) || matchesBehindBackslash(name, dotGit)

/** Whether a file system may read the name as `.gitmodules`. */
export const isGitmodules = (name: string) => matches(name, gitmodules) || matchesBehindBackslash(name, gitmodules)

/** Whether a file system may read the name as `.gitattributes`; Git does not look behind backslashes for this one. */
export const isGitattributes = (name: string) => matches(name, gitattributes)

/** The same for `.gitignore`. */
export const isGitignore = (name: string) => matches(name, gitignore)

/** The same for `.mailmap`. */
export const isMailmap = (name: string) => matches(name, mailmap)
