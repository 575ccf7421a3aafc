/**
 * Signatures in commits and tags. Source: Git's gitformat-signature(5): what is signed is the object without its
 * signature; that of a commit is a header, that of a tag follows its message.
 */
import { invalidArgument } from '../core/error.ts'
import { concat, decodeUtf8, encodeUtf8, toNative } from '../platform/bytes.ts'
import type { ObjectFormat } from './oid.ts'

const lineFeed = 0x0a
const begin = /^-----BEGIN [A-Z ]+-----\n/

/**
 * The text of an armoured signature, with one line feed at its end.
 * @throws BlobwireError `invalid_argument` for what Git would not find in an object
 */
function armoured(signature: unknown): string {
  const text = signature instanceof Uint8Array ? decodeUtf8(toNative(signature)) : signature
  if (typeof text === 'string') {
    const lines = `${text.replaceAll('\r\n', '\n').replace(/\n+$/, '')}\n`
    if (begin.test(lines) && lines.isWellFormed() && !lines.includes('\0')) return lines
  }
  throw invalidArgument(
    'sign',
    'must return an armoured signature: text that begins with "-----BEGIN … SIGNATURE-----"'
  )
}

/** The commit with the signature as its last header, indented by one space a line. @throws BlobwireError `invalid_argument` */
export function signedCommit(commit: Uint8Array, signature: unknown, format: ObjectFormat): Uint8Array {
  const lines = armoured(signature).slice(0, -1).replaceAll('\n', '\n ')
  const name = format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256'
  const endOfHead = endOfHeaders(commit)
  return concat([commit.subarray(0, endOfHead), encodeUtf8(`${name} ${lines}\n`), commit.subarray(endOfHead)])
}

/** Git finds a signature at the beginning of a line only. @throws BlobwireError `invalid_argument` */
export function checkTagToSign(tag: Uint8Array): void {
  if (tag[tag.length - 1] !== lineFeed)
    throw invalidArgument('message', 'must end with a line feed ("\\n") where the tag is signed')
}

/** The tag with the signature behind its message. @throws BlobwireError `invalid_argument` */
export function signedTag(tag: Uint8Array, signature: unknown): Uint8Array {
  return concat([tag, encodeUtf8(armoured(signature))])
}

/** Position of the empty line in front of the message. */
function endOfHeaders(object: Uint8Array): number {
  let at = object.indexOf(lineFeed)
  while (object[at + 1] !== lineFeed) at = object.indexOf(lineFeed, at + 1)
  return at + 1
}
