/** Starts a server: its store, its service and its two listeners. */
import { join } from 'node:path'
import type { Limits } from '../src/schema/default-limits.ts'
import type { Primary } from './accepted-connections.ts'
import { AccessLog, type AccessLogDetail } from './access-log/access-log.ts'
import { LineWriter } from './access-log/line-writer.ts'
import { adminRoute } from './admin/admin-route.ts'
import { operate } from './admin/operate.ts'
import { createAuthenticator, type Grant } from './auth.ts'
import { type Effect, withEffects } from './faults/effects.ts'
import type { Faults } from './faults/faults.ts'
import { withFaults } from './faults/faulty-service.ts'
import { GitRemotes } from './git-http/git-remotes.ts'
import { openGrpcServer } from './grpc/grpc-server.ts'
import { openHttpServer } from './http/http-server.ts'
import { route } from './http/routes.ts'
import { listenerTimes, type TlsFiles } from './listener.ts'
import { MemoryBudget } from './memory-budget.ts'
import type { ServerMetrics } from './metrics/server-metrics.ts'
import { openStore, type StoreOptions } from './open-store.ts'
import type { PushOptions } from './push/push-options.ts'
import type { PushSender, PushSenderContext } from './push/push-sender.ts'
import type { SharedPush } from './push/shared-push.ts'
import { logged, packageVersion, urlOf } from './server-facts.ts'
import { Service } from './service/service.ts'
import type { VcsService } from './service/vcs-service.ts'
import type { WatchBounds } from './service/watch/watches.ts'
import type { ServerTracing } from './tracing/server-tracing.ts'

/** Options of `startServer`; all have defaults. */
export interface ServerOptions extends StoreOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * 0 = any free port.
   * @default 0
   */
  readonly httpPort?: number | undefined
  /** @default 0 */
  readonly grpcPort?: number | undefined
  /**
   * Port for metrics, the dashboard and health, where nobody needs a token: HTTP/1.1 and h2c. 0 = any free port.
   * @default none
   */
  readonly adminPort?: number | undefined
  /** @default '127.0.0.1' */
  readonly adminHost?: string | undefined
  /**
   * Of the disk with the data directory. With less, the server is not ready.
   * @default 268_435_456
   */
  readonly minFreeBytes?: number | undefined
  /**
   * Directory of exports, from which Git's clients read repositories of stores that are not the Git store. Servers of one
   * machine may share it.
   * @default `git-cache` in `data`, or a temporary directory that is removed when the server closes
   */
  readonly gitCache?: string | undefined
  /**
   * Git processes at once that make packs for clones and fetches, or take in those of pushes. Others wait.
   * @default two for each core
   */
  readonly maxGitProcesses?: number | undefined
  /** Without grants, everyone may do everything. */
  readonly grants?: readonly Grant[] | undefined
  readonly tls?: TlsFiles | undefined
  readonly limits?: Partial<Limits> | undefined
  /** Bounds of watches: 10,000 on the server, a sign of life each 15 s. */
  readonly watches?: Partial<WatchBounds> | undefined
  /**
   * Time for a handshake, and for the headers of a request to arrive.
   * @default 10_000
   */
  readonly headersTimeoutMs?: number | undefined
  /**
   * Time for the body of a request, or a message of a session, to arrive after its beginning.
   * @default 30_000
   */
  readonly bodyTimeoutMs?: number | undefined
  /**
   * Time that a stream, or a connection without streams, may do nothing. Sessions then end as when the server drains.
   * @default 120_000
   */
  readonly idleTimeoutMs?: number | undefined
  /**
   * Time for a unary call whose client tells no deadline.
   * @default 120_000
   */
  readonly callTimeoutMs?: number | undefined
  /**
   * Time that uploads and downloads may go on when the server closes. They end then so that they can go on elsewhere.
   * @default 5_000
   */
  readonly transferDrainMs?: number | undefined
  /** Wraps the service, for a test that looks at its calls. */
  readonly decorate?: ((service: VcsService) => VcsService) | undefined
  /** Faults on command; see docs/testing.md. */
  readonly faults?: Faults | undefined
  /** Called for each write that changed something. Writes then wait for each other. */
  readonly onEffect?: ((effect: Effect) => void) | undefined
  /**
   * A line of JSON for each request and each frame of a session: a path, `-` for standard output, or `stderr`.
   * @default none
   */
  readonly accessLog?: string | undefined
  /**
   * `operations` = a line for each operation of a frame.
   * @default 'frames'
   */
  readonly accessLogDetail?: AccessLogDetail | undefined
  /**
   * Makes spans of requests and operations, as `new ServerTracing(tracerProvider)` does.
   * @default none
   */
  readonly tracing?: ServerTracing | undefined
  /**
   * Where moves of refs are told as push events (docs/webhooks.md).
   * @default none
   */
  readonly webhooks?: PushOptions | undefined
  /** Called for each event of the server's log. */
  readonly log?: Log | undefined
  /** The process is a worker: another one accepts the connections, and knows the figures of all workers. */
  readonly primary?: Primary | undefined
}

type Log = (event: Readonly<Record<string, unknown>>) => void

/** A running server. */
export interface RunningServer {
  /** URL of the HTTP server: `http://127.0.0.1:PORT`, or `https://…`. */
  readonly http: string
  /** URL of the gRPC server. */
  readonly grpc: string
  /** URL of the admin port; undefined = it is closed. */
  readonly admin: string | undefined
  /** The figures of this process. */
  readonly metrics: Pick<ServerMetrics, 'snapshot'>
  /** The bytes that requests hold. */
  readonly memory: Pick<
    MemoryBudget,
    'heldBytes' | 'peakBytes' | 'refusals' | 'unread' | 'maxBytes' | 'maxConnectionBytes'
  >
  /** Goes on with the access log in a new file of its path: the old one was renamed. */
  reopenAccessLog(): Promise<void>
  /** Refuses new work, answers accepted work, closes the store. */
  close(): Promise<void>
}

