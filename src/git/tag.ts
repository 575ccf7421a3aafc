/** The tag object. Source: Git's "Git Objects", and git-mktag(1) for its rules. */
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { compare, decodeUtf8, encodeUtf8, isUtf8, toNative } from '../platform/bytes.ts'
import { isOid, type ObjectKind, objectKinds } from './oid.ts'
import { refFormatProblem } from './ref-name.ts'
import { formatSignature, type Identity, parseSignature } from './signature.ts'

/** The fields of an annotated tag without further headers. */
export interface TagFields {
  readonly object: string
  /** Of the tagged object. */
  readonly kind: ObjectKind
  readonly name: string
  /** Early versions of Git made tags without one. */
  readonly tagger: Identity | undefined
  /** With the signature of a signed tag, which follows it. */
  readonly message: string
}

/** A parsed tag. `canonical` = encoding the fields gives exactly the object's bytes. */
export interface ParsedTag extends TagFields {
  readonly canonical: boolean
}

/** The rule that the name of a tag violates; undefined = a tag may have it. */
function tagNameProblem(name: string): string | undefined {
  const problem = refFormatProblem(`refs/tags/${name}`)
  return problem && (name === '' ? 'must be a name such as v1.0' : problem)
}

/**
 * The content of a tag object; the message is not changed.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function encodeTag({ object, kind, name, tagger, message }: TagFields): Uint8Array {
  if (!isOid(object)) throw invalidArgument('object', 'must be a full oid in lower-case hex')
  if (!objectKinds.includes(kind)) throw invalidArgument('kind', `must be one of ${objectKinds.join(', ')}`)
  const problem = typeof name === 'string' ? tagNameProblem(name) : 'must be a string'
  if (problem !== undefined) throw invalidArgument('name', problem)
  if (typeof message !== 'string' || !message.isWellFormed())
    throw invalidArgument('message', 'must be well-formed text')
  if (message.includes('\0')) throw invalidArgument('message', 'must not contain NUL')
  const taggerLine = tagger ? `tagger ${formatSignature(tagger, 'tagger')}\n` : ''
  return encodeUtf8(`object ${object}\ntype ${kind}\ntag ${name}\n${taggerLine}\n${message}`)
}

/** Git reads oids in either case. */
const form = /^object ([0-9a-fA-F]+)\ntype (blob|tree|commit|tag)\ntag ([^\n]*)\n(?:tagger ([^\n]*)(?:\n|$))?/

/**
 * Parses a tag object. Bytes that are not UTF-8 become U+FFFD.
 * @throws BlobwireError `data_loss`, reason `integrity`, for malformed bytes
 */
export function parseTag(content: Uint8Array): ParsedTag {
  const bytes = toNative(content)
  const text = decodeUtf8(bytes)
  const [, given = '', kind, name = '', signature] = form.exec(text) ?? []
  const object = given.toLowerCase()
  if (!isOid(object) || kind === undefined) {
    throw new BlobwireError({ reason: 'integrity', message: 'the tag is damaged: its bytes are not a tag object' })
  }
  const tagger = signature === undefined ? undefined : parseSignature(signature)
  const headEnd = text.indexOf('\n\n')
  const message = headEnd < 0 ? '' : text.slice(headEnd + 2)
  const fields = { object, kind: kind as ObjectKind, name, tagger, message }
  return { ...fields, canonical: isUtf8(bytes) && encodesTo(fields, bytes) }
}

function encodesTo(fields: TagFields, bytes: Uint8Array): boolean {
  try {
    return compare(bytes, encodeTag(fields)) === 0
  } catch {
    // Git stores tags that `encodeTag` refuses.
    return false
  }
}

/** Whether the message ends with a signature, as `git tag --sign` makes them with OpenPGP, SSH and X.509. */
export function isSignedTag({ message }: Pick<TagFields, 'message'>): boolean {
  return /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/m.test(message)
}
