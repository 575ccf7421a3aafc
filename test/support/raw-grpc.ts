/** A request of gRPC by hand: any bytes as messages over node:http2, without code of grpc-js or of the client. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { gzipSync } from 'node:zlib'
import { serviceName } from '../../src/schema/methods.ts'

/** A message with its prefix (gRPC over HTTP2, "Length-Prefixed-Message"). */
export function grpcMessage(payload: Uint8Array, isCompressed = false): Buffer {
  const bytes = isCompressed ? gzipSync(payload) : payload
  const prefix = Buffer.alloc(5)
  prefix[0] = isCompressed ? 1 : 0
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

/** A BatchOperations request of so many empty operations: two bytes each. */
export function emptyOperations(count: number): Buffer {
  const operation = Buffer.of(0x12, 0)
  return Buffer.concat([Buffer.from([0x0a, 4]), Buffer.from('demo'), Buffer.alloc(2 * count, operation)])
}

/** A stream of gRPC; resolves its status once it is told. */
export interface RawCall {
  readonly stream: ClientHttp2Stream
  readonly status: Promise<number | undefined>
  /** Headers and trailers of the answer. */
  readonly answer: Record<string, unknown>
  /** Resolves when the stream has closed. */
  readonly closed: Promise<void>
}

/** Connections to a gRPC server; errors of theirs are ignored. */
export function rawGrpc(url: string): ClientHttp2Session {
  const session = connect(url, { rejectUnauthorized: false })
  session.on('error', () => undefined)
  return session
}

/** Opens a stream; the caller writes to it. */
export function rawCall(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}): RawCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path.startsWith('/') ? path : `/${serviceName}/${path}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers
  })
  const answer: Record<string, unknown> = {}
  stream.on('error', () => undefined)
  stream.on('response', (fields) => Object.assign(answer, fields))
  stream.on('trailers', (fields) => Object.assign(answer, fields))
  stream.resume()
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const tell = () => answer['grpc-status'] !== undefined && resolve(Number(answer['grpc-status']))
  stream.on('response', tell)
  stream.on('trailers', tell)
  const closed = new Promise<void>((done) => {
    stream.once('close', () => {
      resolve(undefined)
      done()
    })
  })
  return { stream, status: promise, answer, closed }
}
