/**
 * `GET|HEAD /v1/repositories/{name}/blobs/{oid}` and `…/files/{revision}/{path}`, as streams.
 * Source: RFC 9110 sections 8.8.3 (ETag), 13 (conditions), 14 (ranges); RFC 9530 (digests).
 */
import { invalidArgument } from '../../src/core/error.ts'
import { isOid, oidProblem } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { sha256Field } from '../../src/transport/http/transfer.ts'
import type { HandlerDependencies } from '../listener.ts'
import type { CallContext } from '../service/context.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import type { OutgoingBlob } from '../service/vcs-service.ts'
import { Output } from '../transfers/output.ts'
import { openTransfer, type Transfer } from '../transfers/transfer.ts'
import type { Address } from './addresses.ts'
import { isAnother, isUnmodified, rangeOf } from './byte-range.ts'
import { contentTypeOf } from './content-types.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf, respondAllow } from './exchange.ts'
import { authenticate } from './record.ts'

type BlobAddress = Extract<Address, { kind: 'blob' | 'file' }>

/** The context of a request for a blob. */
export interface BlobContext extends HandlerDependencies {
  readonly requestId: string
}

/** Answers one request for a blob. */
export async function handleBlob(exchange: Exchange, address: BlobAddress, context: BlobContext): Promise<void> {
  const { requestId } = context
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    respondAllow(exchange, { allow: 'GET, HEAD, OPTIONS', 'x-request-id': requestId })
    return
  }
  exchange.record.method = methods.downloadBlob.name
  exchange.record.repository = address.repository
  let transfer: Transfer | undefined
  try {
    const principal = authenticate(exchange, methods.downloadBlob.name, context)
    transfer = openTransfer(context, exchange, context.idleTimeoutMs)
    await answer(exchange, address, { ...context, transfer, call: { principal, signal: transfer.signal, requestId } })
  } catch (error) {
    respondError(exchange, requestId, toBlobwireError(error))
  } finally {
    transfer?.end()
  }
}

interface Download extends BlobContext {
  readonly transfer: Transfer
  readonly call: CallContext
}

async function answer(exchange: Exchange, address: BlobAddress, context: Download): Promise<void> {
  const { service, call } = context
  const blob = await service.download(requestOf(address), call)
  try {
    const { oid, size } = blob
    const etag = `"${oid}"`
    const shared = {
      'x-request-id': context.requestId,
      etag,
      'accept-ranges': 'bytes',
      // A blob never changes, but the rights to read it do; a path names another blob tomorrow.
      'cache-control': address.kind === 'blob' ? 'private, max-age=31536000, immutable' : 'private, no-cache',
      vary: 'authorization'
    }
    if (isAnother(exchange, etag)) return exchange.respond(412, shared)
    if (isUnmodified(exchange, etag)) return exchange.respond(304, shared)
    const range = rangeOf(exchange, etag, size)
    if (range === 'none') return exchange.respond(416, { ...shared, 'content-range': `bytes */${size}` })
    const headers = {
      ...shared,
      ...contentTypeOf(address.kind === 'file' ? address.path : undefined),
      'content-length': String(range ? range.end - range.start : size),
      ...(range ? { 'content-range': `bytes ${range.start}-${range.end - 1}/${size}` } : {})
    }
    const status = range ? 206 : 200
    if (exchange.method === 'HEAD') return exchange.respond(status, headers)
    if (range === undefined) return await send(exchange, blob, { ...context, status, headers })
    const part = blob.narrow({ ...range, digestFrom: digestFromOf(exchange, range.start) })
    await send(exchange, part, { ...context, status, headers })
  } finally {
    await blob.close()
  }
}

function requestOf(address: BlobAddress): Messages['DownloadBlobRequest'] {
  const { repository } = address
  const whole = { repository, oid: '', revision: '', path: '', rawPath: new Uint8Array(0), offset: 0, length: 0 }
  if (address.kind === 'file') return { ...whole, revision: address.revision, rawPath: address.path }
  if (!isOid(address.oid)) throw invalidArgument('oid', oidProblem(address.oid))
  return { ...whole, oid: address.oid }
}

function digestFromOf(exchange: Exchange, start: number): number | undefined {
  const text = headerOf(exchange, 'blobwire-digest-from')
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text) || Number(text) > start) {
    throw invalidArgument('blobwire-digest-from', 'must be an offset at or before the beginning of the range')
  }
  return Number(text)
}

/** Whether the client asks for a digest of the answer's content (RFC 9530 section 4). */
function wantsDigest(exchange: Exchange): boolean {
  return /(?:^|,) *sha-256=(?:[1-9]|10)(?:,| *$)/.test(headerOf(exchange, 'want-content-digest') ?? '')
}

/** Sends the body. Where it cannot be sent whole, the stream is reset, so that no client takes it for whole. */
async function send(
  exchange: Exchange,
  blob: OutgoingBlob,
  {
    status,
    headers,
    transfer
  }: Download & { readonly status: number; readonly headers: Readonly<Record<string, string>> }
): Promise<void> {
  const chunks = blob.chunks()[Symbol.asyncIterator]()
  // Whatever goes wrong with the first bytes can still be told as an error.
  let next = await chunks.next()
  const stream = exchange.stream(
    status,
    headers,
    wantsDigest(exchange) && status === 206 ? ['content-digest'] : undefined
  )
  const output = stream && new Output<Uint8Array>(stream, transfer)
  try {
    for (; output && !next.done; next = await chunks.next()) {
      output.write(next.value, next.value.length)
      const room = output.room()
      if (room) await room
    }
    if (blob.sha256) exchange.setTrailers({ 'content-digest': sha256Field(blob.sha256) })
    await output?.end()
  } catch (error) {
    exchange.record.failed(toBlobwireError(error))
    stream?.destroy()
  } finally {
    await chunks.return?.()
  }
}
