/**
 * Unary calls without side effects as GET, for browsers and caches.
 * Source: connectrpc.com, "Connect Protocol Reference", "Unary-Get-Request"; RFC 9111 (caching).
 */
import { createHash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Codec } from '../../src/codec/codec.ts'
import { acceptedEncodings, isEncoding } from '../../src/compression/compression.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { isOid } from '../../src/git/oid.ts'
import { decodeBase64 } from '../../src/platform/bytes.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods } from '../../src/schema/methods.ts'
import { inflate } from '../inflate.ts'
import type { HandlerDependencies } from '../listener.ts'
import { type Exchange, headerOf } from './exchange.ts'
import type { BodyLimits } from './request-body.ts'
import { handleUnary } from './unary.ts'

/** The context of a call by GET. */
export interface GetContext extends HandlerDependencies {
  readonly requestId: string
  readonly method: Method
  /** By the value of `encoding`. */
  readonly codecs: ReadonlyMap<string, Codec>
}

/** Answers one call by GET or HEAD. @throws BlobwireError before anything is sent */
export async function handleConnectGet(exchange: Exchange, context: GetContext): Promise<void> {
  const { codecs, method } = context
  const query = readQuery(exchange.path)
  const version = query.get('connect')
  if (version !== undefined && version !== 'v1') throw invalidArgument('connect', 'must be v1')
  const codec = codecs.get(query.get('encoding') ?? '')
  if (codec === undefined) throw invalidArgument('encoding', `must be one of ${[...codecs.keys()].join(', ')}`)
  const readMessage = (limits: BodyLimits) => messageOf(query, limits)
  const cachingOf = (request: object, response: object, encoded: Uint8Array) =>
    cachingHeaders(exchange, encoded, isFixed(method, request, response))
  await handleUnary(exchange, { ...context, codec, readMessage, cachingOf })
}

/** The parameters as bytes, a character for each; of those that stand twice, the first. */
function readQuery(path: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  const at = path.indexOf('?')
  for (const part of at < 0 ? [] : path.slice(at + 1).split('&')) {
    const end = part.indexOf('=')
    const name = end < 0 ? part : part.slice(0, end)
    if (!query.has(name)) query.set(name, end < 0 ? '' : decodeBytes(name, part.slice(end + 1)))
  }
  return query
}

/** URL Standard, "application/x-www-form-urlencoded parsing". */
function decodeBytes(name: string, text: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw invalidArgument(name, 'must be percent-encoded')
  return text.replaceAll('+', ' ').replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function messageOf(query: ReadonlyMap<string, string>, limits: BodyLimits): Uint8Array | Promise<Uint8Array> {
  const text = query.get('message')
  if (text === undefined) throw invalidArgument('message', 'must be given')
  const isBase64 = query.get('base64') === '1'
  // The plus of a client that does not encode it.
  const bytes = isBase64 ? decodeBase64(text.replaceAll(' ', '+')) : Buffer.from(text, 'latin1')
  if (bytes === undefined) throw invalidArgument('message', 'must be base64, as base64=1 tells')
  const encoding = query.get('compression') ?? 'identity'
  if (encoding === 'identity') return bytes
  if (isEncoding(encoding)) return inflate(bytes, { ...limits, encoding })
  const message = `compression must be one of ${acceptedEncodings}, identity`
  throw new BlobwireError({ code: 'unimplemented', message })
}

interface Naming {
  readonly oid?: string
  readonly revision?: string
  readonly base?: string
  readonly head?: string
}

/** The names in a request that a ref may stand for, by the methods that read objects. */
const names = new Map<Method, (request: Naming) => (string | undefined)[]>([
  [methods.getBlob as Method, ({ oid, revision }) => [oid || revision]],
  [methods.getObject as Method, ({ oid, revision }) => [oid || revision]],
  [methods.getTree as Method, ({ revision }) => [revision]],
  [methods.getCommit as Method, ({ revision }) => [revision]],
  [methods.getTag as Method, ({ revision }) => [revision]],
  [methods.listCommits as Method, ({ revision }) => [revision]],
  [methods.compare as Method, ({ base, head }) => [base, head]]
])

interface Telling {
  readonly oid?: string
  readonly commit?: { readonly oid: string }
  readonly tag?: { readonly oid: string }
  readonly commits?: readonly { readonly oid: string }[]
  readonly changes?: readonly { readonly oldOid: string; readonly newOid: string }[]
}

/** An oid of the repository. */
function oidIn({ oid, commit, tag, commits, changes }: Telling): string | undefined {
  const [change] = changes ?? []
  return oid ?? commit?.oid ?? tag?.oid ?? commits?.[0]?.oid ?? (change?.newOid || change?.oldOid)
}

/**
 * Whether the answer never changes: the request names objects by their oids alone. A branch may have the name of an oid of
 * the other object format.
 */
function isFixed(method: Method, request: Naming, response: Telling): boolean {
  const { length } = oidIn(response) ?? ''
  return (
    names
      .get(method)?.(request)
      .every((name = '') => isOid(name) && name.length === length) ?? false
  )
}

/** Who may read may change, so that an answer to a token is for its owner alone. */
function cachingHeaders(exchange: Exchange, encoded: Uint8Array, isFixed: boolean): OutgoingHttpHeaders {
  const audience = headerOf(exchange, 'authorization') === undefined ? '' : 'private, '
  return {
    'cache-control': `${audience}${isFixed ? 'max-age=31536000, immutable' : 'no-cache'}`,
    // Weak: the same for each compression.
    etag: `W/"${createHash('sha256').update(encoded).digest('base64url')}"`,
    // The caches of browsers, too, have answers to several tokens.
    vary: 'accept-encoding, authorization',
    'x-content-type-options': 'nosniff'
  }
}
