/** Starts a server: its store, its service and its two listeners. */
import { join } from 'node:path'
import { AccessLog } from './access-log/access-log.ts'
import { LineWriter } from './access-log/line-writer.ts'
import { adminRoute } from './admin/admin-route.ts'
import { operate } from './admin/operate.ts'
import { createAuthenticator } from './auth.ts'
import { checkServerOptions } from './check-server-options.ts'
import { withEffects } from './faults/effects.ts'
import { withFaults } from './faults/faulty-service.ts'
import { GitRemotes } from './git-http/git-remotes.ts'
import { openGrpcServer } from './grpc/grpc-server.ts'
import { openStandardServices } from './grpc/standard-services.ts'
import { Hosts } from './hosts.ts'
import { readCors } from './http/cors.ts'
import { openHttpServer } from './http/http-server.ts'
import { route } from './http/routes.ts'
import { listenerTimes } from './listener.ts'
import { MemoryBudget } from './memory-budget.ts'
import { openStore } from './open-store.ts'
import type { PushOptions } from './push/push-options.ts'
import type { PushSender, PushSenderContext } from './push/push-sender.ts'
import type { SharedPush } from './push/shared-push.ts'
import { logged, packageVersion, urlOf } from './server-facts.ts'
import type { RunningServer, ServerOptions } from './server-options.ts'
import { Service } from './service/service.ts'
import type { RequestTracing } from './tracing/request-tracing.ts'

export type { RunningServer, ServerOptions } from './server-options.ts'

type Log = NonNullable<ServerOptions['log']>

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

/** Loaded on demand: who does not trace needs no OpenTelemetry. */
async function tracingOf(tracing: ServerOptions['tracing']): Promise<RequestTracing | undefined> {
  if (typeof tracing !== 'boolean') return tracing
  return tracing ? (await import('./tracing/server-tracing.ts')).registeredTracing() : undefined
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

/** A web site cannot use a server that wants tokens or has certificates. @throws RangeError */
function hostsOf({ host = '127.0.0.1', hosts, grants = [], tls }: ServerOptions): Hosts | undefined {
  const isOpen = grants.length === 0 && tls === undefined
  return isOpen || hosts !== undefined ? new Hosts({ host, hosts }) : undefined
}

/** Starts a server in this process. @throws BlobwireError `invalid_argument` for an option that is wrong */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  checkServerOptions(options)
  const log = options.log ?? (() => undefined)
  const tracing = await tracingOf(options.tracing)
  const cors = options.cors && readCors(options.cors)
  const names = hostsOf(options)
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
  const { webhooks: pushed, primary } = options
  const logs = accessLog ? [accessLog] : []
  const push = pushed && (await orClose(startPush(pushed, { store, log }), [store, ...logs]))
  const webhooks = () => push?.figures() ?? {}
  const { gitCache: cache = exportsIn(options), maxGitProcesses: maxProcesses, gitTimeoutMs: timeoutMs } = options
  const git = new GitRemotes(store, { cache, maxProcesses, timeoutMs, maxPushBytes: options.maxPushBytes })
  const sources = { commitQueues, watches, git: () => git.figures(), accessLog, tracing, webhooks }
  const operated = operate({ store, memory, minFreeBytes, serverVersion, ...sources })
  const { metrics } = operated
  const served = faults ? withFaults(decorated, faults) : decorated
  const operating = primary?.together(operated, serverVersion) ?? operated
  const opened: { close(): Promise<void> | void }[] = [operated, ...(push ? [push] : []), git, store, ...logs]
  const onMissing = (name: string, part: string) =>
    log({ event: 'package_missing', package: name, message: `npm install ${name} brings ${part}` })
  const { idleTimeoutMs } = listenerTimes(options)
  const standard = await orClose(openStandardServices(operating.health, { idleTimeoutMs, onMissing }), opened)
  opened.unshift({ close: () => standard.drain() })
  const dependencies = {
    service: served,
    authenticator,
    cors,
    hosts: names,
    faults,
    memory,
    metrics,
    operated: operating,
    standard,
    git
  }
  const onConnectionError = (error: unknown) => log({ event: 'connection_error', ...logged(error) })
  const listening = { host, tls, ...listenerTimes(options), onConnectionError }
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
      : await orClose(
          openHttpServer(dependencies, adminOptions, adminRoute(new Hosts({ host: adminHost, hosts: options.hosts }))),
          opened
        )
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
  const closeOnce = () => {
    closing ??= close()
    return closing
  }
  return {
    ...urls,
    admin: admin && urlOf(adminHost, admin.port),
    metrics,
    memory,
    reopenAccessLog: async () => accessLog?.reopen(),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce
  }
}
