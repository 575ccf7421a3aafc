/**
 * Uploads as HTTP requests with the content as it is: `/v1/repositories/{name}/uploads` and `…/uploads/{id}`.
 * Source: draft-ietf-httpbis-resumable-upload, "Resumable Uploads for HTTP"; docs/protocol.md has the requests.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { jsonCodec } from '../../src/codec/json.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { repositoryPath } from '../../src/transport/http/transfer.ts'
import type { HandlerDependencies } from '../listener.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { openTransfer } from '../transfers/transfer.ts'
import { refuseForeignPage } from './cors.ts'
import { respondError } from './errors.ts'
import { type Exchange, headerOf } from './exchange.ts'
import { authenticate } from './record.ts'
import { endRunning, noteRunning } from './running-uploads.ts'
import { type ContentRequest, receiveContent } from './upload-content.ts'
import { readUploadHeaders, uploadLimit } from './upload-headers.ts'

/** The upload that a path names. */
export interface UploadAddress {
  readonly repository: string
  /** Undefined = the client has made none. */
  readonly uploadId: string | undefined
}

/** The context of a request for an upload. */
export interface UploadContext extends HandlerDependencies {
  readonly requestId: string
}

const partialUpload = 'application/partial-upload'
const collectionMethods = 'POST, PUT, OPTIONS'
const uploadMethods = 'POST, PUT, PATCH, HEAD, DELETE, OPTIONS'

type Request = UploadContext &
  UploadAddress & {
    readonly exchange: Exchange
    readonly trailers: () => IncomingHttpHeaders
  }
type Answer = (request: Request) => Promise<void>

/** By method, of which a client of HTTP/2 may send any, such as `constructor`. */
const ofCollection: ReadonlyMap<string, Answer> = new Map([
  ['POST', create],
  ['PUT', create],
  ['OPTIONS', describe]
])
const ofUpload: ReadonlyMap<string, Answer> = new Map([
  ...ofCollection,
  ['PATCH', append],
  ['HEAD', query],
  ['DELETE', cancel]
])

/** The methods that the figures have for those of HTTP; the others are UploadBlob. */
const recordedMethods: Readonly<Record<string, string>> = {
  HEAD: methods.queryUpload.name,
  DELETE: methods.cancelUpload.name,
  OPTIONS: 'Options'
}

/** Answers one request for uploads. */
export async function handleUpload(exchange: Exchange, address: UploadAddress, context: UploadContext): Promise<void> {
  const { requestId } = context
  const isCollection = address.uploadId === undefined
  const answer = (isCollection ? ofCollection : ofUpload).get(exchange.method)
  if (answer === undefined) {
    const allow = isCollection ? collectionMethods : uploadMethods
    exchange.respond(405, { allow, 'x-request-id': requestId })
    return
  }
  exchange.record.method = recordedMethods[exchange.method] ?? methods.uploadBlob.name
  exchange.record.repository = address.repository
  // At once: a short request has ended before the upload is opened.
  const request = { ...context, ...address, exchange, trailers: exchange.watchTrailers() }
  try {
    // The other methods are asked for before.
    if (exchange.method === 'POST') refuseForeignPage(exchange, context.cors)
    await answer(request)
  } catch (error) {
    await refuse(request, toBlobwireError(error))
  }
}

async function create(request: Request): Promise<void> {
  const { exchange, repository } = request
  const { complete, offset, size } = readUploadHeaders(exchange)
  if (offset) throw invalidArgument('upload-offset', 'must be absent where an upload begins; PATCH goes on with one')
  const uploadId = request.uploadId ?? randomUUID()
  const location = `${repositoryPath(repository)}/uploads/${uploadId}`
  // The client knows an id of its own, and one that knows nothing of these headers cannot go on.
  const isTold = request.uploadId !== undefined || complete !== undefined
  const onOpen = () => {
    if (request.uploadId !== undefined || complete === undefined) return
    exchange.inform(104, { location, 'upload-limit': uploadLimit(request.service.limits) })
  }
  const beginning = { repository, uploadId, size, offset: 0 }
  try {
    const state = await receive(request, { ...beginning, complete: complete !== false }, onOpen)
    respond(request, state, { status: 201, location })
  } catch (error) {
    if (!isTold) await call(request, methods.cancelUpload.name, { repository, uploadId }).catch(() => undefined)
    throw error
  }
}

async function append(request: Request): Promise<void> {
  const { exchange, repository } = request
  const uploadId = request.uploadId as string
  const type = headerOf(exchange, 'content-type') ?? ''
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== partialUpload) {
    exchange.respond(415, { 'accept-patch': partialUpload, 'x-request-id': request.requestId })
    return
  }
  const { complete, offset, size } = readUploadHeaders(exchange)
  if (offset === undefined) throw invalidArgument('upload-offset', 'must be the number of bytes that the server holds')
  if (complete === undefined) throw invalidArgument('upload-complete', 'must be ?1 or ?0')
  // An upload that nobody has begun is refused by its name, whatever the offset.
  await stateOf(request)
  const state = await receive(request, { repository, uploadId, size, offset, complete })
  respond(request, state, { status: 204, location: undefined })
}