async function openAccessLog(options: ServerOptions, log: Log): Promise<AccessLog | undefined> {
  const { accessLog: target, accessLogDetail = 'frames' } = options
  if (target === undefined) return undefined
  const file = target === '-' ? 1 : target === 'stderr' ? 2 : target
  const onProblem = (error: unknown) => log({ event: 'access_log_failed', ...logged(error) })
  return new AccessLog(await LineWriter.open(file, { onProblem }), accessLogDetail)
}

/** Loaded on demand: SQLite, in which deliveries wait, is an experiment in Node 22, which says so. */
async function startPush(options: PushOptions, context: PushSenderContext): Promise<PushSender | SharedPush> {
  const { pushLedger: ledger } = context.store
  if (ledger) return (await import('./push/shared-push.ts')).SharedPush.start(options, { ...context, ledger })
  return (await import('./push/push-sender.ts')).PushSender.start(options, context)
}

/** Undefined = nowhere for good. */
function exportsIn({ data }: ServerOptions): string | undefined {
  return data === undefined ? undefined : join(data, 'git-cache')
}

/** Closes everything that is open if the next step fails: open listeners would keep the process alive. */
async function orClose<T>(opening: Promise<T>, opened: readonly { close(): Promise<void> | void }[]): Promise<T> {
  try {
    return await opening
  } catch (error) {
    for (const resource of opened) await resource.close()
    throw error
  }
}

/** Starts a server in this process. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const log = options.log ?? (() => undefined)
  const plainStore = await openStore(options, log)
  const store = options.onEffect ? withEffects(plainStore, options.onEffect) : plainStore
  const serverVersion = packageVersion()
  const service = new Service(store, {
    ...(options.limits ? { limits: options.limits } : {}),
    watches: options.watches,
    serverVersion,
    onInternalError: (error, requestId) => log({ event: 'internal_error', requestId, ...logged(error) })
  })
  const authenticator = createAuthenticator(options.grants ?? [])
  const decorated = options.decorate?.(service) ?? service
  const { faults, tls, host = '127.0.0.1' } = options
  const memory = new MemoryBudget(service.limits)
  const { minFreeBytes = 256 * 2 ** 20, adminHost = '127.0.0.1' } = options
  const commitQueues = () => service.commits.figures()
  const watches = () => service.watches.size
  const accessLog = await orClose(openAccessLog(options, log), [store])
  const { tracing, webhooks: pushed, primary } = options
  const logs = accessLog ? [accessLog] : []
  const push = pushed && (await orClose(startPush(pushed, { store, log }), [store, ...logs]))
  const webhooks = () => push?.figures() ?? {}
  const sources = { commitQueues, watches, accessLog, tracing, webhooks }
  const operated = operate({ store, memory, minFreeBytes, serverVersion, ...sources })
  const { metrics } = operated
  const { gitCache: cache = exportsIn(options) } = options
  const git = new GitRemotes(store, { cache, maxProcesses: options.maxGitProcesses })
  const served = faults ? withFaults(decorated, faults) : decorated
  const dependencies = {
    service: served,
    authenticator,
    faults,
    memory,
    metrics,
    operated: primary?.together(operated, serverVersion) ?? operated,
    git
  }
  const onConnectionError = (error: unknown) => log({ event: 'connection_error', ...logged(error) })
  const listening = { host, tls, ...listenerTimes(options), onConnectionError }
  const opened: { close(): Promise<void> | void }[] = [operated, ...(push ? [push] : []), git, store, ...logs]
  const http = await orClose(
    openHttpServer(
      dependencies,
      { ...listening, name: 'http', port: options.httpPort ?? 0, source: primary?.sources.http },
      route
    ),
    opened
  )
  opened.unshift(http)
  const grpc = await orClose(
    openGrpcServer(dependencies, {
      ...listening,
      name: 'grpc',
      port: options.grpcPort ?? 0,
      source: primary?.sources.grpc
    }),
    opened
  )
  opened.unshift(grpc)
  const { adminPort } = options
  const adminOptions = { ...listening, tls: undefined, host: adminHost, name: 'admin', port: adminPort ?? 0 } as const
  const admin =
    adminPort === undefined
      ? undefined
      : await orClose(openHttpServer(dependencies, adminOptions, adminRoute(adminHost)), opened)
  const secure = tls !== undefined
  const urls = { http: urlOf(host, http.port, secure), grpc: urlOf(host, grpc.port, secure) }
  service.announce([
    { transport: 'json', url: urls.http },
    { transport: 'msgpack', url: urls.http },
    { transport: 'grpc', url: urls.grpc.replace(/^http/, 'grpc') }
  ])
  let closing: Promise<void> | undefined
  const close = async () => {
    operated.health.drain()
    await Promise.all([http.close(), grpc.close()])
    await admin?.close()
    await push?.close()
    operated.close()
    await accessLog?.close()
    await git.close()
    await store.close()
  }
  return {
    ...urls,
    admin: admin && urlOf(adminHost, admin.port),
    metrics,
    memory,
    reopenAccessLog: async () => accessLog?.reopen(),
    close() {
      closing ??= close()
      return closing
    }
  }
}
