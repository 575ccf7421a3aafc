/** The figures of a server: counted where things happen, and read when somebody asks. */
import type { AccessLog } from '../access-log/access-log.ts'
import { decodeTurns } from '../decode-turns.ts'
import type { RequestTracing } from '../tracing/request-tracing.ts'
import { Connections } from './connections.ts'
import type { Histogram } from './histogram.ts'
import { LoopDelay } from './loop-delay.ts'
import { Notable } from './notable.ts'
import { processFigures } from './process-figures.ts'
import type {
  CallTransport,
  DatabaseFigures,
  GitFigures,
  MemoryFigures,
  QueueFigures,
  ServerFigures,
  TransportFigures,
  UploadFigures,
  WebhookFigures
} from './snapshot.ts'
import { TransportMetrics } from './transport-metrics.ts'

/** Figures that others count, asked for in each snapshot. */
export interface FigureSources {
  readonly memory: () => MemoryFigures
  readonly commitQueues: () => Omit<QueueFigures, 'decoding'>
  readonly uploads: () => UploadFigures
  readonly database: () => DatabaseFigures
  /** Push events, by destination. */
  readonly webhooks: () => Readonly<Record<string, WebhookFigures>>
  readonly watches: () => number
  readonly git: () => GitFigures
  readonly isReady: () => boolean
  readonly isDraining: () => boolean
  /** Durations of the store's steps, by name. */
  readonly store: Readonly<Record<string, Histogram>>
}

const noSources: FigureSources = {
  memory: () => ({ heldBytes: 0, maxBytes: 0, refusals: 0, unreadBytes: 0 }),
  commitQueues: () => ({ branches: 0, commits: 0 }),
  watches: () => 0,
  git: () => ({ processes: 0, waiting: 0 }),
  database: () => ({ open: 0, opened: 0, retries: 0, heldCalls: 0, heldBytes: 0 }),
  uploads: () => ({ uploads: 0, heldBytes: 0, maxBytes: 0 }),
  webhooks: () => ({}),
  isReady: () => true,
  isDraining: () => false,
  store: {}
}

/** Those who are told of each request, besides the figures. */
export interface Witnesses {
  readonly accessLog?: AccessLog | undefined
  readonly tracing?: RequestTracing | undefined
}

/** One server. */
export class ServerMetrics {
  readonly notable: Notable = new Notable()
  readonly transports: Readonly<Record<CallTransport, TransportMetrics>> = {
    json: new TransportMetrics('json', this.notable),
    msgpack: new TransportMetrics('msgpack', this.notable),
    proto: new TransportMetrics('proto', this.notable),
    grpc: new TransportMetrics('grpc', this.notable),
    http: new TransportMetrics('http', this.notable)
  }
  readonly #connections = new Map<string, Connections>()
  readonly #loopDelay = new LoopDelay()
  readonly accessLog: AccessLog | undefined
  /** Undefined = nobody traces. */
  readonly tracing: RequestTracing | undefined
  readonly #sources: FigureSources

  constructor(sources: Partial<FigureSources> = {}, { accessLog, tracing }: Witnesses = {}) {
    this.accessLog = accessLog
    this.tracing = tracing
    this.#sources = { ...noSources, ...sources }
  }

  /** Those of the listener with this name. */
  connectionsOf(listener: string): Connections {
    let connections = this.#connections.get(listener)
    if (connections === undefined) {
      connections = new Connections()
      this.#connections.set(listener, connections)
    }
    return connections
  }

  snapshot(): ServerFigures {
    const { memory, commitQueues, uploads, database, webhooks, watches, git, store } = this.#sources
    const transports = Object.entries(this.transports).map(([name, metrics]) => [name, metrics.figures()])
    return {
      transports: Object.fromEntries(transports) as Record<CallTransport, TransportFigures>,
      connections: Object.fromEntries(Array.from(this.#connections, ([name, all]) => [name, all.figures()])),
      memory: memory(),
      queues: { ...commitQueues(), decoding: decodeTurns.waiting },
      uploads: uploads(),
      database: database(),
      webhooks: webhooks(),
      watches: watches(),
      git: git(),
      store: Object.fromEntries(Object.entries(store).map(([name, durations]) => [name, durations.figures()])),
      loopDelay: this.#loopDelay.figures(),
      process: processFigures(),
      accessLog: this.accessLog?.figures() ?? { written: 0, dropped: 0 },
      ready: Number(this.#sources.isReady()),
      draining: Number(this.#sources.isDraining())
    }
  }

  close(): void {
    this.#loopDelay.stop()
  }
}