async function receive(
  request: Request,
  opening: ContentRequest['opening'],
  onOpen: () => void = () => undefined
): Promise<Messages['UploadBlobResponse']> {
  const { exchange, service, trailers } = request
  const principal = authenticate(exchange, methods.uploadBlob.name, request)
  const encoding = headerOf(exchange, 'content-encoding') ?? 'identity'
  if (encoding !== 'identity') {
    throw new BlobwireError({ code: 'unimplemented', message: 'content-encoding must be identity in uploads' })
  }
  const transfer = openTransfer(request, exchange, request.bodyTimeoutMs)
  noteRunning(service, placeOf(opening), transfer)
  try {
    const context = { principal, signal: transfer.signal, requestId: request.requestId }
    return await receiveContent(exchange, { service, context, opening, transfer, onOpen, trailers })
  } finally {
    transfer.end()
  }
}

function respond(
  request: Request,
  state: Messages['UploadBlobResponse'],
  { status, location }: { status: number; location: string | undefined }
): void {
  const { exchange, repository, requestId, service } = request
  const shared = {
    'x-request-id': requestId,
    'upload-complete': state.complete ? '?1' : '?0',
    'upload-offset': String(state.offset),
    'upload-limit': uploadLimit(service.limits)
  }
  if (!state.complete && status === 204) {
    exchange.respond(204, shared)
    return
  }
  const body = jsonCodec.encode('UploadBlobResponse', state)
  const blob = state.complete
    ? { etag: `"${state.oid}"`, location: `${repositoryPath(repository)}/blobs/${state.oid}` }
    : { location }
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  exchange.respond(201, { ...shared, ...headers, ...blob }, body)
}

async function query(request: Request): Promise<void> {
  let state = await stateOf(request)
  const ended = endRunning(request.service, placeOf(request))
  if (ended) {
    await ended
    state = await stateOf(request)
  }
  const { offset, complete, oid, size } = state
  request.exchange.respond(204, {
    'x-request-id': request.requestId,
    'cache-control': 'no-store',
    'upload-complete': complete ? '?1' : '?0',
    'upload-offset': String(offset),
    'upload-limit': uploadLimit(request.service.limits),
    ...(size === undefined ? {} : { 'upload-length': String(size) }),
    ...(complete ? { 'blobwire-oid': oid } : {})
  })
}

async function cancel(request: Request): Promise<void> {
  const { repository, uploadId } = request
  await call(request, methods.cancelUpload.name, { repository, uploadId })
  request.exchange.respond(204, { 'x-request-id': request.requestId })
}

async function describe({ exchange, requestId, service, uploadId }: Request): Promise<void> {
  exchange.respond(204, {
    'x-request-id': requestId,
    allow: uploadId === undefined ? collectionMethods : uploadMethods,
    'accept-patch': partialUpload,
    'upload-limit': uploadLimit(service.limits)
  })
}

/** Sends an error; with `upload_offset`, the offset at which the upload goes on (section 4.4.2 of the draft). */
async function refuse(request: Request, error: BlobwireError): Promise<void> {
  const { exchange, requestId, service } = request
  if (error.reason === 'upload_offset') {
    const { offset, complete } = await stateOf(request).catch(() => ({ offset: undefined, complete: false }))
    const headers =
      offset === undefined ? {} : { 'upload-offset': String(offset), 'upload-complete': complete ? '?1' : '?0' }
    const members = {
      type: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
      title: 'offset from request does not match offset of resource',
      'expected-offset': offset,
      'provided-offset': readUploadHeaders(exchange).offset
    }
    respondError(exchange, requestId, error, { status: 409, headers, members })
    return
  }
  const { limit } = error.details
  if (limit !== undefined) {
    const headers = { 'upload-limit': uploadLimit(service.limits) }
    // Where other uploads take the room, the same request may do later (RFC 4918 section 11.5).
    const status = error.reason === 'upload_quota' ? 507 : 413
    respondError(exchange, requestId, error, { status, headers })
    return
  }
  // The content is complete, and wrong: going on does not help.
  const headers = error.reason === 'integrity' ? { 'upload-complete': '?1' } : {}
  respondError(exchange, requestId, error, { headers })
}

/** Neither names nor ids hold a line feed. */
const placeOf = ({ repository, uploadId }: UploadAddress) => `${repository}\n${uploadId}`

async function call(request: Request, method: string, message: object): Promise<object> {
  const principal = authenticate(request.exchange, method, request)
  const { requestId } = request
  return await request.service.call(method, message, { principal, signal: new AbortController().signal, requestId })
}

async function stateOf(request: Request): Promise<Messages['QueryUploadResponse']> {
  const { repository, uploadId } = request
  const answer = await call(request, methods.queryUpload.name, { repository, uploadId })
  return answer as Messages['QueryUploadResponse']
}
