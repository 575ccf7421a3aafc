/** The header of a commit or tag: lines up to the first empty one. Source: Git's `verify_headers` and `fsck_ident`. */
import { decodeLatin1, toNative } from '../../../src/platform/bytes.ts'
import type { ProblemId } from './checked-object.ts'

const lineFeed = 0x0a

/** The lines of the header as Latin-1, and a problem of the header as a whole. */
export interface Header {
  readonly lines: readonly string[]
  readonly problem: ProblemId | undefined
}

/** The header of an object's bytes. */
export function headerOf(content: Uint8Array): Header {
  const bytes = toNative(content)
  let end = bytes.indexOf(lineFeed)
  while (end >= 0 && bytes[end + 1] !== lineFeed) end = bytes.indexOf(lineFeed, end + 1)
  const text = decodeLatin1(bytes, 0, end < 0 ? bytes.length : end)
  const lines = text.replace(/\n$/, '').split('\n')
  if (text.includes('\0')) return { lines, problem: 'nulInHeader' }
  const isTerminated = end >= 0 || text.endsWith('\n')
  return { lines, problem: isTerminated ? undefined : 'unterminatedHeader' }
}

/** The latest date of a 64-bit clock. */
const latestSeconds = 2n ** 63n - 1n

const identityForm = /^([^<>]*)<([^<>]*)> [ \t]*(.*)$/s

/** The problem of an identity, the text behind `author `, `committer ` or `tagger `. */
export function identityProblem(text: string): ProblemId | undefined {
  const [, name, , date] = identityForm.exec(text) ?? []
  if (name === undefined || date === undefined) return malformed(text)
  if (name === '') return 'missingNameBeforeEmail'
  return name.endsWith(' ') ? dateProblem(date) : 'missingSpaceBeforeEmail'
}

/** The part of an identity that has not its form; the name comes first. */
function malformed(text: string): ProblemId {
  const nameEnd = text.search(/[<>]/)
  if (nameEnd < 0) return 'missingEmail'
  if (text[nameEnd] === '>') return 'badName'
  if (nameEnd === 0) return 'missingNameBeforeEmail'
  if (text[nameEnd - 1] !== ' ') return 'missingSpaceBeforeEmail'
  return /^[^<>]*>/.test(text.slice(nameEnd + 1)) ? 'missingSpaceBeforeDate' : 'badEmail'
}

function dateProblem(text: string): ProblemId | undefined {
  const [digits = ''] = /^\d*/.exec(text) ?? []
  if (digits === '') return 'badDate'
  if (text.startsWith('0') && text[1] !== ' ') return 'zeroPaddedDate'
  if (digits.length > 23 || BigInt(digits) > latestSeconds) return 'badDateOverflow'
  if (text[digits.length] !== ' ') return 'badDate'
  return /^[+-]\d{4}$/.test(text.slice(digits.length + 1)) ? undefined : 'badTimezone'
}
