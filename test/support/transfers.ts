/** A server for which little is much, and requests to it that no code of the client makes. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import type { TestContext } from 'node:test'
import type { ServerOptions } from '../../server-fixture/server.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { hashObject } from '../../src/git/oid.ts'
import { atEnd, type TestServer, testServer } from './server.ts'

/** Larger than a message may be on that server. */
export const content = Buffer.alloc(300_000, 'some content ')
export const contentOid = hashObject('blob', content, 'sha1')

/** The server, with the repository `demo`. */
export interface TransferServer {
  readonly fixture: TestServer
  readonly http: string
  /** URL of the uploads of the repository. */
  readonly uploads: string
  /** Of an upload with this id, or a blob. */
  readonly pathOf: (rest: string) => string
  /** Opens a connection, which ends before the server does. */
  readonly connectHttp2: () => ClientHttp2Session
}

/** Starts it. Chunks have 16 KiB. */
export async function transferServer(
  context: TestContext,
  options: Partial<ServerOptions> = {}
): Promise<TransferServer> {
  const limits = { maxInlineBytes: 64 * 1024, chunkBytes: 16 * 1024, ...options.limits }
  const sessions: ClientHttp2Session[] = []
  context.after(() => {
    for (const session of sessions) session.destroy()
  })
  const fixture = atEnd(context, await testServer({ ...options, limits }))
  const token = options.grants?.[0]?.token
  await fixture
    .client(token === undefined ? {} : { token })
    .repository('demo')
    .createRepository()
  const { http } = fixture.server
  const pathOf = (rest: string) => `/v1/repositories/demo/${rest}`
  const connectHttp2 = () => {
    // Node's own limit would end a request of which so much waits.
    const session = connect(http, { maxSessionMemory: 1000 })
    session.on('error', () => undefined)
    sessions.push(session)
    return session
  }
  return { fixture, http, uploads: http + pathOf('uploads'), pathOf, connectHttp2 }
}

/** The answer to a request, as far as it came. */
export interface Http2Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  /** Interim answers. */
  readonly informed: IncomingHttpHeaders[]
  readonly body: Buffer
  /** Of RST_STREAM; 0 = the stream ended well. */
  readonly resetCode: number
}

/** Opens a request whose body the caller writes; the answer comes when the stream has closed. */
export function http2Request(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | number>>
): { readonly stream: ClientHttp2Stream; readonly answer: Promise<Http2Answer> } {
  const stream = session.request(headers, { waitForTrailers: false, endStream: false })
  const answer = { headers: {}, trailers: {}, informed: [] as IncomingHttpHeaders[] }
  const chunks: Buffer[] = []
  stream.on('error', () => undefined)
  stream.on('headers', (informed) => void answer.informed.push(informed))
  stream.on('response', (received) => Object.assign(answer.headers, received))
  stream.on('trailers', (received) => Object.assign(answer.trailers, received))
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
  const closed = new Promise<Http2Answer>((resolve) => {
    stream.once('close', () => {
      const status = (answer.headers as IncomingHttpHeaders)[':status'] as number | undefined
      resolve({ ...answer, status, body: Buffer.concat(chunks), resetCode: stream.rstCode ?? 0 })
    })
  })
  return { stream, answer: closed }
}

/** Lets a test stop the store: each write of an upload, and each chunk of a download, waits for the gate. */
export function gated(gate: () => Promise<void> | undefined, seen: { bytes: number }) {
  return (service: VcsService): VcsService => ({
    limits: service.limits,
    capabilities: () => service.capabilities(),
    call: (method, request, context) => service.call(method, request, context),
    sessionBatch: (batch, context) => service.sessionBatch(batch, context),
    async upload(opening, context) {
      const upload = await service.upload(opening, context)
      return {
        get offset() {
          return upload.offset
        },
        write(chunk) {
          seen.bytes += chunk.length
          const written = upload.write(chunk)
          const opened = gate()
          return opened && Promise.all([written, opened]).then(() => undefined)
        },
        finish: (digests) => upload.finish(digests),
        release: () => upload.release()
      }
    },
    watch: (request, sink, context) => service.watch(request, sink, context),
    async download(request, context) {
      const blob = await service.download(request, context)
      const chunks = async function* () {
        for await (const chunk of blob.chunks()) {
          seen.bytes += chunk.length
          await gate()
          yield chunk
        }
      }
      return new Proxy(blob, {
        get: (target, name) => {
          const value: unknown = name === 'chunks' ? chunks : Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        }
      })
    }
  })
}

/** A server whose store waits for the test, and tells how many bytes it was given. */
export async function slowServer(context: TestContext, options: Partial<ServerOptions> = {}) {
  const seen = { bytes: 0 }
  let open: () => void = () => undefined
  let gate: Promise<void> | undefined
  const shut = () => {
    gate = new Promise((resolve) => {
      open = resolve
    })
  }
  const server = await transferServer(context, { decorate: gated(() => gate, seen), ...options })
  const state = async (id: string) => {
    const response = await fetch(`${server.uploads}/${id}`, { method: 'HEAD' })
    return { status: response.status, offset: Number(response.headers.get('upload-offset')) }
  }
  return { ...server, seen, shut, open: () => open(), state }
}
