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
  if (!/^[+-]\d{4}$/.test(zone)) throw invalidArgument(`${field}.zone`, 'must be like +0000 or -0330')
  return `${name} <${email}> ${timeSeconds} ${zone}`
}

function checkText(text: string, field: string): void {
  if (typeof text !== 'string' || !text.isWellFormed()) throw invalidArgument(field, 'must be well-formed text')
  if (forbidden.test(text)) throw invalidArgument(field, 'must not contain <, >, a newline or NUL')
}

const form = /^(.*?) ?<([^<>]*)> (\d{1,16}) ([+-]\d{4})$/

/** Parses an identity; undefined = the text is malformed. */
export function parseSignature(text: string): Identity | undefined {
  const [, name, email, seconds, zone] = form.exec(text) ?? []
  if (name === undefined || email === undefined || seconds === undefined || zone === undefined) return undefined
  return { name, email, timeSeconds: Number(seconds), zone }
}
