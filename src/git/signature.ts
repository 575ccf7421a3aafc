/** The `author` and `committer` lines of a commit: `name <email> seconds zone`. Source: Git's `fsck_ident`. */
import { invalidArgument } from '../core/error.ts'

/** A person and a time. */
export interface Identity {
  readonly name: string
  readonly email: string
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly timeSeconds: number
  /** Offset from UTC as Git writes it: `+0000`, `-0330`. */
  readonly zone: string
}

const forbidden = /[<>\n\0]/
const zoneForm = /^[+-]\d{4}$/

/**
 * The text of the identity in a commit.
 * @throws BlobwireError `invalid_argument` naming the field (`author.zone`) for values that `git fsck --strict` refuses
 */
export function formatSignature(identity: Identity, field: string): string {
  const { name, email, timeSeconds, zone } = identity
  checkText(name, `${field}.name`)
  if (name === '') throw invalidArgument(`${field}.name`, 'must not be empty')
  if (/^\s|\s$/.test(name)) throw invalidArgument(`${field}.name`, 'must not begin or end with white space')
  checkText(email, `${field}.email`)
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) {
    throw invalidArgument(`${field}.timeSeconds`, 'must be a whole number of seconds since 1970, not negative')
  }
  if (!zoneForm.test(zone)) throw invalidArgument(`${field}.zone`, zoneProblem(zone))
  return `${name} <${email}> ${timeSeconds} ${zone}`
}

function zoneProblem(zone: string): string {
  const meant = /^([+-])(\d\d):(\d\d)$/.exec(String(zone))
  const hint = meant ? `did you mean ${meant.slice(1).join('')}?` : 'an offset from UTC, not the name of a zone'
  return zone === 'Z' ? 'must be like +0000 or -0330; did you mean +0000?' : `must be like +0000 or -0330; ${hint}`
}

function checkText(text: string, field: string): void {
  if (typeof text !== 'string' || !text.isWellFormed()) throw invalidArgument(field, 'must be well-formed text')
  if (forbidden.test(text)) throw invalidArgument(field, 'must not contain <, >, a newline or NUL')
}

/** Git's `isspace`. */
const spaces = ' \t\r\n'
const dateForm = /^[ \t\r\n]*(\d+)[ \t\r\n]*([+-]\d+)/

/**
 * Parses an identity as Git reads it, which is lenient: the date is behind the last ">", and one that is missing, has no
 * zone or is too large is 1970. Undefined = there is no e-mail address, and Git reads nothing. Source: `split_ident_line`
 * and `show_ident_date`.
 */
export function parseSignature(text: string): Identity | undefined {
  const open = text.indexOf('<')
  const close = text.indexOf('>', open + 1)
  if (open < 0 || close < 0) return undefined
  let nameEnd = open
  while (nameEnd > 0 && spaces.includes(text[nameEnd - 1] as string)) nameEnd--
  const name = text.slice(0, nameEnd)
  const email = text.slice(open + 1, close)
  const [, digits = '', zone = ''] = dateForm.exec(text.slice(text.lastIndexOf('>') + 1)) ?? []
  const timeSeconds = Number(digits)
  if (digits === '' || !Number.isSafeInteger(timeSeconds)) return { name, email, timeSeconds: 0, zone: '+0000' }
  return { name, email, timeSeconds, zone: zoneForm.test(zone) ? zone : shownZone(Number(zone)) }
}

/** The zone as Git shows a number: `+051800` is +51800. */
function shownZone(zone: number): string {
  if (Math.abs(zone) >= 2 ** 31 - 1) return '+0000'
  return `${zone < 0 ? '-' : '+'}${String(Math.abs(zone)).padStart(4, '0')}`
}
