/** The contenders of other libraries. */
import { connect } from 'node:net'
import { createClient as createConnectClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import { credentials, makeClientConstructor, type ServiceError } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { createTRPCClient, httpBatchLink } from '@trpc/client'
import { Agent, request } from 'undici'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { type BlobStorer, checkOid } from '../measure/load.ts'
import { startBenchServer } from '../servers/start.ts'
import type { Router } from '../servers/trpc-router.ts'
import { vcsService } from './descriptors.ts'

/** Approximate bytes of a call of 50 B in a frame of a session. */
const echoBytes = 72

/** A TCP echo, which shows the limit of the network and two event loops: one write of a call's bytes, sent back. */
export async function rawEcho(): Promise<BlobStorer> {
  const server = await startBenchServer('echo')
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
  const waiting: (() => void)[] = []
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
    for (; received >= echoBytes; received -= echoBytes) waiting.shift()?.()
  })
  const message = Buffer.alloc(echoBytes, 'x')
  return {
    store: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve)
        socket.write(message)
      }),
    async close() {
      socket.destroy()
      await server.stop()
    }
  }
}

const bodyOf = (content: Uint8Array) => JSON.stringify({ content: Buffer.from(content).toString('base64') })
const headers = { 'content-type': 'application/json' }

/** One JSON request for each call, with undici and its own pool. */
export async function undiciJson(): Promise<BlobStorer> {
  const server = await startBenchServer('json')
  const dispatcher = new Agent()
  const url = `http://127.0.0.1:${server.port}/blobs`
  return {
    async store(content) {
      const response = await request(url, { method: 'POST', headers, body: bodyOf(content), dispatcher })
      checkOid(((await response.body.json()) as { oid: string }).oid, content)
    },
    async close() {
      await dispatcher.close()
      await server.stop()
    }
  }
}

/** The same with Node's global fetch. */
export async function globalFetch(): Promise<BlobStorer> {
  const server = await startBenchServer('json')
  const url = `http://127.0.0.1:${server.port}/blobs`
  return {
    async store(content) {
      const response = await fetch(url, { method: 'POST', headers, body: bodyOf(content) })
      checkOid(((await response.json()) as { oid: string }).oid, content)
    },
    close: () => server.stop()
  }
}

/** A grpc-js client with its defaults; `through` as in blobwire.ts. */
export async function grpcUnary(
  through: (port: number) => Promise<{ port: number; stop(): Promise<void> }> = async (port) => ({
    port,
    stop: async () => undefined
  })
): Promise<BlobStorer> {
  const server = await startBenchServer('grpc')
  const route = await through(server.port)
  const Client = makeClientConstructor(loadProto()[serviceName] as ServiceDefinition, serviceName)
  const client = new Client(`127.0.0.1:${route.port}`, credentials.createInsecure())
  type Unary = (request: object, callback: (error: ServiceError | null, response: { oid: string }) => void) => void
  const storeBlob = (client['StoreBlob'] as unknown as Unary).bind(client)
  return {
    store: (content) =>
      new Promise<void>((resolve, reject) => {
        storeBlob({ repository: 'bench', content }, (error, response) => {
          if (error) return reject(error)
          checkOid(response.oid, content)
          resolve()
        })
      }),
    async close() {
      client.close()
      await route.stop()
      await server.stop()
    }
  }
}

/** Connect's own client for Node over HTTP/2. */
export async function connectNode(protocol: 'json' | 'grpc'): Promise<BlobStorer> {
  const server = await startBenchServer('connect')
  const baseUrl = `http://127.0.0.1:${server.port}`
  const transport =
    protocol === 'grpc'
      ? createGrpcTransport({ baseUrl })
      : createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false })
  const client = createConnectClient(await vcsService(), transport) as unknown as {
    storeBlob(request: object): Promise<{ oid: string }>
  }
  return {
    async store(content) {
      checkOid((await client.storeBlob({ repository: 'bench', content })).oid, content)
    },
    close: () => server.stop()
  }
}

/** tRPC's batch link: calls of one turn of the event loop go in one request. */
export async function trpcBatch(): Promise<BlobStorer> {
  const server = await startBenchServer('trpc')
  const client = createTRPCClient<Router>({ links: [httpBatchLink({ url: `http://127.0.0.1:${server.port}` })] })
  return {
    async store(content) {
      checkOid((await client.storeBlob.mutate({ content: Buffer.from(content).toString('base64') })).oid, content)
    },
    close: () => server.stop()
  }
}
