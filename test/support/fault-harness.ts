/** The fixture with faults, and independent clients of it: plain HTTP/2 and grpc-js. */
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2'
import type { TestContext } from 'node:test'
import { credentials, Client as GrpcClient, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import type { Effect } from '../../server-fixture/faults/effects.ts'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { Fault, FaultRule } from '../../server-fixture/faults/rules.ts'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { atEnd, testServer } from './server.ts'

/** An answer over plain HTTP/2. */
export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Code of RST_STREAM; 0 = the stream ended in good order. */
  readonly rst: number
  readonly tookMs: number
}

/** A fixture with faults, and callers. */
export interface FaultHarness {
  readonly faults: Faults
  readonly effects: Effect[]
  readonly http: ClientHttp2Session
  /** A unary call over plain HTTP/2, in JSON. */
  post(rpc: string, message: object, timeoutMs?: number): Promise<Answer>
  /** The same over grpc-js; the error where it failed. */
  grpc(rpc: string, message: object, timeoutMs?: number): Promise<ServiceError | undefined>
}

/** Starts one for a test; the repository `demo` is there. */
export async function faultHarness(context: TestContext, ...rules: FaultRule[]): Promise<FaultHarness> {
  const faults = new Faults()
  const effects: Effect[] = []
  const fixture = atEnd(context, await testServer({ faults, onEffect: (effect) => effects.push(effect) }))
  await fixture.client({ batch: false }).createRepository('demo')
  const http = connect(fixture.server.http)
  http.on('error', () => undefined)
  context.after(() => http.destroy())
  const service = loadProto()[serviceName] as ServiceDefinition
  const grpc = new GrpcClient(new URL(fixture.server.grpc).host, credentials.createInsecure())
  context.after(() => grpc.close())
  for (const rule of rules) faults.add(rule)
  return {
    faults,
    effects,
    http,
    post: (rpc, message, timeoutMs) => post(http, rpc, message, timeoutMs),
    grpc(rpc, message, timeoutMs = 5000) {
      const { path, requestSerialize, responseDeserialize } = service[rpc] as MethodDefinition<object, object>
      const options = { deadline: Date.now() + timeoutMs }
      return new Promise((resolve) => {
        grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, options, (error) =>
          resolve(error ?? undefined)
        )
      })
    }
  }
}

/** One unary call over plain HTTP/2, in JSON. */
export function post(http: ClientHttp2Session, rpc: string, message: object, timeoutMs = 5000): Promise<Answer> {
  const began = performance.now()
  return new Promise((resolve) => {
    const stream = http.request({
      ':method': 'POST',
      ':path': `/${serviceName}/${rpc}`,
      'content-type': 'application/json'
    })
    let headers: IncomingHttpHeaders = {}
    const parts: Buffer[] = []
    stream.on('response', (found) => {
      headers = found
    })
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      const body = Buffer.concat(parts)
      resolve({
        status: headers[':status'] as number | undefined,
        headers,
        body,
        rst: stream.rstCode ?? 0,
        tookMs: performance.now() - began
      })
    })
    stream.setTimeout(timeoutMs, () => stream.close(constants.NGHTTP2_CANCEL))
    stream.end(JSON.stringify(message))
  })
}

/** A blob as a request message, in JSON and for gRPC. */
export const blob = (content: string) => ({ repository: 'demo', content: Buffer.from(content).toString('base64') })
export const grpcBlob = (content: string) => ({ repository: 'demo', content: Buffer.from(content) })
/** A rule for storeBlob. */
export const rule = (fault: Fault, over: Partial<FaultRule> = {}): FaultRule => ({ rpc: 'StoreBlob', fault, ...over })
