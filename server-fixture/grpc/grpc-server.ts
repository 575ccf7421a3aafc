/** The gRPC server, with health checks (grpc.health.v1) and server reflection. */
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { serviceName } from '../../src/schema/methods.ts'
import { type Accepting, tryPort } from '../accepted-connections.ts'
import { watchConnections } from '../connection-watch.ts'
import {
  handlerTimes,
  type Listener,
  type ListenerDependencies,
  type ListenerOptions,
  maxAnonymousBytes
} from '../listener.ts'
import { type TlsFiles, tlsBuffers } from '../tls-files.ts'
import { createHandlers } from './handlers.ts'
import { IncomingCalls } from './incoming-calls.ts'
import { loadProto } from './proto.ts'
import { withOwnMessages, withSmallRequests } from './requests.ts'

const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024
/** Time for accepted calls; clients that do not read their answers are cut off then, as by the HTTP server. */
const drainMs = 8_000
/** Time for the last answers to reach the clients. */
const lingerMs = 500

function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const { cert, key, ca = null, requestCert } = { ca: undefined, ...tlsBuffers(tls) }
  return ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], requestCert)
}

/**
 * grpc-js has an option for the client's receive windows, none for the server's, and 64 KiB cap uploads at 3 MiB/s over
 * 20 ms. Its HTTP/2 servers are private; test/server/windows.test.ts fails when they move.
 */
function http2ServersOf(server: Server): Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: Map<Http2Server, unknown> }
  return [...(http2Servers?.keys() ?? [])]
}

function raiseWindows(server: Server): void {
  for (const http2 of http2ServersOf(server)) {
    http2.updateSettings({ initialWindowSize: streamWindowBytes, maxConcurrentStreams: 1000 })
    http2.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(connectionWindowBytes))
  }
}

/** Listens, or has the connections that another process accepts. @throws Error where the port is not available */
async function accept(server: Server, { source, host, port, tls }: ListenerOptions): Promise<Accepting> {
  const credentials = serverCredentials(tls)
  if (source) {
    const injector = server.createConnectionInjector(credentials)
    return { port: source.port, stop: source.subscribe((socket) => injector.injectConnection(socket)) }
  }
  // grpc-js prints a failure, and does not tell the code.
  await tryPort({ name: 'grpc', host, port })
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, bound) => {
      if (error) reject(new Error(`gRPC port ${port}: ${error.message}`))
      else resolve(bound)
    })
  })
  // `tryShutdown` stops listening.
  return { port: bound, stop: () => undefined }
}

/** Opens the gRPC server. @throws Error where the port is not available */
export async function openGrpcServer(dependencies: ListenerDependencies, options: ListenerOptions): Promise<Listener> {
  const { bodyTimeoutMs } = options
  const calls = new IncomingCalls({
    ...dependencies,
    bodyTimeoutMs,
    maxMessageBytes: dependencies.service.limits.maxBatchBytes
  })
  const server = new Server({
    interceptors: [calls.interceptor],
    // Bounds the message as it came and, with gzip, after decompression.
    'grpc.max_receive_message_length': dependencies.service.limits.maxBatchBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1000,
    'grpc-node.max_session_memory': 256
  })
  const pending = new Set<Promise<unknown>>()
  const draining = new AbortController()
  server.addService(
    withOwnMessages(loadProto()[serviceName] as ServiceDefinition),
    createHandlers({ ...dependencies, ...handlerTimes(options), calls, pending, draining: draining.signal })
  )
  for (const { definition, handlers } of dependencies.standard?.services ?? []) {
    server.addService(withSmallRequests(definition, maxAnonymousBytes), handlers)
  }
  const accepting = await accept(server, options)
  raiseWindows(server)
  const stopWatching = http2ServersOf(server).map((http2) => watchConnections(http2, options))
  for (const http2 of http2ServersOf(server)) {
    dependencies.metrics.connectionsOf(options.name).watch(http2)
    calls.watch(http2)
    dependencies.faults?.watch(http2)
  }
  return {
    port: accepting.port,
    close() {
      draining.abort()
      accepting.stop()
      dependencies.standard?.drain()
      return shutDown(server, pending).finally(() => {
        for (const stop of stopWatching) stop()
      })
    }
  }
}

/**
 * Answers accepted calls, then cuts connections that do not end soon by themselves. grpc-js loses count of a connection
 * that never became HTTP/2 (a TLS hello on the cleartext port), and would wait for it for ever.
 */
async function shutDown(server: Server, pending: Set<Promise<unknown>>): Promise<void> {
  const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  let late: NodeJS.Timeout | undefined
  const tooLate = new Promise<void>((resolve) => {
    late = setTimeout(resolve, drainMs)
  })
  await Promise.race([ended, Promise.allSettled(pending), tooLate])
  clearTimeout(late)
  const cut = new Promise<void>((resolve) => {
    const late = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, lingerMs)
    ended.then(() => clearTimeout(late))
  })
  await Promise.race([ended, cut])
}
