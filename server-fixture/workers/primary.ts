/**
 * The primary process of a server with several workers. It listens on both ports and gives each connection to a worker, so
 * that a port stays open whichever worker ends, and no connection is lost with the one that was to have it.
 */
import { type AddressInfo, createServer, type Server } from 'node:net'
import { listen } from '../accepted-connections.ts'
import { LineWriter } from '../access-log/line-writer.ts'
import { adminRoute } from '../admin/admin-route.ts'
import { Feed } from '../admin/feed.ts'
import type { Operated } from '../admin/operated.ts'
import { createAuthenticator } from '../auth.ts'
import { TemporaryCache } from '../git-http/temporary-cache.ts'
import { Hosts } from '../hosts.ts'
import { openHttpServer } from '../http/http-server.ts'
import { type Listener, listenerTimes } from '../listener.ts'
import type { FigureSource } from '../metrics/figure-source.ts'
import { ServerMetrics } from '../metrics/server-metrics.ts'
import type { WantedPort } from '../port-error.ts'
import type { RunningServer, ServerOptions } from '../server.ts'
import { logged, packageVersion, urlOf } from '../server-facts.ts'
import { Crew } from './crew.ts'
import type { SharedListener } from './messages.ts'

/** A worker that is killed takes with it at most what it has counted in this time. */
const lookMs = 1_000

/** How a primary is started. */
export interface PrimaryOptions extends ServerOptions {
  /** At least 1. */
  readonly workers: number
  /** The command line, for the workers. */
  readonly args: readonly string[]
  readonly log: (event: Readonly<Record<string, unknown>>) => void
}

/** Starts the workers, and accepts connections for them. @throws StartFailed */
export async function startPrimary(
  options: PrimaryOptions
): Promise<Omit<RunningServer, 'metrics' | 'memory' | typeof Symbol.asyncDispose>> {
  const { workers: count, args, log, host = '127.0.0.1', tls } = options
  const listeners = await listenOnBoth(options, host)
  const ports = { http: portOf(listeners.http), grpc: portOf(listeners.grpc) }
  const onProblem = (error: unknown) => log({ event: 'output_failed', ...logged(error) })
  const output = { stdout: await LineWriter.open(1, { onProblem }), stderr: await LineWriter.open(2, { onProblem }) }
  const metrics = new ServerMetrics({ isReady: () => false })
  const dropped = () => output.stdout.dropped + output.stderr.dropped
  const own = () => ({ ...metrics.snapshot(), accessLog: { written: 0, dropped: dropped() } })
  // One for all of them, so that each repository is exported once.
  const cache = (options.gitCache ?? options.data) === undefined ? await TemporaryCache.make() : undefined
  const given = cache ? [...args, '--git-cache', cache.path] : args
  const crew = new Crew({ count, args: given, ports, output, log, own })
  for (const [listener, server] of Object.entries(listeners)) {
    server.on('connection', (socket) => {
      // One whose client goes before a worker has it.
      socket.on('error', () => undefined)
      crew.distributor.give({ listener: listener as SharedListener, socket })
    })
  }
  const looking = setInterval(() => crew.look(), lookMs).unref()
  let admin: Listener | undefined
  const close = async () => {
    for (const server of Object.values(listeners)) server.close()
    await crew.drain()
    await admin?.close()
    await cache?.remove()
    clearInterval(looking)
    metrics.close()
    await Promise.all([output.stdout.close(), output.stderr.close()])
  }
  try {
    // First: a port that is taken is told before a worker serves, and probes have an answer meanwhile.
    admin = await openAdmin({ crew, metrics }, options)
    await crew.start()
  } catch (error) {
    await close()
    throw error
  }
  let closing: Promise<void> | undefined
  return {
    http: urlOf(host, ports.http, tls !== undefined),
    grpc: urlOf(host, ports.grpc, tls !== undefined),
    admin: admin && urlOf(options.adminHost ?? '127.0.0.1', admin.port),
    async reopenAccessLog() {
      for (const worker of crew.workers) worker.reopen()
    },
    close() {
      closing ??= close()
      return closing
    }
  }
}

async function listenOnBoth({ httpPort = 0, grpcPort = 0 }: ServerOptions, host: string) {
  const http = await listenOn({ name: 'http', port: httpPort, host })
  try {
    return { http, grpc: await listenOn({ name: 'grpc', port: grpcPort, host }) }
  } catch (error) {
    http.close()
    throw error
  }
}

async function listenOn(wanted: WantedPort): Promise<Server> {
  // Nothing is read here: all bytes are the worker's.
  const server = createServer({ pauseOnConnect: true, noDelay: true })
  await listen(server, wanted)
  return server
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

async function openAdmin(
  { crew, metrics }: { readonly crew: Crew; readonly metrics: ServerMetrics },
  { adminPort: port, adminHost: host = '127.0.0.1', hosts, grants = [], log, ...times }: PrimaryOptions
): Promise<Listener | undefined> {
  if (port === undefined) return undefined
  const dependencies = {
    authenticator: createAuthenticator(grants),
    metrics,
    operated: operatedOf(crew),
    faults: undefined
  }
  const onConnectionError = (error: unknown) => log({ event: 'connection_error', ...logged(error) })
  const options = { name: 'admin', host, port, tls: undefined, onConnectionError, ...listenerTimes(times) } as const
  return await openHttpServer(dependencies, options, adminRoute(new Hosts({ host, hosts })))
}

/** The state of all workers, as the admin port tells of it. */
function operatedOf(crew: Crew): Operated {
  const watcher = {}
  const figures: FigureSource = {
    snapshot: () => crew.summary.figures(),
    notable: () => crew.summary.notable(),
    watch: (isWatched) => crew.watch(watcher, isWatched)
  }
  const health: Operated['health'] = {
    look: () => crew.summary.readiness(crew.isDraining),
    get isDraining() {
      return crew.isDraining
    },
    // gRPC's health service is in the workers.
    onChange: () => undefined
  }
  return { figures, health, feed: new Feed({ figures, health, serverVersion: packageVersion() }) }
}
