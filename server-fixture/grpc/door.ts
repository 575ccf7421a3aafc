/** Opens the gRPC port, with health checks (grpc.health.v1) and server reflection. */
import { randomUUID } from 'node:crypto'
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation } from 'grpc-health-check'
import { serviceName } from '../../src/schema/methods.ts'
import { loadProto } from '../../src/transport/grpc/proto.ts'
import type { Door, DoorOptions, DoorParts, TlsFiles } from '../door.ts'
import { createHandlers } from './handlers.ts'

const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024
/** Time for what was accepted; clients that do not read their answers are cut off then, as at the HTTP door. */
const drainMs = 8_000
/** Time for the last answers to reach their clients. */
const lingerMs = 500

function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const pair = { private_key: tls.key, cert_chain: tls.cert }
  return ServerCredentials.createSsl(tls.ca ?? null, [pair], tls.requestCert)
}

/**
 * grpc-js has an option for the client's receive windows, none for the server's, and 64 KiB cap uploads at 3 MiB/s over
 * 20 ms. Its HTTP/2 servers are private; test/server/windows.test.ts notices if they are no longer where this looks.
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

/** Opens the door. */
export async function openGrpcDoor(parts: DoorParts, options: DoorOptions): Promise<Door> {
  const server = new Server({
    // Bounds the message as it came and, for gzip, as it becomes.
    'grpc.max_receive_message_length': parts.service.limits.maxBatchBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1000,
    'grpc-node.max_session_memory': 256,
    'grpc.max_connection_idle_ms': 120_000
  })
  const definition = loadProto()
  const calls = new Set<Promise<object>>()
  const draining = new AbortController()
  server.addService(
    definition[serviceName] as ServiceDefinition,
    createHandlers({ ...parts, calls, draining: draining.signal, newRequestId: () => randomUUID() })
  )
  const health = new HealthImplementation({ '': 'SERVING', [serviceName]: 'SERVING' })
  health.addToServer(server)
  new ReflectionService(definition).addToServer(server)
  const port = await new Promise<number>((resolve, reject) => {
    const host = options.host.includes(':') ? `[${options.host}]` : options.host
    server.bindAsync(`${host}:${options.port}`, serverCredentials(options.tls), (error, bound) => {
      if (error) reject(new Error(`gRPC port ${options.port}: ${error.message}`))
      else resolve(bound)
    })
  })
  raiseWindows(server)
  const { faults } = parts
  if (faults) for (const http2 of http2ServersOf(server)) faults.wires.watch(http2, (rpc) => faults.atArrival(rpc))
  return {
    port,
    close() {
      draining.abort()
      health.setStatus('', 'NOT_SERVING')
      health.setStatus(serviceName, 'NOT_SERVING')
      return shutDown(server, calls)
    }
  }
}

/**
 * Answers what was accepted; connections that do not end by themselves soon after are cut. grpc-js loses count of a
 * connection that never became HTTP/2 (a TLS hello on the cleartext port), and would wait for it for ever.
 */
async function shutDown(server: Server, calls: Set<Promise<object>>): Promise<void> {
  const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  let late: NodeJS.Timeout | undefined
  const tooLate = new Promise<void>((resolve) => {
    late = setTimeout(resolve, drainMs)
  })
  await Promise.race([ended, Promise.allSettled(calls), tooLate])
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
