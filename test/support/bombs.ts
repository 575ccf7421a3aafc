/** Messages of a few bytes on the wire that would be millions of objects, as each transport carries them. */
import { type ClientHttp2Session, connect } from 'node:http2'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Answer } from './answering-server.ts'

export const ways = [
  'json unary',
  'json session',
  'msgpack unary',
  'msgpack session',
  'grpc unary',
  'grpc session'
] as const
/** A transport and a kind of call. */
export type Way = (typeof ways)[number]

/** A message with one list of empty messages. */
interface Listing {
  /** The names of the messages around the list, and of the list, with their numbers in protobuf. */
  readonly path: readonly (readonly [name: string, number: number])[]
  /** The first field of the message with the list. */
  readonly repository?: string
}

const repository = 'demo'
const listings = {
  request: {
    unary: { path: [['operations', 2]], repository },
    session: {
      path: [
        ['batch', 1],
        ['operations', 3]
      ],
      repository
    }
  },
  answer: { unary: { path: [['results', 1]] }, session: { path: [['results', 1]] } }
} as const satisfies Record<string, Record<string, Listing>>

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) + 0x80)
  return Buffer.from([...bytes, value])
}

const text = (value: string) => Buffer.concat([Buffer.of(0xa0 | value.length), Buffer.from(value)])

/** The list with so many empty messages, and the messages around it, in the encoding of the transport. */
function encoded(transport: string, { path, repository }: Listing, count: number): Buffer {
  const [list, ...around] = path.toReversed() as [readonly [string, number], ...(readonly [string, number])[]]
  if (transport === 'json') {
    const first = repository === undefined ? '' : `"repository":"${repository}",`
    const inner = `{${first}"${list[0]}":[${'{},'.repeat(count - 1)}{}]}`
    return Buffer.from(around.reduce((json, [name]) => `{"${name}":${json}}`, inner))
  }
  if (transport === 'msgpack') {
    const head = Buffer.alloc(5, 0xdd)
    head.writeUInt32BE(count, 1)
    const first = repository === undefined ? [Buffer.of(0x81)] : [Buffer.of(0x82), text('repository'), text(repository)]
    const inner = Buffer.concat([...first, text(list[0]), head, Buffer.alloc(count, 0x80)])
    return around.reduce((bytes, [name]) => Buffer.concat([Buffer.of(0x81), text(name), bytes]), inner)
  }
  const withLength = (number: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.of((number << 3) | 2), varint(bytes.length), bytes])
  const first = repository === undefined ? Buffer.alloc(0) : withLength(1, Buffer.from(repository))
  const inner = Buffer.concat([first, Buffer.alloc(2 * count, Buffer.of((list[1] << 3) | 2, 0))])
  return around.reduce((bytes, [, number]) => withLength(number, bytes), inner)
}

/** The five bytes in front of a compressed message, and the message. */
function envelope(message: Uint8Array, flags = 1): Buffer {
  const head = Buffer.alloc(5, flags)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

interface Wired {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Compressors of bombs. */
export const compressors = ['gzip', 'zstd'] as const
type Compressor = (typeof compressors)[number]

function wired(way: Way, message: Buffer, compressor: Compressor = 'gzip'): Wired {
  const [transport = '', kind] = way.split(' ')
  const packed = compressor === 'gzip' ? gzipSync(message, { level: 9 }) : zstdCompressSync(message)
  if (transport === 'grpc') {
    const headers = { 'content-type': 'application/grpc', 'grpc-encoding': compressor, te: 'trailers' }
    return { headers, body: envelope(packed) }
  }
  if (kind === 'unary') {
    return { headers: { 'content-type': `application/${transport}`, 'content-encoding': compressor }, body: packed }
  }
  const headers = { 'content-type': `application/connect+${transport}`, 'connect-content-encoding': compressor }
  return { headers, body: envelope(packed) }
}

interface Contents {
  readonly count: number
  readonly compressor?: Compressor | undefined
}

function bomb(way: Way, direction: 'request' | 'answer', { count, compressor }: Contents): Wired {
  const [transport = '', kind] = way.split(' ') as [string, 'unary' | 'session']
  return wired(way, encoded(transport, listings[direction][kind], count), compressor)
}

/** A request that is a bomb. */
export interface RequestBomb extends Wired {
  readonly way: Way
}

/** A batch of so many empty operations. */
export function requestBomb(way: Way, count: number, compressor?: Compressor): RequestBomb {
  return { way, ...bomb(way, 'request', { count, compressor }) }
}

/** A request of so many zeros. */
export function zerosBomb(way: Way, bytes: number, compressor?: Compressor): RequestBomb {
  return { way, ...wired(way, Buffer.alloc(bytes), compressor) }
}

/** The answer to a batch with so many empty results. */
export function answerBomb(way: Way, count: number): Answer {
  const { headers, body } = bomb(way, 'answer', { count })
  const { te: _request, ...fields } = headers
  return way.startsWith('grpc')
    ? { headers: fields, body, trailers: { 'grpc-status': '0' } }
    : { headers: fields, body }
}

/** Connect's error object, or its end-stream message, with so many details. */
export function errorBomb(kind: 'unary' | 'session', count: number): Answer {
  const error = `{"code":"aborted","message":"m","details":[${'{},'.repeat(count - 1)}{}]}`
  if (kind === 'unary') {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    return { status: 409, headers, body: gzipSync(error) }
  }
  const headers = { 'content-type': 'application/connect+msgpack', 'connect-content-encoding': 'gzip' }
  return { headers, body: envelope(gzipSync(`{"error":${error}}`), 3) }
}

/** The refusal of a bomb: all text of the answer, and the time from the last byte sent to the last one received. */
export interface Refusal {
  readonly text: string
  readonly ms: number
}

/** Sends a bomb over a connection of node:http2, which becomes that of `origin` when it is opened. */
export async function send(
  session: ClientHttp2Session,
  { way, headers, body }: RequestBomb,
  token = ''
): Promise<Refusal> {
  const method = way.endsWith('unary') ? 'BatchOperations' : 'Session'
  const stream = session.request({
    ':method': 'POST',
    ':path': `/blobwire.v1.VcsService/${method}`,
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...headers
  })
  const parts: unknown[] = []
  let sentAt = 0
  return new Promise((resolve, reject) => {
    stream.on('response', (found) => parts.push(JSON.stringify(found)))
    stream.on('trailers', (found) => parts.push(JSON.stringify(found)))
    stream.on('data', (chunk) => parts.push(chunk))
    stream.on('error', reject)
    stream.on('close', () => resolve({ text: parts.join('\n'), ms: performance.now() - sentAt }))
    stream.end(body, () => {
      sentAt = performance.now()
    })
  })
}

/** A connection for bombs. */
export function connectTo(origin: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(origin)
    session.once('connect', () => resolve(session))
    session.once('error', reject)
  })
}
