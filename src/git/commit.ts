/** The commit object. Source: Git's "Git Objects", and `fsck_commit` for its rules. */
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { decodeUtf8, encodeUtf8, isUtf8, toNative } from '../platform/bytes.ts'
import { isOid, oidProblem } from './oid.ts'
import { formatSignature, type Identity, parseSignature } from './signature.ts'
import { decodeText } from './text-encoding.ts'

/** Dates are numbers of 64 bits without a sign. */
const maxDate = 2 ** 64

/** The fields of a commit without further headers. */
export interface CommitFields {
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Identity
  readonly committer: Identity
  readonly message: string
}

/** A parsed commit. */
export interface ParsedCommit extends CommitFields {
  /** The encoding of its texts as it names it; '' = none is named, which means UTF-8. */
  readonly encoding: string
  /** Seconds since 1970 that Git orders history by: those of the committer where his line is exact. */
  readonly date: number
  /** Encoding the fields gives exactly the object's bytes. */
  readonly canonical: boolean
}

/**
 * The content of a commit object; the message is not changed.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function encodeCommit(fields: CommitFields): Uint8Array {
  return encodeUtf8(textOf(fields))
}

function textOf(fields: CommitFields): string {
  const { tree, parents, author, committer, message } = fields
  if (!isOid(tree)) throw invalidArgument('tree', oidProblem(tree))
  for (const [index, parent] of parents.entries()) {
    if (!isOid(parent)) throw invalidArgument(`parents[${index}]`, oidProblem(parent))
  }
  if (typeof message !== 'string' || !message.isWellFormed())
    throw invalidArgument('message', 'must be well-formed text')
  if (message.includes('\0')) throw invalidArgument('message', 'must not contain NUL')
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${formatSignature(author, 'author')}`,
    `committer ${formatSignature(committer, 'committer')}`
  ]
  return `${lines.join('\n')}\n\n${message}`
}

function damaged(): BlobwireError {
  return new BlobwireError({
    reason: 'integrity',
    message: 'the commit is damaged: its bytes are not a commit object'
  })
}

/** The identity of an author or committer line in which Git reads nothing. */
const nobody: Identity = { name: '', email: '', timeSeconds: 0, zone: '+0000' }

/**
 * Parses a commit object as Git reads it. Texts are in UTF-8, or in the encoding that the commit names where the platform
 * knows it; bytes of another encoding become U+FFFD. Sources: Git's `parse_commit_buffer` and `parse_commit_header`.
 * @throws BlobwireError `data_loss`, reason `integrity`, for malformed bytes
 */
export function parseCommit(content: Uint8Array): ParsedCommit {
  const bytes = toNative(content)
  const text = decodeUtf8(bytes)
  const exact = isUtf8(bytes) ? parseExact(text) : undefined
  if (exact !== undefined) return exact
  const links = parseLinks(text, bytes.length)
  const { encoding, hasOthers, ...written } = parseTexts(text, links.end)
  const { tree, parents } = links
  const decoded = encoding === '' ? undefined : decodeText(bytes, encoding)
  // An encoding that is not that of the object's own words, such as UTF-16, is none of its texts either.
  const texts = decoded?.startsWith(text.slice(0, links.end)) ? parseTexts(decoded, links.end) : written
  const { message } = texts
  const author = parseSignature(texts.author) ?? nobody
  const committer = texts.committer === texts.author ? author : (parseSignature(texts.committer) ?? nobody)
  const fields = { tree, parents, author, committer, message }
  const canonical = !hasOthers && isUtf8(bytes) && encodesTo(fields, text)
  return { ...fields, encoding, date: dateOf(text, links.end), canonical }
}

