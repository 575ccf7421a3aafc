import { readFileSync } from 'node:fs'
import { createAuthenticator, type Grant } from './auth.ts'
import type { TlsFiles } from './door.ts'
import { type Effect, withEffects } from './faults/effects.ts'
import type { Faults } from './faults/faults.ts'
import { openGrpcDoor } from './grpc/door.ts'
import { openHttpDoor } from './http/door.ts'
import type { Limits } from './service/limits.ts'
import { Service } from './service/service.ts'
import { GitStore } from './store/git/git-store.ts'
import { MemoryStore } from './store/memory-store.ts'
import type { Store } from './store/store.ts'

/** How a server is started; everything has a default. */
export interface ServerOptions {
  /** `git` needs `data`. A store that is given is closed with the server. */
  readonly store?: 'memory' | 'git' | Store | undefined
  readonly data?: string | undefined
  readonly host?: string | undefined
  /** 0 (the default here) = any free port. */
  readonly httpPort?: number | undefined
  readonly grpcPort?: number | undefined
  /** None = everybody may do everything. */
  readonly grants?: readonly Grant[] | undefined
  readonly tls?: TlsFiles | undefined
  readonly limits?: Partial<Limits> | undefined
  /** How long the headers of a request may take to come (default 10 s), and then its body (30 s). */
  readonly headersTimeoutMs?: number | undefined
  readonly bodyTimeoutMs?: number | undefined
  /** What goes wrong on command; see docs/testing.md. */
  readonly faults?: Faults | undefined
  /** Told each write that changed something. It makes writes wait for each other. */
  readonly onEffect?: ((effect: Effect) => void) | undefined
  /** One event of the server's log. */
  readonly log?: ((event: Readonly<Record<string, unknown>>) => void) | undefined
}

/** A server that takes calls. */
export interface RunningServer {
  /** `http://127.0.0.1:PORT`, or `https://…`. */
  readonly http: string
  /** The same for gRPC. */
  readonly grpc: string
  /** Refuses new work, answers what was accepted, closes the store. */
  close(): Promise<void>
}

async function openStore({ store, data }: ServerOptions): Promise<Store> {
  if (store === 'git') return GitStore.open(data as string)
  return store === undefined || store === 'memory' ? new MemoryStore() : store
}

/** What is open already is closed where the next part cannot be opened: it would keep the process alive. */
async function orClose<T>(opening: Promise<T>, opened: readonly { close(): Promise<void> }[]): Promise<T> {
  try {
    return await opening
  } catch (error) {
    for (const part of opened) await part.close()
    throw error
  }
}

function version(): string {
  const file = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** What a log line may say of an error: OpenSSL's and Node's messages hold no tokens. */
function problem(error: unknown): Record<string, unknown> {
  const { code, message, stack } = error as NodeJS.ErrnoException
  return { code, message: String(message ?? error).slice(0, 1000), stack: stack?.split('\n').slice(1, 4).join(' |') }
}

/** Starts a server in this process. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const log = options.log ?? (() => undefined)
  const opening = await openStore(options)
  const store = options.onEffect ? withEffects(opening, options.onEffect) : opening
  const service = new Service(store, {
    ...(options.limits ? { limits: options.limits } : {}),
    serverVersion: version(),
    faults: options.faults,
    onFailure: (error, requestId) => log({ event: 'failure', requestId, ...problem(error) })
  })
  const authenticator = createAuthenticator(options.grants ?? [])
  const { headersTimeoutMs = 10_000, bodyTimeoutMs = 30_000 } = options
  const parts = { service, authenticator, headersTimeoutMs, bodyTimeoutMs, faults: options.faults }
  const host = options.host ?? '127.0.0.1'
  const door = { host, tls: options.tls, onProblem: (error: unknown) => log({ event: 'problem', ...problem(error) }) }
  const opened: { close(): Promise<void> }[] = [store]
  const http = await orClose(openHttpDoor(parts, { ...door, port: options.httpPort ?? 0 }), opened)
  opened.unshift(http)
  const grpc = await orClose(openGrpcDoor(parts, { ...door, port: options.grpcPort ?? 0 }), opened)
  const base = `${options.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}`
  const urls = { http: `${base}:${http.port}`, grpc: `${base}:${grpc.port}` }
  service.announce([
    { transport: 'json', url: urls.http },
    { transport: 'msgpack', url: urls.http },
    { transport: 'grpc', url: urls.grpc.replace(/^http/, 'grpc') }
  ])
  let closing: Promise<void> | undefined
  const close = async () => {
    await Promise.all([http.close(), grpc.close()])
    await store.close()
  }
  return {
    ...urls,
    close() {
      closing ??= close()
      return closing
    }
  }
}
