/** A server that gives any answer that the test wants, true or not, on all three transports. */
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { type Client, type ClientOptions, createClient } from '../../src/index.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import { methods, serviceName } from '../../src/schema/methods.ts'

/** The response message for each method, by its name in the proto. */
export type Answers = Readonly<Record<string, object>>

export interface LyingServer extends AsyncDisposable {
  /** The answers from now on. */
  answers: Answers
  client(transport: 'json' | 'msgpack' | 'grpc', options?: Partial<ClientOptions>): Client
}

/** Apply answers with the answers to the writes that it may be. */
function answerTo({ answers }: { readonly answers: Answers }, name: string): object {
  const found = answers[name] ?? {}
  return name === methods.apply.name && answers['CommitFiles']
    ? { commitFiles: answers['CommitFiles'], ...found }
    : found
}

/** Starts one on free ports. */
export async function startLyingServer(): Promise<LyingServer> {
  const server = { answers: {} as Answers }
  const http = createServer()
  http.on('stream', (stream: ServerHttp2Stream, headers) => {
    const codec = headers['content-type'] === jsonCodec.contentType ? jsonCodec : msgpackCodec
    const method = Object.values(methods).find(({ name }) => headers[':path'] === `/${serviceName}/${name}`) as Method
    stream.resume()
    stream.respond({ ':status': 200, 'content-type': codec.contentType })
    stream.end(codec.encode(method.response, answerTo(server, method.name)))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const grpc = new Server()
  const unary = Object.values(methods).filter(({ kind }) => kind === 'unary')
  grpc.addService(
    loadProto()[serviceName] as ServiceDefinition,
    Object.fromEntries(
      unary.map(({ name }) => [
        name,
        (_call: unknown, callback: sendUnaryData<object>) => callback(null, answerTo(server, name))
      ])
    )
  )
  const grpcPort = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port)
    )
  })
  const clients: Client[] = []
  return Object.assign(server, {
    client(transport: 'json' | 'msgpack' | 'grpc', options: Partial<ClientOptions> = {}) {
      const endpoint =
        transport === 'grpc'
          ? `grpc://127.0.0.1:${grpcPort}`
          : `http://127.0.0.1:${(http.address() as AddressInfo).port}`
      const client = createClient({ endpoint, transport, ...options })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()))
      grpc.forceShutdown()
      http.close()
    }
  })
}
