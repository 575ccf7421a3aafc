/** The commit object. Source: Git's "Git Objects", and `fsck_commit` for its rules. */
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { compare, decodeUtf8, encodeUtf8, isUtf8, toNative } from '../platform/bytes.ts'
import { isOid } from './oid.ts'
import { formatSignature, type Identity, parseSignature } from './signature.ts'

/** The fields of a commit without further headers. */
export interface CommitFields {
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Identity
  readonly committer: Identity
  readonly message: string
}

/** A parsed commit. `canonical` = encoding the fields gives exactly the object's bytes. */
export interface ParsedCommit extends CommitFields {
  readonly canonical: boolean
}

/**
 * The content of a commit object; the message is not changed.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function encodeCommit(fields: CommitFields): Uint8Array {
  const { tree, parents, author, committer, message } = fields
  if (!isOid(tree)) throw invalidArgument('tree', 'must be a full oid in lower-case hex')
  for (const [index, parent] of parents.entries()) {
    if (!isOid(parent)) throw invalidArgument(`parents[${index}]`, 'must be a full oid in lower-case hex')
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
  return encodeUtf8(`${lines.join('\n')}\n\n${message}`)
}

function damaged(): BlobwireError {
  return new BlobwireError({
    reason: 'integrity',
    message: 'the commit is damaged: its bytes are not a commit object'
  })
}

const lineFeed = 0x0a

/** The identity of a malformed author or committer line. */
const nobody: Identity = { name: '', email: '', timeSeconds: 0, zone: '+0000' }

/**
 * Parses a commit object. Bytes that are not UTF-8 become U+FFFD.
 * @throws BlobwireError `data_loss`, reason `integrity`, for malformed bytes
 */
export function parseCommit(content: Uint8Array): ParsedCommit {
  const bytes = toNative(content)
  const headEnd = endOfHead(bytes)
  const head = decodeUtf8(bytes, 0, headEnd < 0 ? bytes.length : headEnd)
    .replace(/\n$/, '')
    .split('\n')
  const message = headEnd < 0 ? '' : decodeUtf8(bytes, headEnd + 2)
  const values = (name: string) =>
    head.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))
  const [tree = ''] = values('tree')
  const parents = values('parent')
  if (!isOid(tree) || !parents.every((parent) => isOid(parent))) throw damaged()
  const author = parseSignature(values('author')[0] ?? '') ?? nobody
  const committer = parseSignature(values('committer')[0] ?? '') ?? nobody
  const fields = { tree, parents, author, committer, message }
  return { ...fields, canonical: isUtf8(bytes) && encodesTo(fields, bytes) }
}

/** Position of the first empty line, in front of the message; -1 = there is none. */
function endOfHead(bytes: Uint8Array): number {
  let at = bytes.indexOf(lineFeed)
  while (at >= 0 && bytes[at + 1] !== lineFeed) at = bytes.indexOf(lineFeed, at + 1)
  return at
}

function encodesTo(fields: CommitFields, bytes: Uint8Array): boolean {
  try {
    return compare(bytes, encodeCommit(fields)) === 0
  } catch {
    // Git stores commits that `encodeCommit` refuses.
    return false
  }
}
