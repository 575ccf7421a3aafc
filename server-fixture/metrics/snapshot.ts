/** The figures of a server as data: they go between processes as JSON, and are added up. */
import type { MethodFigures } from './call-table.ts'
import type { HistogramFigures } from './histogram.ts'
import type { ProcessFigures } from './process-figures.ts'

/** How a call comes: as Connect with JSON, MessagePack or protobuf, as gRPC, or as a plain HTTP request. */
export type CallTransport = 'json' | 'msgpack' | 'proto' | 'grpc' | 'http'

/** Messages of one direction; the bytes with and without their compression. */
export interface MessageFigures {
  readonly messages: number
  readonly wireBytes: number
  readonly plainBytes: number
}

/** One transport. */
export interface TransportFigures {
  /** By method; an operation of a session's frame is a call of its own. */
  readonly calls: Readonly<Record<string, MethodFigures>>
  /** Operations of BatchOperations, beside the call itself. */
  readonly batchOperations: Readonly<Record<string, MethodFigures>>
  /** Calls without an answer. */
  readonly inFlight: number
  /** Requests and streams that are open, sessions too. */
  readonly streams: number
  readonly sessions: number
  readonly sessionsOpened: number
  readonly frames: number
  readonly received: MessageFigures
  readonly sent: MessageFigures
  /** Contents of blobs that streams carried. */
  readonly uploadedBytes: number
  readonly downloadedBytes: number
}

/** The connections of a listener as data. */
export interface ConnectionFigures {
  readonly open: number
  readonly opened: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** The budget of bytes that requests hold. */
export interface MemoryFigures {
  readonly heldBytes: number
  readonly maxBytes: number
  readonly refusals: number
  /** In the windows of streams that are not read. */
  readonly unreadBytes: number
}

/** Work that waits. */
export interface QueueFigures {
  /** Branches with a queue of commits, and the commits in them. */
  readonly branches: number
  readonly commits: number
  /** Large messages that wait for their turn of decoding. */
  readonly decoding: number
}

/** Uploads that are not complete. */
export interface UploadFigures {
  readonly uploads: number
  readonly heldBytes: number
  readonly maxBytes: number
}

/** Connections to the database of a store. */
export interface DatabaseFigures {
  readonly open: number
  readonly opened: number
  /** Statements and transactions that were tried again. */
  readonly retries: number
  /** Calls that wait for a connection, and the bytes of their values. */
  readonly heldCalls: number
  readonly heldBytes: number
}

/** Push events to one destination. */
export interface WebhookFigures {
  readonly waiting: number
  /** Dead letters that are kept. */
  readonly dead: number
  readonly delivered: number
  readonly failedAttempts: number
  /** 1 = the circuit breaker is not closed. */
  readonly breakerOpen: number
}

/** Requests of Git's clients. */
export interface GitFigures {
  /** Git processes that serve clones, fetches and pushes, and exports that are being made. */
  readonly processes: number
  /** Requests that wait for one. */
  readonly waiting: number
}

/** Lines of the access log. */
export interface LogFigures {
  readonly written: number
  readonly dropped: number
}

/** A server, or several. All numbers are sums: those that only grow are counters, the others gauges. */
export interface ServerFigures {
  readonly transports: Readonly<Record<CallTransport, TransportFigures>>
  /** By listener: `http`, `grpc`, `admin`. */
  readonly connections: Readonly<Record<string, ConnectionFigures>>
  readonly memory: MemoryFigures
  readonly queues: QueueFigures
  readonly uploads: UploadFigures
  /** By destination. Empty = the server sends no push events. */
  readonly webhooks: Readonly<Record<string, WebhookFigures>>
  /** Open watches of refs. */
  readonly watches: number
  readonly git: GitFigures
  /** Zeros for a store without a database. */
  readonly database: DatabaseFigures
  /** By step, such as `pack`, `refs`, `journal`. Empty for a store that measures none. */
  readonly store: Readonly<Record<string, HistogramFigures>>
  readonly loopDelay: HistogramFigures
  readonly process: ProcessFigures
  readonly accessLog: LogFigures
  /** Servers that are ready, and that drain. */
  readonly ready: number
  readonly draining: number
}

/** Numbers that may go down; all others are counters. No method, code or destination has one of these names. */
const gauges: ReadonlySet<string> = new Set([
  ...[
    'inFlight',
    'streams',
    'sessions',
    'open',
    'heldBytes',
    'heldCalls',
    'maxBytes',
    'unreadBytes',
    'branches',
    'commits',
    'decoding'
  ],
  ...['uploads', 'waiting', 'dead', 'breakerOpen', 'watches', 'processes', 'residentBytes', 'heapUsedBytes'],
  ...['heapTotalBytes', 'heapLimitBytes', 'externalBytes', 'openFiles', 'ready', 'draining']
])

type Figure = number | readonly Figure[] | { readonly [name: string]: Figure }

/** Both together: every number is a sum. */
export function addFigures<Figures extends object>(a: Figures, b: Figures): Figures {
  return add(a as Figure, b as Figure) as unknown as Figures
}

function add(a: Figure, b: Figure): Figure {
  if (typeof a === 'number') return a + (b as number)
  if (Array.isArray(a)) return a.map((item, index) => add(item, (b as readonly Figure[])[index] ?? 0))
  const sum: Record<string, Figure> = { ...(a as Record<string, Figure>) }
  for (const [name, figure] of Object.entries(b as Record<string, Figure>)) {
    // Names of repositories are among them, such as `constructor`.
    sum[name] = Object.hasOwn(sum, name) ? add(sum[name] as Figure, figure) : figure
  }
  return sum
}

/** The figures that a process leaves behind: without its counters, sums would go down, which reads as a restart of all. */
export function endedFigures(figures: ServerFigures): ServerFigures {
  return ended(figures as unknown as Figure) as unknown as ServerFigures
}

function ended(figure: Figure): Figure {
  if (typeof figure === 'number' || Array.isArray(figure)) return figure
  const entries = Object.entries(figure as Record<string, Figure>).map(([name, inner]): [string, Figure] => [
    name,
    typeof inner === 'number' && gauges.has(name) ? 0 : ended(inner)
  ])
  return Object.fromEntries(entries)
}
