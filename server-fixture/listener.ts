/** The interfaces that the HTTP server and the gRPC server share. */
import type { Limits } from '../src/schema/default-limits.ts'
import type { Method } from '../src/schema/descriptor.ts'
import { methods } from '../src/schema/methods.ts'
import type { ConnectionSource } from './accepted-connections.ts'
import type { Operated } from './admin/operated.ts'
import type { Authenticator } from './auth.ts'
import type { Faults } from './faults/faults.ts'
import type { GitRemotes } from './git-http/git-remotes.ts'
import type { StandardServices } from './grpc/standard-services.ts'
import type { Hosts } from './hosts.ts'
import type { Cors } from './http/cors.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { ServerMetrics } from './metrics/server-metrics.ts'
import type { VcsService } from './service/vcs-service.ts'
import type { TlsFiles } from './tls-files.ts'

/**
 * Most bytes of a message of which the caller need not be known: of GetCapabilities, health checks and reflection. The
 * longest of them name a symbol.
 */
export const maxAnonymousBytes = 4096

/** Most bytes of a request of this method, after decompression. */
export function maxRequestBytes(method: Method, { maxBatchBytes }: Pick<Limits, 'maxBatchBytes'>): number {
  return method.name === methods.getCapabilities.name ? maxAnonymousBytes : maxBatchBytes
}

/** Address, certificates and bounds of a listener. */
export interface ListenerOptions {
  /** In the figures. */
  readonly name: 'http' | 'grpc' | 'admin'
  readonly host: string
  readonly port: number
  readonly tls: TlsFiles | undefined
  /** Undefined = the listener listens on the port itself. */
  readonly source?: ConnectionSource | undefined
  /** Time for a handshake, and for the headers of a request to arrive. */
  readonly headersTimeoutMs: number
  /** Time for the body of a request, or a message of a session, to arrive after its beginning. */
  readonly bodyTimeoutMs: number
  /** Time that a stream, or a connection without streams, may do nothing. */
  readonly idleTimeoutMs: number
  /** Time for a unary call whose client tells no deadline. */
  readonly callTimeoutMs: number
  /** Time that uploads and downloads may go on when the server closes. */
  readonly transferDrainMs: number
  /** Called for errors of a connection; they are never fatal. */
  readonly onConnectionError: (error: unknown) => void
}

/** The objects that a listener works with. */
export interface ListenerDependencies {
  readonly service: VcsService
  readonly authenticator: Authenticator
  readonly memory: MemoryBudget
  readonly metrics: ServerMetrics
  /** Undefined = the listener serves no Git clients. */
  readonly git?: GitRemotes | undefined
  /** Undefined = the listener has no paths for operators. */
  readonly operated?: Operated | undefined
  /** Undefined = no page of another origin may use the HTTP server. */
  readonly cors?: Cors | undefined
  /** Health checks and reflection. Undefined = the listener has neither. */
  readonly standard?: StandardServices | undefined
  /** The names by which the listener may be asked; undefined = any. */
  readonly hosts?: Hosts | undefined
  /** Faults of streams and connections; `withFaults` adds those of the service. */
  readonly faults?: Faults | undefined
}

/** The times that the handlers of a listener work with. */
export interface HandlerTimes {
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
  /** As in `ListenerOptions`. */
  readonly bodyTimeoutMs: number
  readonly callTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly transferDrainMs: number
}

/** The objects that answering a request needs. */
export type HandlerDependencies = ListenerDependencies & HandlerTimes

/** A listener that accepts connections. */
export interface Listener {
  readonly port: number
  /** Refuses new work, answers accepted work, and closes. */
  close(): Promise<void>
}

export function handlerTimes(options: ListenerOptions): Omit<HandlerTimes, 'draining'> {
  const { bodyTimeoutMs, callTimeoutMs, idleTimeoutMs, transferDrainMs } = options
  return { bodyTimeoutMs, callTimeoutMs, idleTimeoutMs, transferDrainMs }
}

/** The times of a listener, with their defaults. */
export function listenerTimes({
  headersTimeoutMs = 10_000,
  bodyTimeoutMs = 30_000,
  idleTimeoutMs = 120_000,
  callTimeoutMs = 120_000,
  transferDrainMs = 5_000
}: GivenTimes): ListenerTimes {
  return { headersTimeoutMs, bodyTimeoutMs, idleTimeoutMs, callTimeoutMs, transferDrainMs }
}

type ListenerTimes = Pick<
  ListenerOptions,
  'headersTimeoutMs' | 'bodyTimeoutMs' | 'idleTimeoutMs' | 'callTimeoutMs' | 'transferDrainMs'
>

type GivenTimes = { readonly [Name in keyof ListenerTimes]?: number | undefined }