const oidForm = '[0-9a-f]{40}(?:[0-9a-f]{24})?'
/** As `formatSignature` writes it. */
const identityForm = String.raw`([^<>\s\0](?:[^<>\n\0]*[^<>\s\0])?) <([^<>\n\0]*)> (0|[1-9]\d{0,14}) ([+-]\d{4})`
const exactForm = new RegExp(
  String.raw`^tree (${oidForm})\n((?:parent ${oidForm}\n)*)author ${identityForm}\ncommitter ${identityForm}\n\n`
)

/** Parses what `encodeCommit` writes, as nearly all commits are; undefined = another commit. */
function parseExact(text: string): ParsedCommit | undefined {
  const found = exactForm.exec(text)
  if (found === null || text.includes('\0')) return undefined
  const [head, tree = '', links = '', name = '', email = '', seconds, zone = ''] = found
  const [, , , , , , , otherName = '', otherEmail = '', otherSeconds, otherZone = ''] = found
  const parents = links === '' ? [] : links.slice('parent '.length, -1).split('\nparent ')
  const author = { name, email, timeSeconds: Number(seconds), zone }
  const committer = { name: otherName, email: otherEmail, timeSeconds: Number(otherSeconds), zone: otherZone }
  const message = text.slice(head.length)
  const date = committer.timeSeconds
  return { tree, parents, author, committer, message, encoding: '', date, canonical: true }
}

/**
 * The tree and the parents, with which each commit begins. `end` is where the rest begins. Git reads no parent where the
 * commit, which has `size` bytes, ends too early for one.
 */
function parseLinks(text: string, size: number): { tree: string; parents: string[]; end: number } {
  const parents: string[] = []
  let [tree, end] = parseLink(text, 'tree ', 0)
  const parentBytes = 'parent '.length + tree.length
  for (let parent = ''; text.startsWith('parent ', end) && size > end + parentBytes; parents.push(parent)) {
    ;[parent, end] = parseLink(text, 'parent ', end)
  }
  return { tree, parents, end }
}

function parseLink(text: string, word: string, at: number): [oid: string, end: number] {
  const end = text.indexOf('\n', at)
  const oid = text.slice(at + word.length, end).toLowerCase()
  if (end < 0 || !text.startsWith(word, at) || !isOid(oid)) throw damaged()
  return [oid, end + 1]
}

/** The other headers and the message, which ends at a NUL; of several authors, Git shows the last. */
function parseTexts(text: string, start: number) {
  const found = { author: '', committer: '', encoding: '', message: '', hasOthers: false }
  let at = start
  while (at < text.length && text[at] !== '\n' && text[at] !== '\0') {
    let end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    if (text.startsWith('author ', at)) found.author = text.slice(at + 7, end)
    else if (text.startsWith('committer ', at)) found.committer = text.slice(at + 10, end)
    else {
      found.hasOthers = true
      if (found.encoding === '' && text.startsWith('encoding ', at)) found.encoding = text.slice(at + 9, end)
    }
    at = end + 1
  }
  if (text[at] !== '\n') return found
  const end = text.indexOf('\0', at)
  found.message = end < 0 ? text.slice(at + 1) : text.slice(at + 1, end)
  return found
}

/** Source: Git's `parse_commit_date`; a date before 1970 overflows. */
function dateOf(text: string, start: number): number {
  const line = text.indexOf('\n', start) + 1
  if (!text.startsWith('author', start) || line === 0 || !text.startsWith('committer', line)) return 0
  const end = text.indexOf('\n', line)
  const from = text.lastIndexOf('>', end)
  if (end < 0 || from < line) return 0
  const [, sign, digits] = /^[ \t\r\n]*(-?)(\d+)/.exec(text.slice(from + 1, end)) ?? []
  if (digits === undefined) return 0
  const seconds = Math.min(Number(digits), maxDate)
  return sign === '-' && seconds > 0 ? maxDate - seconds : seconds
}

function encodesTo(fields: CommitFields, text: string): boolean {
  try {
    return textOf(fields) === text
  } catch {
    // Git stores commits that `encodeCommit` refuses.
    return false
  }
}
