/**
 * `GET|HEAD /v1/repositories/{name}/blobs/{oid}`. Source: RFC 9110 sections 8.8.3 (ETag), 13 (conditions), 14 (ranges).
 */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { hashObject, isOid, oidProblem } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'

const getBlob = methods.getBlob.name
const form = /^\/v1\/repositories\/(.+)\/blobs\/([^/]+)$/

/** Repository and oid of a path; undefined = another route. */
export function blobAddress(path: string): { repository: string; oid: string } | undefined {
  const [, name, oid] = form.exec(path.split('?', 1)[0] ?? '') ?? []
  if (name === undefined || oid === undefined) return undefined
  try {
    return { repository: decodeURIComponent(name), oid: decodeURIComponent(oid) }
  } catch {
    // No valid percent-encoding: the check of names refuses it.
    return { repository: name, oid }
  }
}

interface Range {
  readonly start: number
  /** Offset of the last byte. */
  readonly end: number
}

/** The requested range; undefined = the whole blob, 'none' = outside of the blob. */
function rangeOf(header: string | undefined, size: number): Range | 'none' | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  // Several ranges, other units and nonsense: a server may answer with the whole blob.
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'none' : { start: size - length, end: size - 1 }
  }
  const start = Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < start) return undefined
  return start >= size ? 'none' : { start, end }
}

/** Answers one request for a blob. */
export async function handleBlob(exchange: Exchange, requestId: string, context: HandlerDependencies): Promise<void> {
  const address = blobAddress(exchange.path) as { repository: string; oid: string }
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    exchange.respond(405, { allow: 'GET, HEAD', 'x-request-id': requestId })
    return
  }
  try {
    const principal = context.authenticator.authenticate(getBlob, headerOf(exchange, 'authorization'))
    if (!isOid(address.oid)) throw invalidArgument('oid', oidProblem(address.oid))
    const signal = new AbortController().signal
    const request = { ...address, revision: '', path: '' }
    const blob = (await context.service.call(getBlob, request, {
      principal,
      signal,
      requestId
    })) as Messages['GetBlobResponse']
    const format = blob.oid.length === 40 ? 'sha1' : 'sha256'
    if (hashObject('blob', blob.content, format) !== blob.oid) {
      throw new BlobwireError({ reason: 'integrity', message: `the blob ${blob.oid} is damaged` })
    }
    sendBlob(exchange, requestId, blob)
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  }
}

function sendBlob(exchange: Exchange, requestId: string, blob: Messages['GetBlobResponse']): void {
  const { oid, size, content } = blob
  const etag = `"${oid}"`
  const shared = { 'x-request-id': requestId, etag, 'accept-ranges': 'bytes' }
  const headers = {
    ...shared,
    'content-type': 'application/octet-stream',
    // A blob never changes, but the rights to read it do.
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff'
  }
  if (
    (headerOf(exchange, 'if-none-match') ?? '')
      .split(/\s*,\s*/)
      .some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
  ) {
    exchange.respond(304, shared)
    return
  }
  const ifRange = headerOf(exchange, 'if-range')
  const range = ifRange === undefined || ifRange === etag ? rangeOf(headerOf(exchange, 'range'), size) : undefined
  if (range === 'none') {
    exchange.respond(416, { ...shared, 'content-range': `bytes */${size}` })
    return
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  const body = content.subarray(start, end + 1)
  const length = { 'content-length': String(body.length) }
  const partial = range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }
  exchange.respond(
    range ? 206 : 200,
    { ...headers, ...length, ...partial },
    exchange.method === 'HEAD' ? undefined : body
  )
}
